"""Declare fields and events that a theme adds to the sessions of the conforming emitter.

A theme whose promises are about a new field or a new event adds it to the emitter in
its own folder (``emitted.py``, ``EMITTED``). Like everything in this package, this is an
independent reading of the documents: it must not be derived from ``schemas/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.versions import Version
from .attributes import Attributes
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that the emitter logs, with the context that added fields may use.

    ``name`` is without its prefix, ``attributes`` are the event's own. ``prompt`` is
    the whole text of a prompt, redacted or not, if one was submitted; ``folder`` is the
    working directory of the session.
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

    After each event ``after``, ``records`` returns the attributes of every ``event`` that
    follows it; nothing if there is none.
    """

    event: str
    after: str
    since: str
    records: Callable[[Logged], Iterable[Attributes]]


@dataclass(frozen=True, slots=True)
class AlwaysKept:
    """A promise of release ``since`` that the emitter keeps in every release.

    ``what`` describes it: there is nothing to add.
    """

    since: str
    what: str


Addition = AddedFields | AddedEvent | AlwaysKept


class Additions:
    """The additions that hold for one release."""

    def __init__(self, every: Sequence[Addition], version: Version) -> None:
        self._every = [addition for addition in every if version >= Version.parse(addition.since)]

    def fields(self, logged: Logged) -> Attributes:
        """Return the attributes that are added to ``logged``."""
        more: Attributes = {}
        for addition in self._every:
            if isinstance(addition, AddedFields) and addition.event == logged.name:
                more |= addition.attributes(logged)
        return more

    def events(self, logged: Logged) -> list[tuple[str, Attributes]]:
        """Return the further events that follow ``logged``, each with its attributes."""
        return [
            (addition.event, attributes)
            for addition in self._every
            if isinstance(addition, AddedEvent) and addition.after == logged.name
            for attributes in addition.records(logged)
        ]
