"""The captures in which lies are told, by scenario, and the spots in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..capture.capture import Capture
from ..contract.applicability import JUDGED_ONLY_BY_NAME
from ..contract.requirement import DRAWN
from .fields import Field, Sent, Spot, having, requests, spots

#: Ordinary sessions come first: a lie in one of them concerns most users.
ORDINARY = ("working_day", "toolbox", "terminal_day", "toolbox_details", "api_failures", "identity")


class Stage:
    """The captures in which lies are told, and the spots in them, each found once.

    ``same`` are the groups of fields that say the same in several places: each maps the name of a
    field to the attributes that select its items.
    """

    def __init__(
        self, captures: Sequence[Capture], fields: Sequence[Field], same: Sequence[Same] = ()
    ) -> None:
        self.captures = tuple(captures)
        self.fields = {field.name: field for field in fields}
        self.same = tuple(same)
        self._sent: dict[int, tuple[Sent, ...]] = {}
        self._spots: dict[tuple[int, Field], tuple[Spot, ...]] = {}
        told = [capture for capture in captures if DRAWN not in capture.run.traits]
        names = sorted(
            {capture.run.scenario for capture in told},
            key=lambda name: (ORDINARY.index(name) if name in ORDINARY else len(ORDINARY), name),
        )
        self.members = {
            name: tuple(capture for capture in told if capture.run.scenario == name)
            for name in names
        }

    def scenarios(self, field: Field) -> Mapping[str, Sequence[Capture]]:
        """Return the runs in which lies about a field are told, by scenario.

        What is judged only by name is so for its requests, and shows nothing else.
        """
        return {
            name: members
            for name, members in self.members.items()
            if field.selects.kind == "exports" or JUDGED_ONLY_BY_NAME not in members[0].run.traits
        }

    def spots(self, capture: Capture, field: Field) -> tuple[Spot, ...]:
        """Return the spots of a field in a capture, in the order of their keys."""
        key = (id(capture), field)
        if key not in self._spots:
            if id(capture) not in self._sent:
                self._sent[id(capture)] = requests(capture)
            self._spots[key] = spots(self._sent[id(capture)], field)
        return self._spots[key]

    def others(self, capture: Capture, field: Field, *, session: bool) -> Iterator[Capture]:
        """Yield the runs of other scenarios (``session``), or those over other protocols."""
        for members in self.scenarios(field).values():
            for other in members:
                same = other.run.scenario == capture.run.scenario
                if session and not same and other.run.protocol == capture.run.protocol:
                    yield other
                if not session and same and other is not capture:
                    yield other

    def values(self, field: Field) -> list[Any]:
        """Return the distinct values of a field in all runs, in a fixed order."""
        found = {
            repr(spot.value): spot.value
            for members in self.scenarios(field).values()
            for capture in members
            for spot in having(self.spots(capture, field))
        }
        return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class Same:
    """Fields that say the same in several places: attributes that select the items, by field."""

    members: Mapping[str, Mapping[str, str]]
