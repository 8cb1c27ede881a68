"""Store what a scenario observed in the run as JSON, and read it as a typed value.

``Run.observed`` holds JSON values by name. Only here are they made of an :class:`Observation` and
converted back, so that no name is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from .capture import Capture
from .run import Run
from .serialization import SerializationError, from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Observation:
    """Base of the frozen dataclasses that hold what a scenario observed.

    One with a ``NAME`` is stored under it, as an object. Of one without, each field is stored
    under the field's own name, and a field that is None is left out.
    """

    NAME: ClassVar[str] = ""


T = TypeVar("T", bound=Observation)


def names(kind: type[Observation]) -> frozenset[str]:
    """Return the names in ``Run.observed`` that belong to ``kind``."""
    return frozenset([kind.NAME] if kind.NAME else [field.name for field in fields(kind)])


def as_observed(value: Observation) -> dict[str, object]:
    """Convert ``value`` to JSON values by name."""
    plain: dict[str, object] = to_plain(value)
    if value.NAME:
        return {value.NAME: plain}
    return {name: member for name, member in plain.items() if member is not None}


def observed(run: Run, kind: type[T]) -> T | None:
    """Return what the scenario of ``run`` observed of ``kind``; None if it observed nothing.

    Raises :class:`ValueError` if a stored value does not fit ``kind``.
    """
    stored: Mapping[str, Any] = {
        name: run.observed[name] for name in names(kind) if name in run.observed
    }
    if not stored:
        return None
    where = f"{run.label}: observed{f'.{kind.NAME}' if kind.NAME else ''}"
    try:
        return from_plain(kind, stored[kind.NAME] if kind.NAME else dict(stored))
    except SerializationError as error:
        raise SerializationError(f"{where}: {error}") from None


def with_observed(capture: Capture, value: Observation) -> Capture:
    """Return ``capture`` with ``value`` in place of any earlier observation of its kind."""
    others = {
        name: stored
        for name, stored in capture.run.observed.items()
        if name not in names(type(value))
    }
    return replace(capture, run=replace(capture.run, observed={**others, **as_observed(value)}))


def edit_observed(capture: Capture, kind: type[T], edit: Callable[[T], T]) -> Capture:
    """Return ``capture`` with its observation of ``kind`` edited.

    Raises :class:`ValueError` if there is none.
    """
    value = observed(capture.run, kind)
    if value is None:
        raise ValueError(f"{capture.run.label} observed no {kind.__name__}")
    return with_observed(capture, edit(value))
