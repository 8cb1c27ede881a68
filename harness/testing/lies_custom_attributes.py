"""Lies about OTEL_RESOURCE_ATTRIBUTES: pairs lost, changed, made up, or put over others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.baggage.pairs import Reading, read
from harness.capture.capture import Capture
from harness.checks.fields import chosen
from harness.checks.measures.custom_attributes import VARIABLE
from harness.checks.view import CaptureView
from harness.contract.requirement import Requirement
from harness.testing import editing
from harness.testing.rewriting import copy_message, rewritten

#: Attributes, to be edited as the text was read.
_Edit = Callable[[Any, Reading], None]


def attribute_lost(capture: Capture, requirement: Requirement) -> Capture:
    """The first pair does not arrive."""
    return _edited(capture, requirement, lambda found, reading: _drop(found, _first(reading)))


def attribute_changed(capture: Capture, requirement: Requirement) -> Capture:
    """The first pair arrives with another value."""

    def change(found: Any, reading: Reading) -> None:
        key = _first(reading)
        editing.put_attribute(found, key, f"{reading.attributes[key]}%20")

    return _edited(capture, requirement, change)


def attribute_added(capture: Capture, requirement: Requirement) -> Capture:
    """An attribute arrives that nobody gave."""
    return _edited(
        capture,
        requirement,
        lambda found, reading: editing.put_attribute(found, "made.up", "x"),
    )


def attribute_kept(capture: Capture, requirement: Requirement) -> Capture:
    """What is malformed arrives as if it were a pair."""

    def keep(found: Any, reading: Reading) -> None:
        for member in reading.members:
            if not member.well_formed:
                editing.put_attribute(found, member.key, member.value)

    return _edited(capture, requirement, keep)


def attribute_overridden(capture: Capture, requirement: Requirement) -> Capture:
    """A pair takes the place of what the CLI says itself."""

    def override(found: Any, reading: Reading) -> None:
        for key, value in reading.attributes.items():
            editing.put_attribute(found, key, value)

    return _edited(capture, requirement, override)


def _edited(capture: Capture, requirement: Requirement, edit: _Edit) -> Capture:
    """The capture with ``edit`` made to the attributes at each place that the requirement
    speaks of; unchanged where it speaks of none."""
    places = [item.view for item in chosen(requirement, CaptureView(capture))]
    reading = read(capture.run.environment.get(VARIABLE, ""))
    places = [place for place in places if reading.members]
    if not places:
        return capture
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


def _first(reading: Reading) -> str:
    return next(iter(reading.attributes), "")


def _drop(attributes: Any, key: str) -> None:
    if any(each.key == key for each in attributes):
        editing.drop_attribute(attributes, key)


LIES: Mapping[str, Callable[[Capture, Requirement], Capture]] = {
    lie.__name__: lie
    for lie in (
        attribute_lost,
        attribute_changed,
        attribute_added,
        attribute_kept,
        attribute_overridden,
    )
}
