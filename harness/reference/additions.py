"""Say what a theme adds to the sessions of the conforming emitter.

A theme whose promises are about a new field or a new event teaches it to the emitter in
its own folder (``emitted.py``, ``EMITTED``).  As everywhere in this room, what it says is
a reading of the documents of its own: ``schemas/`` must not be read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.contract.versions import Version
from harness.reference.attributes import Attributes
from harness.reference.settings import Settings


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that the emitter logs, and what it knows beside it.

    ``name`` comes without its prefix, ``attributes`` are the event's own.  ``prompt`` is
    the whole text of a prompt, redacted or not, where one was submitted; ``folder`` is
    where the session works.
    """

    name: str
    attributes: Attributes
    prompt: str
    settings: Settings
    folder: Path


@dataclass(frozen=True, slots=True)
class AddedFields:
    """More attributes of the event ``event``, from release ``since`` on."""

    event: str
    since: str
    attributes: Callable[[Logged], Attributes]


@dataclass(frozen=True, slots=True)
class AddedEvent:
    """One more kind of event, from release ``since`` on.

    Each time that an event ``after`` has been logged, ``records`` gives the attributes of
    every ``event`` that follows it; of none, if none does.
    """

    event: str
    after: str
    since: str
    records: Callable[[Logged], Iterable[Attributes]]


@dataclass(frozen=True, slots=True)
class AlwaysKept:
    """What the documents promise from release ``since`` on, and the emitter does in each.

    ``what`` says it in words: there is nothing to add.
    """

    since: str
    what: str


Addition = AddedFields | AddedEvent | AlwaysKept


class Additions:
    """Apply the additions that hold for one release."""

    def __init__(self, every: Sequence[Addition], version: Version) -> None:
        self._every = [each for each in every if version >= Version.parse(each.since)]

    def fields(self, logged: Logged) -> Attributes:
        """Return the further attributes of ``logged``."""
        more: Attributes = {}
        for each in self._every:
            if isinstance(each, AddedFields) and each.event == logged.name:
                more |= each.attributes(logged)
        return more

    def events(self, logged: Logged) -> list[tuple[str, Attributes]]:
        """Return the further events that follow ``logged``, each with its attributes."""
        return [
            (each.event, attributes)
            for each in self._every
            if isinstance(each, AddedEvent) and each.after == logged.name
            for attributes in each.records(logged)
        ]
