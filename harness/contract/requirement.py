"""One promise of the documentation, as the catalogue holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.contract.versions import VersionRange
from harness.findings import Level


@dataclass(frozen=True, slots=True)
class Source:
    """Where the promise stands: a document of ``schemas/documents.json`` and its section."""

    document: str
    section: str
    title: str
    dated: str

    def __str__(self) -> str:
        return f"{self.title} ({self.dated}), section “{self.section}”"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which items of a capture a requirement speaks of.

    ``kind`` is ``metric`` or ``event`` (``name`` says which), ``metrics`` or
    ``events`` (every data point, every event), ``items`` (both), ``resources``,
    ``scopes`` (``name``: the signal), or ``exports`` (whole requests).
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class MutantSpec:
    """A lie that must be caught, in the terms of ``schemas/requirement.schema.json``.

    ``breaks`` holds every requirement that it breaks, the owner first.
    """

    owner: str
    number: int
    operation: Mapping[str, object]
    breaks: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.owner}~{self.number}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """``path`` leads from the selected item to the field, e.g. ``("attributes", "type")``;
    ``schema`` is the resolved JSON Schema of that field.  A requirement without a
    ``check`` waits for a scenario: ``awaits`` says which, for a reader."""

    name: str
    level: Level
    says: str
    source: Source
    versions: VersionRange
    selects: Selector
    path: tuple[str, ...] = ()
    schema: Mapping[str, object] | bool = True
    check: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    mutants: tuple[MutantSpec, ...] = ()
    awaits: str = ""
