"""Known deviations of real releases, listed as data with their versions and evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from jsonschema import Draft202012Validator

from harness.contract.files import read_json, schema_root
from harness.contract.versions import Version, VersionRange
from harness.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Expectation:
    """A listed deviation: ``requirement`` is known to fail on the releases of ``versions``.

    ``reason`` says how, ``evidence`` how it is known. An ``intermittent`` one depends on a race
    within the release: a run that does not show it proves nothing.
    """

    requirement: str
    versions: VersionRange
    reason: str
    evidence: str
    intermittent: bool = False


class Expectations:
    """The listed deviations that apply to one subject, by requirement."""

    def __init__(self, entries: Iterable[Expectation]) -> None:
        self._by_name: dict[str, Expectation] = {}
        for entry in entries:
            if entry.requirement in self._by_name:
                raise HarnessError(f"two expectations apply to {entry.requirement}")
            self._by_name[entry.requirement] = entry

    def get(self, requirement: str) -> Expectation | None:
        return self._by_name.get(requirement)

    def __len__(self) -> int:
        return len(self._by_name)


#: A subject without known deviations: the conforming emitter, or a stranger's.
NO_EXPECTATIONS = Expectations(())


def load_expectations(version: Version, *, names: Collection[str]) -> Expectations:
    """Read the deviations that are listed for a release.

    Raises :class:`HarnessError` for an entry about a requirement that is not in the catalogue
    (``names``), and where two entries apply at once.
    """
    entries = _entries()
    unknown = sorted({entry.requirement for entry in entries} - set(names))
    if unknown:
        raise HarnessError(f"expectations.json: no requirement is called {', '.join(unknown)}")
    return Expectations(entry for entry in entries if version in entry.versions)


@cache
def _entries() -> tuple[Expectation, ...]:
    root = schema_root()
    data = read_json(root / "expectations.json")
    schema = read_json(root / "expectations.schema.json")
    for error in Draft202012Validator(schema).iter_errors(data):
        raise HarnessError(f"expectations.json: at {error.json_path}: {error.message}")
    return tuple(
        Expectation(
            name,
            VersionRange.of(entry),
            entry["reason"],
            entry["evidence"],
            entry.get("intermittent", False),
        )
        for entry in data["deviations"]
        for name in entry["requirements"]
    )
