"""A requirement: one promise of the documentation, as the catalogue holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..findings import Impact, Level
from ..otlp.model import Signal
from .versions import VersionRange

#: The trait of a run whose input was drawn: there are many of one scenario, over whichever
#: protocol.
DRAWN = "drawn"

#: The signal that carries what a selector of this kind selects.
_CARRIED_BY = {
    "metric": Signal.METRICS,
    "metrics": Signal.METRICS,
    "event": Signal.LOGS,
    "events": Signal.LOGS,
    "span": Signal.TRACES,
    "spans": Signal.TRACES,
}


@dataclass(frozen=True, slots=True)
class Source:
    """The document of ``schemas/documents.json`` and the section that make the promise.

    ``url`` leads to that section; it is empty for what this project measured itself.
    """

    document: str
    section: str
    title: str
    dated: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.title} ({self.dated}), section “{self.section}”"


@dataclass(frozen=True, slots=True)
class Selector:
    """Selects the items of a capture that a requirement applies to.

    ``kind`` is ``metric``, ``event`` or ``span`` (``name`` says which), ``metrics``, ``events``
    or ``spans`` (every data point, event or span), ``items`` (every data point and every event),
    ``resources``, ``scopes`` (``name``: the signal), ``exports`` (whole requests), or
    ``measured`` (``name``: the measure, see :mod:`harness.themes.catalogue`).
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def signal(self) -> Signal | None:
        """The one signal that carries the selected items; None if any of them may."""
        return Signal(self.name) if self.kind == "scopes" else _CARRIED_BY.get(self.kind)


@dataclass(frozen=True, slots=True)
class MutantSpec:
    """A lie that must be caught, in the terms of ``schemas/contract.schema.json``.

    ``breaks`` holds every requirement that it breaks, the owner first; ``may`` those that it breaks
    besides where the item that is lied about happens to be followed by another of its session.
    """

    owner: str
    number: int
    operation: Mapping[str, object]
    breaks: tuple[str, ...]
    may: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.owner}~{self.number}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One promise of the contract, and how it is checked.

    ``path`` leads from the selected item to the field, e.g. ``("attributes", "type")``;
    ``schema`` is the resolved JSON Schema of that field. ``measured`` says how it is known that
    ``versions`` begin before the document that states the promise; empty if they do not.
    ``impact`` is what people lose where it is broken, ``advice`` what to do then.

    It is judged in the runs of ``scenarios`` (empty: of all) that match ``given``: an upper-case
    key is an environment variable and its value (None: not set), any other key is a trait of the
    run, and its value whether the run has it.
    """

    name: str
    level: Level
    statement: str
    source: Source
    versions: VersionRange
    selects: Selector
    check: str
    path: tuple[str, ...] = ()
    schema: Mapping[str, object] | bool = True
    params: Mapping[str, object] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()
    given: Mapping[str, str | bool | None] = field(default_factory=dict)
    protocols: tuple[str, ...] = ()
    mutants: tuple[MutantSpec, ...] = ()
    measured: str = ""
    impact: Impact = Impact.NUMBERS
    advice: str = ""

    @property
    def exercised_by(self) -> str:
        """The runs in which the requirement is judged, in words."""
        if not self.scenarios and not self.given:
            return "every run"
        runs = f"runs of {', '.join(self.scenarios)}" if self.scenarios else "runs"
        given = [_in_words(key, value) for key, value in self.given.items()]
        return f"{runs} {', '.join(given)}".strip()


def _in_words(key: str, value: str | bool | None) -> str:
    if isinstance(value, bool):
        word, trait = ("with" if value else "without"), key.replace("_", " ")
        if trait.startswith("without "):  # without without metrics: with them
            word, trait = ("without" if value else "with"), trait.removeprefix("without ")
        return f"{word} {trait}"
    return f"without {key}" if value is None else f"with {key}={value}"
