"""Lies about what passed through: one outlet of a faithful relay loses, changes or makes up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...capture.export import SENT
from ...capture.observed import edit_observed, observed
from ...capture.run import Secret
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.editing import ItemRef
from ...otlp.messages import Request
from ...otlp.model import Signal
from .downstream_mutants import LIES as DOWNSTREAM_LIES
from .edits import (
    Lie,
    attributes,
    edited,
    edited_all,
    edited_message,
    edited_of,
    edited_resource,
    edited_scopes,
    last,
)
from .field_mutants import LIES as FIELD_LIES
from .observed import Change, Duty, Passing

_MS = 1_000_000
#: What a lie adds to a relay's own attributes.
_STRANGE = "relay.note"


def drops_one(capture: Capture, requirement: Requirement) -> Capture:
    """Lose one item."""
    return edited(capture, requirement, editing.remove)


def doubles_one(capture: Capture, requirement: Requirement) -> Capture:
    """Pass one item on twice."""
    return edited(capture, requirement, editing.repeat)


def makes_one_up(capture: Capture, requirement: Requirement) -> Capture:
    """Pass on an item that nobody sent."""

    def edit(ref: ItemRef) -> None:
        made = ref.siblings.add()
        made.CopyFrom(ref.record)
        del made.attributes[:]
        editing.put_attribute(made.attributes, "session.id", "nobody's")
        if ref.owner is not ref.record:
            made.as_double = 77.0
            made.start_time_unix_nano += 5 * _MS
            made.time_unix_nano += 7 * _MS
        elif hasattr(made, "body"):
            made.body.string_value = "nobody's"
            made.time_unix_nano += 7 * _MS
            made.observed_time_unix_nano += 7 * _MS
            made.severity_number = 21
        else:
            made.name = "nobody's"
            made.trace_id, made.span_id = b"\x07" * 16, b"\x07" * 8
            made.start_time_unix_nano += 5 * _MS
            made.end_time_unix_nano += 7 * _MS

    return edited(capture, requirement, edit)


def turns_away(capture: Capture, requirement: Requirement) -> Capture:
    """Refuse every request of a signal, of which nothing comes out."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    exports = [
        replace(export, status=404, rejected="no pipeline for it")
        for export in capture.exports
        if export.signal == where["signal"] and export.collector == SENT
    ]
    others = [export for export in capture.exports if export.signal != where["signal"]]
    return replace(capture, exports=(*exports, *others))


def stringifies(capture: Capture, requirement: Requirement) -> Capture:
    """Write the number of an attribute as a text."""

    def edit(ref: ItemRef) -> None:
        key, value = next(attributes(ref, int, but=("event.sequence",)))
        editing.put_attribute(ref.record.attributes, key, str(value))

    return edited(capture, requirement, edit, lambda ref: any(attributes(ref, int)))


def drops_an_attribute(capture: Capture, requirement: Requirement) -> Capture:
    """Leave an attribute of one item out."""

    def edit(ref: ItemRef) -> None:
        editing.drop_attribute(ref.record.attributes, next(attributes(ref, str))[0])

    return edited(capture, requirement, edit, lambda ref: any(attributes(ref, str)))


def drops_an_empty_array(capture: Capture, requirement: Requirement) -> Capture:
    """Leave an attribute out because its array is empty."""

    def empty(ref: ItemRef) -> list[str]:
        return [key for key, value in ref.item.view["attributes"].items() if value == []]

    def edit(ref: ItemRef) -> None:
        editing.drop_attribute(ref.record.attributes, empty(ref)[0])

    return edited(capture, requirement, edit, lambda ref: bool(empty(ref)))


def adds_an_attribute(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute of the relay's own to one item."""
    return edited(
        capture,
        requirement,
        lambda ref: editing.put_attribute(ref.record.attributes, _STRANGE, "seen"),
    )


def changes_an_attribute(capture: Capture, requirement: Requirement) -> Capture:
    """Pass one attribute of one item on with another value."""

    def edit(ref: ItemRef) -> None:
        key, value = next(attributes(ref, str))
        editing.put_attribute(ref.record.attributes, key, f"not {value}")

    return edited(capture, requirement, edit, lambda ref: any(attributes(ref, str)))


def merges_sessions(capture: Capture, requirement: Requirement) -> Capture:
    """Pass every item on as one of the same session."""
    _, message, _ = last(capture, requirement, lambda ref: True)
    sessions = {ref.item.view["attributes"].get("session.id") for ref in editing.item_refs(message)}
    if len(sessions) < 2:
        raise ValueError(f"{capture.run.label}: no two sessions came out together")

    def edit(ref: ItemRef) -> None:
        editing.put_attribute(ref.record.attributes, "session.id", min(map(str, sessions)))

    return edited_all(capture, requirement, edit)


def last_resource_for_all(capture: Capture, requirement: Requirement) -> Capture:
    """Pass all items of a request on with the resource of the last."""

    def edit(message: Request) -> None:
        groups = editing.groups(message)
        if len(groups) < 2:
            raise ValueError(f"{capture.run.label}: no two resources came out together")
        for group in groups[:-1]:
            group.resource.CopyFrom(groups[-1].resource)

    return edited_message(capture, requirement, edit)


def drops_of_the_resource(capture: Capture, requirement: Requirement) -> Capture:
    """Leave an attribute of a resource out."""
    return edited_resource(capture, requirement, lambda attributes: attributes.pop())


def adds_to_the_resource(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute of the relay's own to a resource."""
    return edited_resource(
        capture,
        requirement,
        lambda attributes: editing.put_attribute(attributes, _STRANGE, "seen"),
    )


def forgets_the_scope(capture: Capture, requirement: Requirement) -> Capture:
    """Pass items on without their scope."""
    return edited_scopes(capture, requirement, lambda scope: scope.ClearField("scope"))


def forgets_schema_urls(capture: Capture, requirement: Requirement) -> Capture:
    """Pass items on without the schema URL of their scope."""
    return edited_scopes(capture, requirement, lambda scope: scope.ClearField("schema_url"))


def drops_metadata(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a metric on without its metadata."""
    return edited(
        capture,
        requirement,
        lambda ref: ref.owner.ClearField("metadata"),
        lambda ref: bool(ref.owner.metadata),
    )


def forgets_what_was_dropped(capture: Capture, requirement: Requirement) -> Capture:
    """Pass an item on without the number of its attributes that were dropped before."""
    return edited(
        capture,
        requirement,
        lambda ref: ref.record.ClearField("dropped_attributes_count"),
        lambda ref: bool(getattr(ref.record, "dropped_attributes_count", 0)),
    )


def forgets_entities(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a resource on without its references to entities."""

    def edit(message: Request) -> None:
        for group in editing.groups(message):
            group.resource.ClearField("entity_refs")

    return edited_message(capture, requirement, edit)


def changes_a_link(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a link of a span on with other flags."""

    def edit(ref: ItemRef) -> None:
        ref.record.links[0].flags ^= 1

    return edited(capture, requirement, edit, lambda ref: bool(ref.record.links))


def changes_a_value(capture: Capture, requirement: Requirement) -> Capture:
    """Pass one point on with another value."""

    def edit(ref: ItemRef) -> None:
        ref.record.as_double += 1

    return edited(capture, requirement, edit)


def int_to_double(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a whole number on as a double."""

    def edit(ref: ItemRef) -> None:
        ref.record.as_double = float(ref.record.as_int)

    return edited(capture, requirement, edit, lambda ref: ref.record.HasField("as_int"))


def declares_too_much(capture: Capture, requirement: Requirement) -> Capture:
    """Declare a change that nobody makes."""
    return _declared(capture, "attribute_dropped", attribute="never.sent")


def samples_otherwise(capture: Capture, requirement: Requirement) -> Capture:
    """Declare a sampling of another share than what is passed on."""

    def edit(passing: Passing) -> Passing:
        changes = tuple(
            replace(each, ratio=0.999) if each.ratio is not None else each
            for each in passing.changes
        )
        if changes == passing.changes:
            raise ValueError(f"{capture.run.label}: no sampling is declared")
        return replace(passing, changes=changes)

    return edit_observed(capture, Passing, edit)


def leaks_content(capture: Capture, requirement: Requirement) -> Capture:
    """Write a private text into an attribute that may have any value."""
    duty = _duty(capture, "content")
    secret = next(each for each in capture.run.truth.hidden if each.kind == duty.content)
    return _leaked(capture, secret.text)


def leaks_a_value(capture: Capture, requirement: Requirement) -> Capture:
    """Write the value of a forbidden attribute into one that may have any value."""
    duty = _duty(capture, "attribute")
    values = (
        str(item.attributes[duty.attribute])
        for export in capture.accepted
        if export.collector == SENT
        for item in export.items
        if duty.attribute in item.attributes
    )
    return _leaked(capture, next(values))


def keeps_a_key(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a forbidden attribute on, with nothing in it."""
    duty = _duty(capture, "attribute")
    return edited(
        capture,
        requirement,
        lambda ref: editing.put_attribute(ref.record.attributes, duty.attribute, ""),
    )


def demands_the_untested(capture: Capture, requirement: Requirement) -> Capture:
    """Declare a duty about a text that was never sent."""
    passing = observed(capture.run, Passing)
    if passing is None or not passing.duties:
        raise ValueError(f"{capture.run.label} has no duty")
    truth = replace(capture.run.truth, secrets=(*capture.run.truth.secrets, _UNSENT))
    unsent = replace(capture, run=replace(capture.run, truth=truth))
    duty = Duty(len(passing.duties) + 1, "nobody sends it", content=_UNSENT.kind)
    return edit_observed(unsent, Passing, lambda each: replace(each, duties=(*each.duties, duty)))


_UNSENT = Secret("never_sent", "a text that no telemetry has ever held")


def _declared(capture: Capture, kind: str, **fields: Any) -> Capture:
    def edit(passing: Passing) -> Passing:
        if not passing.changes:
            raise ValueError(f"{capture.run.label}: nothing is declared")
        change = Change(len(passing.changes) + 1, kind, "a lie", **fields)
        return replace(passing, changes=(*passing.changes, change))

    return edit_observed(capture, Passing, edit)


def _duty(capture: Capture, kind: str) -> Duty:
    passing = observed(capture.run, Passing)
    for duty in passing.duties if passing else ():
        if getattr(duty, kind):
            return duty
    raise ValueError(f"{capture.run.label} has no duty about a kind of {kind}")


def _leaked(capture: Capture, text: str) -> Capture:
    passing = observed(capture.run, Passing)
    free = [
        change.attribute
        for change in (passing.changes if passing else ())
        if change.kind == "attribute_added" and change.value is None
    ]
    if not free:
        raise ValueError(f"{capture.run.label}: no attribute may have any value")

    def edit(ref: ItemRef) -> None:
        editing.put_attribute(ref.record.attributes, free[0], f"about: {text}")

    def fits(ref: ItemRef) -> bool:
        return free[0] in ref.item.view["attributes"]

    for signal in Signal:
        try:
            return edited_of(capture, signal, edit, fits)
        except ValueError:
            continue
    raise ValueError(f"{capture.run.label}: nothing came out with {free[0]}")


LIES: Mapping[str, Lie] = {
    **{
        lie.__name__.lstrip("_"): lie
        for lie in (
            drops_one,
            doubles_one,
            makes_one_up,
            turns_away,
            stringifies,
            drops_an_attribute,
            drops_an_empty_array,
            adds_an_attribute,
            changes_an_attribute,
            merges_sessions,
            last_resource_for_all,
            drops_of_the_resource,
            adds_to_the_resource,
            forgets_the_scope,
            forgets_schema_urls,
            drops_metadata,
            forgets_what_was_dropped,
            forgets_entities,
            changes_a_link,
            changes_a_value,
            int_to_double,
            declares_too_much,
            samples_otherwise,
            leaks_content,
            leaks_a_value,
            keeps_a_key,
            demands_the_untested,
        )
    },
    **FIELD_LIES,
    **DOWNSTREAM_LIES,
}
