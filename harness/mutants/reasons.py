"""Read why some lies are not caught, and which fields say the same, from docs/power.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from .power import Result
from .stage import Same
from .telling import KINDS

#: The lists of an entry; what is left out speaks of everything.
_LISTS = ("fields", "kinds", "extents", "subjects", "scenarios")


@dataclass(frozen=True)
class Entry:
    """A reason for blanks, or an open one; ``number`` is how the page refers to it.

    An ``intermittent`` one is about lies that are caught or not as the machine was fast or slow.
    """

    number: int
    is_open: bool
    fields: tuple[str, ...]
    kinds: tuple[str, ...]
    why: str
    extents: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    intermittent: bool = False

    @property
    def mark(self) -> str:
        """How the page refers to it."""
        return f"{'?' if self.is_open else 'r'}{self.number}"

    def covers(self, subject: str, field: str, kind: str) -> bool:
        """Return whether it is about lies of this kind, about this field, told by this subject."""
        return (
            (not self.subjects or subject in self.subjects)
            and any(_matches(pattern, kind) for pattern in self.kinds)
            and self.is_about(field)
        )

    def is_about(self, field: str) -> bool:
        """Return whether it is about lies about this field."""
        return any(_matches(pattern, field) for pattern in self.fields)

    def explains(self, subject: str, field: str, kind: str, result: Result) -> bool:
        """Return whether it says why this lie is not caught."""
        return (
            self.covers(subject, field, kind)
            and (not self.extents or result.extent in self.extents)
            and (not self.scenarios or result.scenario in self.scenarios)
        )


@dataclass(frozen=True)
class Reasons:
    """What docs/power.json holds."""

    same: Sequence[Same]
    entries: Sequence[Entry]

    @classmethod
    def read(cls, path: Path) -> Reasons:
        """Read the file; its schema stands beside it. Raises ValueError for an unknown kind."""
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        schema = json.loads((path.parent / "power.schema.json").read_text(encoding="utf-8"))
        Draft202012Validator(schema).validate(data)
        entries = [
            Entry(
                number,
                is_open=key == "open",
                intermittent=entry.get("intermittent", False),
                why=entry["why"],
                **{name: tuple(entry.get(name, ())) for name in _LISTS},
            )
            for key in ("reasons", "open")
            for number, entry in enumerate(data[key], start=1)
        ]
        unknown = {kind for entry in entries for kind in entry.kinds if not _some(KINDS, kind)}
        if unknown:
            raise ValueError(f"{path}: no kind of lie is called {', '.join(sorted(unknown))}")
        return cls(tuple(Same(members) for members in data["same"]), tuple(entries))

    def of(self, subject: str, field: str, kind: str, result: Result) -> Entry | None:
        """Return the first entry that explains a lie that was not caught."""
        for entry in self.entries:
            if entry.explains(subject, field, kind, result):
                return entry
        return None


def _some(names: Iterable[str], pattern: str) -> bool:
    return any(_matches(pattern, name) for name in names)


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
