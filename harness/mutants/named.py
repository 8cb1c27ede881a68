"""The named lies that belong to no theme; ``schemas/`` calls them by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from ..contract.requirement import Requirement
from ..judging.items.item import EVERY, Kind
from ..otlp.codec import encode
from ..otlp.messages import ENCODINGS, Encoding
from ..otlp.model import DataPoint, Event, Protocol, Signal, Span
from . import editing
from .editing import ItemRef
from .rewriting import copy_message, rewritten, with_body

Lie = Callable[[Capture, Requirement], Capture]


def tell(
    name: str,
    captures: Sequence[Capture],
    relevant: Sequence[Capture],
    requirement: Requirement,
    themes: Mapping[str, Lie],
) -> Sequence[Capture]:
    """Apply the lie ``name`` to the captures of a scenario.

    Some lies change every capture, some only the first, and some need to see all ``relevant``
    captures. ``themes`` are the named lies of the themes.

    Raises ValueError if there is nothing to lie about.
    """
    if name in _ON_ONE_PROTOCOL:
        first, *rest = captures
        return (_ON_ONE_PROTOCOL[name](first, requirement), *rest)
    if name in _OF_ALL_RUNS:
        first, *rest = captures
        others = [capture for capture in relevant if capture is not first]
        return (_OF_ALL_RUNS[name](first, others, requirement), *rest)
    lie = themes[name] if name in themes else _EVERYWHERE[name]
    return [lie(capture, requirement) for capture in captures]


def other_protocol(capture: Capture, requirement: Requirement) -> Capture:
    """Send the first request by another protocol than the configured one."""
    first, *rest = capture.exports
    other = (
        Protocol.HTTP_JSON if first.protocol is not Protocol.HTTP_JSON else Protocol.HTTP_PROTOBUF
    )
    message = copy_message(first)
    assert message is not None
    moved = replace(with_body(first, encode(message, ENCODINGS[other])), protocol=other)
    return replace(capture, exports=(moved, *rest))


def wrong_path(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request to an unknown path, which the collector refuses."""
    extra = replace(
        _one_more(capture), path="/v1/metricz", signal=None, status=404, rejected="no such path"
    )
    return replace(capture, exports=(*capture.exports, extra))


def garbled_body(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request whose body cannot be decoded."""
    extra = with_body(_one_more(capture), b'{"resourceMetrics": 7}\x00\xff')
    return replace(capture, exports=(*capture.exports, extra))


def empty_request(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request without any content."""
    last = _one_more(capture)
    message = copy_message(last)
    assert message is not None
    message.Clear()
    return replace(capture, exports=(*capture.exports, rewritten(last, message)))


def json_numbers(capture: Capture, requirement: Requirement) -> Capture:
    """Write 64-bit integers as numbers in JSON bodies."""
    return _edit_json(
        capture, lambda text: re.sub(r'"(intValue|timeUnixNano)":\s*"(\d+)"', r'"\1":\2', text)
    )


def json_null_double(capture: Capture, requirement: Requirement) -> Capture:
    """Write null for a double in JSON: an attribute of a scope, which no other check judges."""

    def lose(text: str) -> str:
        data = json.loads(text)
        for group in (*data.get("resourceMetrics", ()), *data.get("resourceLogs", ())):
            for scope in (*group.get("scopeMetrics", ()), *group.get("scopeLogs", ())):
                scope["scope"]["attributes"] = [{"key": "share", "value": {"doubleValue": None}}]
        return json.dumps(data)

    return _edit_json(capture, lose)


def repeat_sequence(capture: Capture, requirement: Requirement) -> Capture:
    """Give the last event the sequence number of the first."""
    return _number(capture, lambda first, last: (first, first))


def swap_sequence(capture: Capture, requirement: Requirement) -> Capture:
    """Swap the sequence numbers of the first and the last event."""
    return _number(capture, lambda first, last: (last, first))


def one_more_attribute(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute to one item over one protocol only."""
    wanted = EVERY[requirement.selects.kind]
    messages = [(export, copy_message(export)) for export in capture.exports]
    refs = [
        ref
        for _, message in messages
        if message is not None
        for ref in editing.item_refs(message)
        if ref.item.kind is wanted
    ]
    one = max(refs, key=lambda ref: ref.key)
    editing.put_attribute(one.record.attributes, "only.here", "yes")
    return _rewrite(capture, messages)


def one_session_id(
    capture: Capture, others: Sequence[Capture], requirement: Requirement
) -> Capture:
    """Give all selected items of one run the session id of another run."""
    wanted = EVERY[requirement.selects.kind]
    for other in others:
        items: Mapping[Kind, Sequence[DataPoint | Event | Span]] = {
            Kind.METRIC: other.data_points(),
            Kind.EVENT: other.events(),
            Kind.SPAN: other.spans(),
        }
        sets = [item.attributes for item in items[wanted]]
        ids = {attributes["session.id"] for attributes in sets if "session.id" in attributes}
        if ids:
            return _name_session(capture, str(min(map(str, ids))), wanted)
    raise ValueError("no other run carries a session id")


def value_of_another_run(
    capture: Capture, others: Sequence[Capture], requirement: Requirement
) -> Capture:
    """Give the items of one run the value that the field has in another run."""
    key = requirement.path[-1]
    for other in others:
        values = [event.attributes[key] for event in other.events() if key in event.attributes]
        if values and other.run.label != capture.run.label:
            return _name_all(capture, requirement, key, str(values[0]))
    raise ValueError(f"no other run carries {key}")


def _name_session(capture: Capture, session_id: str, kind: Kind) -> Capture:
    def name(ref: ItemRef) -> None:
        if ref.item.kind is kind:
            editing.put_attribute(ref.record.attributes, "session.id", session_id)

    return _edit_each_item(capture, name)


def other_resource_on_one_protocol(capture: Capture, requirement: Requirement) -> Capture:
    """Add an attribute to every resource over one protocol only."""
    messages = [(export, copy_message(export)) for export in capture.exports]
    for _, message in messages:
        for group in editing.groups(message) if message is not None else ():
            editing.put_attribute(group.resource.attributes, "only.here", "yes")
    return _rewrite(capture, messages)


def another_session(capture: Capture, requirement: Requirement) -> Capture:
    """Give all metrics, or all events, a session id that the session never had."""
    return _name_all(capture, requirement, "session.id", "00000000-0000-4000-8000-000000000000")


def another_user(capture: Capture, requirement: Requirement) -> Capture:
    """Give all metrics, or all events, the id of another installation."""
    return _name_all(capture, requirement, "user.id", "0" * 64)


def one_prompt_id(capture: Capture, requirement: Requirement) -> Capture:
    """Give all events the id of the first prompt."""
    ids = [event.attributes.get("prompt.id") for event in capture.events()]
    first = next((str(id_) for id_ in ids if id_), None)
    if first is None or len(set(ids) - {None}) < 2:
        raise ValueError(f"{capture.run.label} has no two prompts with an id")
    return _name_all(capture, requirement, "prompt.id", first)


def first_value(capture: Capture, requirement: Requirement) -> Capture:
    """Give all events that have the field the value of the first one."""
    key = requirement.path[-1]
    values = [event.attributes[key] for event in capture.events() if key in event.attributes]
    if len(set(values)) < 2:
        raise ValueError(f"{capture.run.label} has no two values of {key}")
    return _name_all(capture, requirement, key, str(values[0]))


def another_prompt(capture: Capture, requirement: Requirement) -> Capture:
    """Give the last event that has one, prompts aside, the id of no prompt."""
    messages = [(export, copy_message(export)) for export in capture.exports]
    refs = [
        ref
        for _, message in messages
        if message is not None
        for ref in editing.item_refs(message)
        if ref.item.kind is Kind.EVENT
        and "prompt.id" in ref.item.view["attributes"]
        and "user_prompt" not in ref.item.view["names"]
    ]
    if not refs:
        raise ValueError(f"{capture.run.label} has no event with the id of a prompt")
    record = max(refs, key=lambda ref: ref.key).record
    editing.put_attribute(record.attributes, "prompt.id", "00000000-0000-4000-8000-000000000000")
    return _rewrite(capture, messages)


def _name_all(capture: Capture, requirement: Requirement, key: str, text: str) -> Capture:
    """Set an attribute to ``text`` wherever an item of the selected kind has it."""
    wanted = EVERY.get(requirement.selects.kind, Kind.EVENT)

    def name(ref: ItemRef) -> None:
        if ref.item.kind is wanted and key in ref.item.view["attributes"]:
            editing.put_attribute(ref.record.attributes, key, text)

    return _edit_each_item(capture, name)


def repeated_key(capture: Capture, requirement: Requirement) -> Capture:
    """Repeat the first attribute of every item."""

    def repeat(ref: ItemRef) -> None:
        if attributes := ref.record.attributes:
            attributes.add().CopyFrom(attributes[0])

    return _edit_each_item(capture, repeat)


def repeated_resource_key(capture: Capture, requirement: Requirement) -> Capture:
    """Repeat the first attribute of every resource."""
    messages = [(export, copy_message(export)) for export in capture.exports]
    for _, message in messages:
        for group in editing.groups(message) if message is not None else ():
            group.resource.attributes.add().CopyFrom(group.resource.attributes[0])
    return _rewrite(capture, messages)


def starts_after_its_time(capture: Capture, requirement: Requirement) -> Capture:
    """Start every data point a nanosecond after its time."""

    def late(ref: ItemRef) -> None:
        if ref.item.kind is Kind.METRIC:
            ref.record.start_time_unix_nano = ref.record.time_unix_nano + 1

    return _edit_each_item(capture, late)


def point_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Add a second data point of the same stream, of value 0, to a request."""
    messages = [(export, copy_message(export)) for export in capture.exports]
    for _, message in messages:
        for ref in editing.item_refs(message) if message is not None else ():
            if ref.item.kind is Kind.METRIC:
                editing.repeat(ref)
                ref.siblings[-1].as_double = 0.0
                return _rewrite(capture, messages)
    raise ValueError(f"{capture.run.label} exported no data point")


def overlapping_windows(capture: Capture, requirement: Requirement) -> Capture:
    """Start every data point at the start of the process."""

    def early(ref: ItemRef) -> None:
        if ref.item.kind is Kind.METRIC:
            ref.record.start_time_unix_nano = capture.run.started_unix_nano

    return _edit_each_item(capture, early)


def falling_sum(capture: Capture, requirement: Requirement) -> Capture:
    """Make the first data point of each cumulative stream higher than all that follow."""
    raised: set[str] = set()

    def raise_first(ref: ItemRef) -> None:
        view = ref.item.view
        stream = f"{view.get('name')} {sorted(view['attributes'].items())}"
        if view.get("temporality") == "cumulative" and stream not in raised:
            raised.add(stream)
            ref.record.as_double = 1e9

    return _edit_each_item(capture, raise_first)


def _edit_each_item(capture: Capture, edit: Callable[[ItemRef], object]) -> Capture:
    messages = [(export, copy_message(export)) for export in capture.exports]
    for _, message in messages:
        # Editing may add to what is gone through.
        for ref in list(editing.item_refs(message)) if message is not None else ():
            edit(ref)
    return _rewrite(capture, messages)


def _number(capture: Capture, numbers: Callable[[int, int], tuple[int, int]]) -> Capture:
    """Set the sequence numbers of the first and the last event."""
    messages = [(export, copy_message(export)) for export in capture.exports]
    events = sorted(
        (
            ref
            for _, message in messages
            if message is not None
            for ref in editing.item_refs(message)
            if ref.item.kind is Kind.EVENT
        ),
        key=_sequence,
    )
    first, last = events[0], events[-1]
    path = ("attributes", "event.sequence")
    for ref, number in zip((first, last), numbers(_sequence(first), _sequence(last)), strict=True):
        editing.put(ref, path, number)
    return _rewrite(capture, messages)


def _sequence(ref: ItemRef) -> int:
    return int(ref.item.view["attributes"]["event.sequence"])


def _rewrite(capture: Capture, messages: Sequence[tuple[Export, Any]]) -> Capture:
    return replace(
        capture,
        exports=tuple(
            export if message is None else rewritten(export, message)
            for export, message in messages
        ),
    )


def _edit_json(capture: Capture, edit: Callable[[str], str]) -> Capture:
    exports = tuple(
        with_body(export, edit(rewritten(export, message).body.decode()).encode())
        if export.encoding is Encoding.JSON and (message := copy_message(export)) is not None
        else export
        for export in capture.exports
    )
    return replace(capture, exports=exports)


def _one_more(capture: Capture) -> Export:
    """Return another request like the last one, of metrics if there are any.

    What events may tell is private anywhere else, as in a body that is not understood.
    """
    last = capture.exports[-1]
    metrics = [export for export in capture.exports if export.signal is Signal.METRICS]
    return replace(metrics[-1] if metrics else last, sequence=last.sequence + 1)


_OWN = (
    other_protocol,
    wrong_path,
    garbled_body,
    empty_request,
    json_numbers,
    json_null_double,
    repeat_sequence,
    swap_sequence,
    another_session,
    another_user,
    one_prompt_id,
    first_value,
    another_prompt,
    repeated_key,
    repeated_resource_key,
    starts_after_its_time,
    point_twice,
    overlapping_windows,
    falling_sum,
)
_EVERYWHERE: Mapping[str, Lie] = {lie.__name__: lie for lie in _OWN}
_ON_ONE_PROTOCOL: Mapping[str, Lie] = {
    lie.__name__: lie for lie in (one_more_attribute, other_resource_on_one_protocol)
}
_OF_ALL_RUNS: Mapping[str, Callable[[Capture, Sequence[Capture], Requirement], Capture]] = {
    one_session_id.__name__: one_session_id,
    value_of_another_run.__name__: value_of_another_run,
}

#: Every lie of no theme that ``schemas/`` may call by name.
NAMES = frozenset({*_EVERYWHERE, *_ON_ONE_PROTOCOL, *_OF_ALL_RUNS})
