"""Lies about free-form variables: pairs lost, changed, made up, or put over others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.contract.attribute_keys import item_keys, own_keys, resource_keys
from harness.contract.requirement import Requirement
from harness.env_lists.pairs import Reading, read
from harness.judging.checks.fields import chosen
from harness.judging.items.measured import by_name
from harness.judging.items.view import CaptureView
from harness.mutants import editing
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.model import Signal
from harness.themes.free_form import custom_attributes, static_headers
from harness.themes.free_form.measures import MEASURES

#: Attributes, to be edited as the text was read.
_Edit = Callable[[Any, Reading], None]

_OTHER = "made up"


def attribute_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Lose the first pair."""
    return _edited(capture, requirement, lambda found, reading: _drop(found, _first(reading)))


def attributes_lost(capture: Capture, requirement: Requirement) -> Capture:
    """No pair arrives."""

    def lose(found: Any, reading: Reading) -> None:
        for key in reading.attributes.keys() - own_keys():
            _drop(found, key)

    return _edited(capture, requirement, lose)


def attribute_changed(capture: Capture, requirement: Requirement) -> Capture:
    """Change the value of the first pair."""

    def change(found: Any, reading: Reading) -> None:
        if key := _first(reading):
            editing.put_attribute(found, key, f"{reading.attributes[key]}%20")

    return _edited(capture, requirement, change)


def attribute_added(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute that nobody gave."""
    return _edited(
        capture,
        requirement,
        lambda found, reading: editing.put_attribute(found, "made.up", "x"),
    )


def attributes_kept(capture: Capture, requirement: Requirement) -> Capture:
    """Every pair arrives, and what is malformed as if it were one."""

    def keep(found: Any, reading: Reading) -> None:
        for member in reading.members:
            editing.put_attribute(found, member.key, member.value)

    return _edited(capture, requirement, keep)


def own_overridden(capture: Capture, requirement: Requirement) -> Capture:
    """Let a pair take the place of an attribute that every resource, or every item, has itself."""
    own = resource_keys().required | item_keys().required

    def override(found: Any, reading: Reading) -> None:
        for key in reading.attributes.keys() & own:
            editing.put_attribute(found, key, reading.attributes[key])

    return _edited(capture, requirement, override)


def first_attribute_kept(capture: Capture, requirement: Requirement) -> Capture:
    """Of several pairs only the first arrives."""

    def keep(found: Any, reading: Reading) -> None:
        for key in reading.attributes:
            _drop(found, key)
        if key := _first(reading):
            editing.put_attribute(found, key, reading.attributes[key])

    return _edited(capture, requirement, keep)


def own_attributes_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Events lose attributes of their own."""
    if not _selects_something(requirement, capture):
        return capture
    exports = []
    for export in capture.exports:
        message = copy_message(export) if export.signal is Signal.LOGS else None
        for place in editing.places(message) if message is not None else ():
            _drop(place.record.attributes, "session.id")
        exports.append(export if message is None else rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def header_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the first header."""
    return _sent(
        capture,
        requirement,
        lambda headers, name: [each for each in headers if each[0].lower() != name],
    )


def header_changed(capture: Capture, requirement: Requirement) -> Capture:
    """Send the first header with another value."""
    return _sent(
        capture,
        requirement,
        lambda headers, name: [
            (each, _OTHER if each.lower() == name else value) for each, value in headers
        ],
    )


def requests_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Nothing is exported."""
    return replace(capture, exports=()) if _selects_something(requirement, capture) else capture


def session_lost(capture: Capture, requirement: Requirement) -> Capture:
    """End the session with an error before its work, and export nothing."""
    if not _selects_something(requirement, capture):
        return capture
    truth = replace(capture.run.truth, api_calls=(), prompts=())
    return replace(capture, run=replace(capture.run, exit_code=1, truth=truth), exports=())


def _selects_something(requirement: Requirement, capture: Capture) -> bool:
    """Whether the capture has an item for the requirement: without one there is no lie."""
    return bool(chosen(requirement, _view(capture)))


def _edited(capture: Capture, requirement: Requirement, edit: _Edit) -> Capture:
    """Return the capture with ``edit`` made to the attributes at each place that matters.

    These are the places that the requirement is about; unchanged where it is about none.

    Unchanged where it is about none.
    """
    places = [item.view for item in chosen(requirement, _view(capture))]
    if not places:
        return capture
    reading = read(capture.run.environment[custom_attributes.VARIABLE])
    exports = []
    for export in capture.exports:
        message = copy_message(export)
        for place in places if message is not None else ():
            if place["signal"] == export.signal:
                for attributes in _attributes(message, place["kind"]):
                    edit(attributes, reading)
        exports.append(export if message is None else rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def _attributes(message: Any, kind: str) -> list[Any]:
    if kind == "resource":
        return [group.resource.attributes for group in editing.groups(message)]
    return [place.record.attributes for place in editing.places(message)]


def _sent(
    capture: Capture,
    requirement: Requirement,
    edit: Callable[[list[tuple[str, str]], str], list[tuple[str, str]]],
) -> Capture:
    """Return the capture with ``edit`` made to the headers of each request it is about.

    ``edit`` is given the name of the text's first header.
    """
    signals = {item.view["signal"] for item in chosen(requirement, _view(capture))}
    if not signals:
        return capture
    name = _first(read(capture.run.environment[static_headers.VARIABLE])).lower()

    def told(export: Export) -> Export:
        if export.signal not in signals:
            return export
        return replace(export, headers=tuple(edit(list(export.headers), name)))

    return replace(capture, exports=tuple(map(told, capture.exports)))


def _first(reading: Reading) -> str:
    """Return the first key that is no one else's; empty where there is none."""
    keys = (key for key in reading.attributes if key not in own_keys())
    return next(keys, "")


def _drop(attributes: Any, key: str) -> None:
    if any(each.key == key for each in attributes):
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
