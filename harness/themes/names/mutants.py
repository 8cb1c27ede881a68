"""Lies about names: what nobody has heard of, what is renamed, and what vanishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...judging.items.item import EVERY, Kind
from ...mutants import editing
from ...mutants.editing import ItemRef
from ...mutants.rewriting import copy_message, rewritten
from ...otlp.model import Signal

Lie = Callable[[Capture, Requirement], Capture]

_UNHEARD_OF = "unheard_of"

#: An event whose loss few other promises speak of.
_VANISHING = "api_error"

#: Attributes of a tool's result that few promises miss: of newer releases, and of older ones.
_RENAMED = ("error_type", "tool_parameters")


def unheard_of_metric(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more metric, a copy of another, under a name that no document knows."""

    def add(message: Any, refs: Sequence[ItemRef]) -> None:
        for group in editing.groups(message):
            for scope in editing.scopes(group, Signal.METRICS):
                added = scope.metrics.add()
                added.CopyFrom(scope.metrics[0])
                added.name = f"claude_code.{_UNHEARD_OF}.count"
                return

    return _edited(capture, Kind.METRIC, add)


def unheard_of_event(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more event, a copy of the last, under a name that no document knows."""
    numbers = [
        int(event.attributes["event.sequence"])  # type: ignore[arg-type]
        for event in capture.events()
    ]

    def add(message: Any, refs: Sequence[ItemRef]) -> None:
        last = max(refs, key=lambda ref: ref.item.time_unix_nano)
        editing.repeat(last)
        added = last.siblings[-1]
        added.body.string_value = f"claude_code.{_UNHEARD_OF}"
        editing.put_attribute(added.attributes, "event.name", _UNHEARD_OF)
        editing.put_attribute(added.attributes, "event.sequence", max(numbers) + 1)

    return _edited(capture, Kind.EVENT, add)


def unheard_of_span_event(capture: Capture, requirement: Requirement) -> Capture:
    """Add to one span an event that no document knows."""

    def add(message: Any, refs: Sequence[ItemRef]) -> None:
        refs[-1].record.events.add(
            name=_UNHEARD_OF, time_unix_nano=refs[-1].record.start_time_unix_nano
        )

    return _edited(capture, Kind.SPAN, add)


def directory_everywhere(capture: Capture, requirement: Requirement) -> Capture:
    """Add the working directory to every item of the requirement's kind."""

    def add(message: Any, refs: Sequence[ItemRef]) -> None:
        for ref in refs:
            editing.put(ref, ("attributes", "cwd"), "/srv/project")

    return _edited(capture, EVERY[requirement.selects.kind], add, every=True)


def attribute_renamed(capture: Capture, requirement: Requirement) -> Capture:
    """Send an attribute under another name, without its text: that may be private there."""
    there = {key for event in capture.events() for key in event.attributes}
    for key in _RENAMED:
        if key in there:
            return _edited(capture, Kind.EVENT, _renaming(key), every=True)
    raise ValueError(f"{capture.run.label}: no event has {' or '.join(_RENAMED)}")


def _renaming(key: str) -> Callable[[Any, Sequence[ItemRef]], None]:
    def rename(message: Any, refs: Sequence[ItemRef]) -> None:
        for ref in refs:
            attributes = ref.item.view["attributes"]
            if key in attributes:
                editing.drop(ref, ("attributes", key))
                editing.put(ref, ("attributes", f"{key}_2"), "renamed")

    return rename


def an_event_vanishes(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out every event of one name."""
    if not capture.events(_VANISHING):
        raise ValueError(f"{capture.run.label} exported no {_VANISHING}")

    def leave_out(message: Any, refs: Sequence[ItemRef]) -> None:
        for ref in reversed(refs):
            if _VANISHING in ref.item.view["names"]:
                editing.remove(ref)

    return _edited(capture, Kind.EVENT, leave_out, every=True)


def scope_attribute(capture: Capture, requirement: Requirement) -> Capture:
    """Add the host's name to the instrumentation scopes of one signal."""
    signal = Signal(requirement.selects.name)
    if not any(export.signal is signal for export in capture.accepted):
        raise ValueError(f"{capture.run.label} exported no {signal}")

    def add(message: Any, refs: Sequence[ItemRef]) -> None:
        for group in editing.groups(message):
            for scope in editing.scopes(group, signal):
                editing.put_attribute(scope.scope.attributes, "host.name", "build-7")

    return _edited(capture, None, add, every=True)


def _edited(
    capture: Capture,
    kind: Kind | None,
    edit: Callable[[Any, Sequence[ItemRef]], None],
    *,
    every: bool = False,
) -> Capture:
    """Return ``capture`` with the last message edited that has items of ``kind``, or all of them.

    Raises ValueError if there is none.
    """
    exports = list(capture.exports)
    changed = False
    for index in reversed(range(len(exports))):
        message = copy_message(exports[index])
        if message is None or (changed and not every):
            continue
        refs = [ref for ref in editing.item_refs(message) if kind in (None, ref.item.kind)]
        if not refs:
            continue
        edit(message, refs)
        changed = True
        if editing.prune(message):
            exports[index] = rewritten(exports[index], message)
        else:
            del exports[index]
    if not changed:
        raise ValueError(f"{capture.run.label} exported no {kind}")
    return replace(capture, exports=tuple(exports))


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        unheard_of_metric,
        unheard_of_event,
        unheard_of_span_event,
        directory_everywhere,
        attribute_renamed,
        an_event_vanishes,
        scope_attribute,
    )
}
