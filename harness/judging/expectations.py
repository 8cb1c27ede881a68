"""Known deviations, listed as data with their versions and evidence: by us, and by others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from harness.contract.files import JsonObject, read_json, schema_root
from harness.contract.versions import Version, VersionRange
from harness.errors import HarnessError, UsageError

#: The list that comes with us.
PACKAGED = "schemas/expectations.json"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A listed deviation: ``requirement`` is known to fail on the releases of ``versions``.

    ``reason`` says how, ``evidence`` how it is known. An ``intermittent`` one depends on a race
    within the release: a run that does not show it proves nothing. ``listed_in`` is where the
    entry stands.
    """

    requirement: str
    versions: VersionRange
    reason: str
    evidence: str
    intermittent: bool = False
    listed_in: str = PACKAGED


class Expectations:
    """The listed deviations that apply to one subject, by requirement."""

    def __init__(self, entries: Iterable[Expectation]) -> None:
        self._by_name: dict[str, Expectation] = {}
        for entry in entries:
            if entry.requirement in self._by_name:
                raise HarnessError(
                    f"{entry.listed_in}: two expectations apply to {entry.requirement}"
                )
            self._by_name[entry.requirement] = entry

    def get(self, requirement: str) -> Expectation | None:
        return self._by_name.get(requirement)

    def __len__(self) -> int:
        return len(self._by_name)


#: A subject without known deviations.
NO_EXPECTATIONS = Expectations(())


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of known deviations that somebody keeps, with the entries as it has them.

    ``file`` is what reports call it. An entry is as ``schemas/expectations.schema.json`` describes.
    """

    file: str = ""
    deviations: tuple[Mapping[str, Any], ...] = ()

    @property
    def names_releases(self) -> bool:
        """Whether an entry holds for some releases only."""
        return any("since" in entry or "until" in entry for entry in self.deviations)


#: Nobody keeps a list of their own.
NO_LISTING = Listing()


def parse_listing(text: str, shown: str) -> Listing:
    """Read the text of somebody's own list of known deviations; messages call its file ``shown``.

    Raises UsageError for a text that is not as the schema says.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(shown, seen=f"no JSON ({error})", expected="a JSON file") from None
    wrong = best_match(Draft202012Validator(_schema()).iter_errors(data))
    if wrong is not None:
        raise UsageError(
            f"{shown} at {wrong.json_path}",
            seen=wrong.message,
            expected='{"deviations": [{"requirements": [...], "reason": ..., "evidence": ...}]}, '
            "as schemas/expectations.schema.json describes it",
        )
    return Listing(shown, tuple(data["deviations"]))


def load_expectations(
    version: Version, *, names: Collection[str], own: Listing = NO_LISTING, packaged: bool = True
) -> Expectations:
    """Return the deviations that are listed for a release, by us (if ``packaged``) and by others.

    Where both list one of the same requirement, somebody's ``own`` list is followed.

    Raises :class:`HarnessError` for an entry about a requirement that is not in the catalogue
    (``names``), and where two entries of a list apply at once.
    """
    ours, theirs = _entries() if packaged else (), tuple(_expectations(own))
    for file, entries in ((PACKAGED, ours), (own.file, theirs)):
        unknown = sorted({entry.requirement for entry in entries} - set(names))
        if unknown:
            near = get_close_matches(unknown[0], names, 1)
            raise UsageError(
                file,
                seen=", ".join(unknown),
                expected=f"names of requirements{f', such as {near[0]}' if near else ''}",
            )
    in_force = [entry for entry in theirs if version in entry.versions]
    replaced = {entry.requirement for entry in in_force}
    still_ours = [
        entry for entry in ours if version in entry.versions and entry.requirement not in replaced
    ]
    return Expectations((*still_ours, *in_force))


def packaged_list() -> tuple[Expectation, ...]:
    """Return every deviation that we list, for whichever releases."""
    return _entries()


@cache
def _schema() -> JsonObject:
    return read_json(schema_root() / "expectations.schema.json")


@cache
def _entries() -> tuple[Expectation, ...]:
    data = read_json(schema_root() / "expectations.json")
    for error in Draft202012Validator(_schema()).iter_errors(data):
        raise HarnessError(f"{PACKAGED}: at {error.json_path}: {error.message}")
    return tuple(_expectations(Listing(PACKAGED, tuple(data["deviations"]))))


def _expectations(listing: Listing) -> Iterator[Expectation]:
    for entry in listing.deviations:
        for name in entry["requirements"]:
            yield Expectation(
                name,
                VersionRange.of(dict(entry)),
                entry["reason"],
                entry["evidence"],
                entry.get("intermittent", False),
                listing.file,
            )
