"""Edit what came out at the first outlet of a capture, to tell a lie about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import observed
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.editing import ItemRef
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import Request
from ...otlp.model import Signal
from .observed import Passing

Edit = Callable[[ItemRef], object]
Lie = Callable[[Capture, Requirement], Capture]


def attributes(ref: ItemRef, kind: type, but: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an item of exactly this type that tell no item from others."""
    for key, value in ref.item.view["attributes"].items():
        if type(value) is kind and key not in (*but, "session.id", "event.name", "event.sequence"):
            yield key, value


def edited(
    capture: Capture,
    requirement: Requirement,
    edit: Edit,
    fits: Callable[[ItemRef], bool] = lambda ref: True,
) -> Capture:
    """Edit the last item that fits, of the requirement's signal, at the first outlet."""
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    for signal in [Signal(where["signal"])] if "signal" in where else Signal:
        try:
            return edited_of(capture, signal, edit, fits)
        except ValueError:
            continue
    raise ValueError(f"{capture.run.label}: nothing fitting came out")


def edited_of(
    capture: Capture, signal: Signal, edit: Edit, fits: Callable[[ItemRef], bool]
) -> Capture:
    export, message, ref = _found(capture, signal, fits)
    edit(ref)
    return instead(capture, export, rewritten(export, message))


def edited_all(capture: Capture, requirement: Requirement, edit: Edit) -> Capture:
    export, message, _ = last(capture, requirement, lambda ref: True)
    for ref in list(editing.item_refs(message)):
        edit(ref)
    return instead(capture, export, rewritten(export, message))


def edited_message(
    capture: Capture, requirement: Requirement, edit: Callable[[Request], object]
) -> Capture:
    export, message, _ = last(capture, requirement, lambda ref: True)
    edit(message)
    return instead(capture, export, rewritten(export, message))


def edited_resource(
    capture: Capture, requirement: Requirement, edit: Callable[[Any], object]
) -> Capture:
    return edited_message(
        capture,
        requirement,
        lambda message: edit(editing.groups(message)[0].resource.attributes),
    )


def edited_scopes(
    capture: Capture, requirement: Requirement, edit: Callable[[Any], object]
) -> Capture:
    def every(message: Request) -> None:
        for group in editing.groups(message):
            for scope in editing.scopes(group):
                edit(scope)

    return edited_message(capture, requirement, every)


def last(
    capture: Capture, requirement: Requirement, fits: Callable[[ItemRef], bool]
) -> tuple[Export, Request, ItemRef]:
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    return _found(capture, Signal(where.get("signal", Signal.LOGS)), fits)


def _found(
    capture: Capture, signal: Signal, fits: Callable[[ItemRef], bool]
) -> tuple[Export, Request, ItemRef]:
    """Return the last item that fits, with its message and export, at the first outlet."""
    passing = observed(capture.run, Passing)
    if passing is None:
        raise ValueError(f"{capture.run.label} let nothing pass through")
    for export in reversed(capture.exports):
        if export.collector != passing.outlets[0] or export.signal is not signal:
            continue
        message = copy_message(export)
        if message is None:
            continue
        for ref in reversed(list(editing.item_refs(message))):
            if fits(ref):
                return export, message, ref
    raise ValueError(f"{capture.run.label}: no such {signal} came out")


def setting(name: str, value: Any, what: str) -> Lie:
    """Make the lie of a field of a data point, log record, span or metric."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        def edit(ref: ItemRef) -> None:
            owner = ref.record if hasattr(ref.record, name) else ref.owner
            setattr(owner, name, value(getattr(owner, name)) if callable(value) else value)

        return edited(capture, requirement, edit)

    lie.__doc__ = what
    return lie


def putting(path: str, value: Any, what: str, was: Any = None) -> Lie:
    """Make the lie of a field as requirements name it, about an item that had ``was`` there."""
    steps = tuple(path.split("."))

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return edited(
            capture,
            requirement,
            lambda ref: editing.put(ref, steps, value),
            lambda ref: was is None or ref.item.at(steps) == was,
        )

    lie.__doc__ = what
    return lie


def clearing(name: str, what: str) -> Lie:
    """Make the lie of a repeated field of a span that is passed on empty."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return edited(
            capture,
            requirement,
            lambda ref: ref.record.ClearField(name),
            lambda ref: bool(getattr(ref.record, name, ())),
        )

    lie.__doc__ = what
    return lie
