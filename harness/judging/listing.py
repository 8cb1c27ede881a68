"""Read a list of accepted deviations, ours or somebody's own, and reject what is none."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ..contract.files import JsonObject, read_json, schema_root
from ..contract.versions import VersionRange
from ..errors import UsageError

#: The list that comes with us.
PACKAGED = "schemas/expectations.json"

#: The version of the schema that a list may name.
FORMAT = 1

#: How the name of a difference in a promise begins, as ``cc-harness diff`` prints it.
PROMISE = "promise "

_SHAPE = '{"deviations": [{"requirements": [...], "reason": ..., "evidence": ...}]}'

#: What is expected of a field whose pattern says little to a reader.
_EXPECTED: Mapping[str, str] = {
    "reason": "a sentence of 20 characters or more that says why the deviation is accepted",
    "evidence": "a sentence of 20 characters or more that says what was run and seen",
    "since": "a release such as 2.1.332",
    "until": "a release such as 2.1.332",
    "newest_measured": "a release such as 2.1.332",
    "expires": "a day such as 2027-03-31",
    "differences": "names as cc-harness diff prints them, such as 'event at_mention: gone'",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of known deviations that somebody keeps, with the entries as it has them.

    ``file`` is what reports call it. An entry is as ``schemas/expectations.schema.json`` describes.
    ``newest_measured`` is the newest release that the list speaks for; empty: for all.
    """

    file: str = ""
    deviations: tuple[Mapping[str, Any], ...] = ()
    newest_measured: str = ""

    @property
    def names_releases(self) -> bool:
        """Whether the list, or an entry of it, holds for some releases only."""
        return bool(self.newest_measured) or any(
            "since" in entry or "until" in entry for entry in self.deviations
        )


#: Nobody keeps a list of their own.
NO_LISTING = Listing()


def parse_listing(text: str, shown: str) -> Listing:
    """Read the text of a list of known deviations; messages call its file ``shown``.

    Raises UsageError for a text that is not as the schema says, for a range that holds no
    release, and for a day that is not in the calendar.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(shown, seen=f"no JSON ({error})", expected="a JSON file") from None
    if isinstance(data, dict) and data.get("format", FORMAT) != FORMAT:
        raise UsageError(
            f"{shown} at $.format",
            seen=f"format {data['format']!r}",
            expected=f"format {FORMAT}, the one that this version of pytest-cc-otel reads",
        )
    wrong = best_match(Draft202012Validator(_schema()).iter_errors(data))
    if wrong is not None:
        raise UsageError(
            f"{shown} at {wrong.json_path}", seen=wrong.message, expected=_expected(wrong)
        )
    for number, entry in enumerate(data["deviations"]):
        for problem in _impossible(entry, f"{shown} at $.deviations[{number}]"):
            raise problem
    return Listing(shown, tuple(data["deviations"]), data.get("newest_measured", ""))


def known_names(listing: Listing, names: Collection[str]) -> None:
    """Raise UsageError if the list is about a requirement that is none of ``names``."""
    unknown = [name for name in dict.fromkeys(names_in(listing)) if name not in names]
    if unknown:
        near = get_close_matches(unknown[0], names, 1)
        raise UsageError(
            listing.file,
            seen=", ".join(unknown),
            expected=f"names of requirements{f', such as {near[0]}' if near else ''}",
        )


def expired(expires: str, today: date | None) -> bool:
    """Say whether an entry no longer excuses; the day that it names is the last on which it does.

    Without such a day (an empty text), and on no day (None), it always excuses.
    """
    return today is not None and bool(expires) and date.fromisoformat(expires) < today


def names_in(listing: Listing) -> Iterator[str]:
    """Yield the names of all requirements that a list is about, promises in differences too."""
    for entry in listing.deviations:
        yield from entry.get("requirements", ())
        for name in entry.get("differences", ()):
            if name.startswith(PROMISE):
                yield name.removeprefix(PROMISE).partition(":")[0]


def _impossible(entry: Mapping[str, Any], where: str) -> Iterator[UsageError]:
    """Yield an error for what the schema cannot say of an entry."""
    try:
        VersionRange.of(dict(entry))
    except ValueError:
        yield UsageError(
            where,
            seen=f"since {entry['since']}, until {entry['until']}",
            expected="a range with a release in it: until is the first release after it",
        )
    try:
        date.fromisoformat(entry.get("expires", "2027-03-31"))
    except ValueError as error:
        yield UsageError(
            f"{where}.expires", seen=f"{entry['expires']} ({error})", expected=_EXPECTED["expires"]
        )


def _expected(wrong: ValidationError) -> str:
    fields = [part for part in wrong.absolute_path if isinstance(part, str)]
    told = _EXPECTED.get(fields[-1]) if fields else None
    return told or f"{_SHAPE}, as schemas/expectations.schema.json describes it"


@cache
def _schema() -> JsonObject:
    return read_json(schema_root() / "expectations.schema.json")


@cache
def packaged_listing() -> Listing:
    """Return the list that comes with us.  Raises UsageError for a broken one."""
    text = (schema_root() / "expectations.json").read_text(encoding="utf-8")
    return parse_listing(text, PACKAGED)
