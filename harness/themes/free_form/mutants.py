"""Lies about free-form variables: pairs lost, changed, invented, or set over other attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...contract.attribute_keys import item_keys, own_keys, resource_keys
from ...contract.requirement import Requirement
from ...env_lists.pairs import Reading, read
from ...judging.checks.fields import chosen
from ...judging.items.measured import by_name
from ...judging.items.view import CaptureView
from ...mutants import editing
from ...mutants.rewriting import copy_message, rewritten
from ...otlp.model import Signal
from . import custom_attributes, static_headers
from .measures import MEASURES

#: Attributes, to be edited as the text was read.
_Edit = Callable[[Any, Reading], None]

_OTHER = "made up"


def attribute_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out the first pair of the variable."""
    return _edited(
        capture, requirement, lambda attributes, reading: _drop(attributes, _first(reading))
    )


def attributes_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out every pair of the variable."""

    def lose(attributes: Any, reading: Reading) -> None:
        for key in reading.attributes.keys() - own_keys():
            _drop(attributes, key)

    return _edited(capture, requirement, lose)


def attribute_changed(capture: Capture, requirement: Requirement) -> Capture:
    """Change the value of the first pair."""

    def change(attributes: Any, reading: Reading) -> None:
        if key := _first(reading):
            editing.put_attribute(attributes, key, f"{reading.attributes[key]}%20")

    return _edited(capture, requirement, change)


def attribute_added(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute that the variable does not hold."""
    return _edited(
        capture,
        requirement,
        lambda attributes, reading: editing.put_attribute(attributes, "made.up", "x"),
    )


def attributes_kept(capture: Capture, requirement: Requirement) -> Capture:
    """Set every pair as an attribute, the malformed ones included."""

    def keep(attributes: Any, reading: Reading) -> None:
        for member in reading.members:
            editing.put_attribute(attributes, member.key, member.value)

    return _edited(capture, requirement, keep)


def own_overridden(capture: Capture, requirement: Requirement) -> Capture:
    """Let pairs override the attributes that the CLI sets on every resource or item."""
    own = resource_keys().required | item_keys().required

    def override(attributes: Any, reading: Reading) -> None:
        for key in reading.attributes.keys() & own:
            editing.put_attribute(attributes, key, reading.attributes[key])

    return _edited(capture, requirement, override)


def first_attribute_kept(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out every pair but the first."""

    def keep(attributes: Any, reading: Reading) -> None:
        for key in reading.attributes:
            _drop(attributes, key)
        if key := _first(reading):
            editing.put_attribute(attributes, key, reading.attributes[key])

    return _edited(capture, requirement, keep)


def own_attributes_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave ``session.id`` out of the events."""
    if not _selects_something(requirement, capture):
        return capture
    exports = []
    for export in capture.exports:
        message = copy_message(export) if export.signal is Signal.LOGS else None
        for ref in editing.item_refs(message) if message is not None else ():
            _drop(ref.record.attributes, "session.id")
        exports.append(export if message is None else rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def header_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out the first header of the variable."""
    return _sent(
        capture,
        requirement,
        lambda headers, name: [header for header in headers if header[0].lower() != name],
    )


def header_changed(capture: Capture, requirement: Requirement) -> Capture:
    """Send the first header of the variable with another value."""
    return _sent(
        capture,
        requirement,
        lambda headers, name: [
            (key, _OTHER if key.lower() == name else value) for key, value in headers
        ],
    )


def requests_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing."""
    return replace(capture, exports=()) if _selects_something(requirement, capture) else capture


def session_lost(capture: Capture, requirement: Requirement) -> Capture:
    """End the session with an error before its work, and export nothing."""
    if not _selects_something(requirement, capture):
        return capture
    truth = replace(capture.run.truth, api_calls=(), prompts=())
    return replace(capture, run=replace(capture.run, exit_code=1, truth=truth), exports=())


def _selects_something(requirement: Requirement, capture: Capture) -> bool:
    """Return whether the capture has an item for the requirement, and so something to lie about."""
    return bool(chosen(requirement, _view(capture)))


def _edited(capture: Capture, requirement: Requirement, edit: _Edit) -> Capture:
    """Return the capture with ``edit`` made to the attributes that the requirement is about.

    Those are the attributes of the places (resource or labels) that it selects. If it selects
    none, the capture is returned unchanged.
    """
    views = [item.view for item in chosen(requirement, _view(capture))]
    if not views:
        return capture
    reading = read(capture.run.environment[custom_attributes.VARIABLE])
    exports = []
    for export in capture.exports:
        message = copy_message(export)
        for view in views if message is not None else ():
            if view["signal"] == export.signal:
                for attributes in _attributes(message, view["kind"]):
                    edit(attributes, reading)
        exports.append(export if message is None else rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def _attributes(message: Any, kind: str) -> list[Any]:
    if kind == "resource":
        return [group.resource.attributes for group in editing.groups(message)]
    return [ref.record.attributes for ref in editing.item_refs(message)]


def _sent(
    capture: Capture,
    requirement: Requirement,
    edit: Callable[[list[tuple[str, str]], str], list[tuple[str, str]]],
) -> Capture:
    """Return the capture with ``edit`` made to the headers of requests the requirement is about.

    ``edit`` is given the name of the text's first header. If the requirement selects nothing, the
    capture is returned unchanged.
    """
    signals = {item.view["signal"] for item in chosen(requirement, _view(capture))}
    if not signals:
        return capture
    name = _first(read(capture.run.environment[static_headers.VARIABLE])).lower()

    def edited(export: Export) -> Export:
        if export.signal not in signals:
            return export
        return replace(export, headers=tuple(edit(list(export.headers), name)))

    return replace(capture, exports=tuple(map(edited, capture.exports)))


def _first(reading: Reading) -> str:
    """Return the first key of the text that the CLI does not use itself; empty if there is none."""
    keys = (key for key in reading.attributes if key not in own_keys())
    return next(keys, "")


def _drop(attributes: Any, key: str) -> None:
    if any(attribute.key == key for attribute in attributes):
        editing.drop_attribute(attributes, key)


def _view(capture: Capture) -> CaptureView:
    return CaptureView(capture, by_name(*MEASURES))


LIES: Mapping[str, Callable[[Capture, Requirement], Capture]] = {
    lie.__name__: lie
    for lie in (
        attribute_lost,
        attributes_lost,
        attribute_changed,
        attribute_added,
        attributes_kept,
        first_attribute_kept,
        own_overridden,
        own_attributes_lost,
        header_lost,
        header_changed,
        requests_lost,
        session_lost,
    )
}
