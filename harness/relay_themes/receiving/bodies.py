"""The bodies of the probes: valid in odd ways, damaged, and large.

Each function takes what the request is to carry and returns its bytes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ...otlp.codec import decode_request
from ...otlp.envelope import check_outline
from ...otlp.errors import DecodeError
from ...otlp.json_encode import to_json
from ...otlp.messages import Encoding
from ...otlp.model import Signal
from ...otlp.writing import put_attributes
from .telemetry import (
    ARRAYS,
    MARKED,
    Draft,
    group_of,
    item_of,
    json_group,
    json_item,
    json_scope,
    odd,
    trace_id,
)

#: The least size of a large body, in bytes, and that of its text values.
LARGE_BYTES = 5 * 1024 * 1024
_TEXT_BYTES = 64 * 1024

#: What the bomb grows to, in bytes: more than the 64 MiB that any server should take.
BOMB_BYTES = 80 * 1024 * 1024
_MIB = 1024 * 1024
_SEVENS = (0, 7, 14, 21)

#: Fields that no message of OTLP has: a varint, 64 bits, text and 32 bits.
_UNKNOWN_FIELDS = (
    b"\xc8\x3e\x2a"  # 1001
    b"\xd1\x3e\1\2\3\4\5\6\7\x08"  # 1002
    b"\xda\x3e\x04text"  # 1003
    b"\xe5\x3e\1\2\3\4"  # 1004
)
_UNKNOWN_MEMBERS: dict[str, Any] = {
    "unheardOf": {"deep": [1, {"resourceLogs": "no"}, None, "text"]},
    "another": 7,
}

#: JSON names of 64-bit integers.
_WIDE = frozenset(
    {"intValue", "asInt", "timeUnixNano", "observedTimeUnixNano", "startTimeUnixNano"}
    | {"endTimeUnixNano"}
)


def unknown_in(level: str) -> Callable[[Draft], bytes]:
    """Return what adds unknown fields to the request, its resource, scope, item or a value."""

    def make(draft: Draft) -> bytes:
        if draft.as_json:
            document = draft.document()
            _json_level(document, draft.signal, level).update(_UNKNOWN_MEMBERS)
            return draft.json(document)
        message = draft.message()
        _level(message, level).MergeFromString(_UNKNOWN_FIELDS)
        return draft.body(message)

    return make


def _level(message: Any, level: str) -> Any:
    group, item = group_of(message), item_of(message)
    scope = next(value[0] for field, value in group.ListFields() if field.is_repeated)
    levels = {"request": message, "resource": group.resource, "scope": scope.scope, "item": item}
    return levels.get(level, item.attributes[0].value)


def _json_level(document: dict[str, Any], signal: Signal, level: str) -> dict[str, Any]:
    item = json_item(document, signal)
    levels = {
        "request": document,
        "resource": json_group(document, signal)["resource"],
        "scope": json_scope(document, signal)["scope"],
        "item": item,
    }
    found: dict[str, Any] = levels.get(level, item["attributes"][0]["value"])
    return found


def empty_value(draft: Draft) -> bytes:
    """Give the item an attribute whose value is empty: neither a text nor anything else."""
    message = draft.message()
    put_attributes(item_of(message).attributes, {"empty": None})
    return draft.body(message)


def empty_envelope(draft: Draft) -> bytes:
    """Leave the resource group without anything in it."""
    message = type(draft.message())()
    if draft.signal is Signal.LOGS:
        message.resource_logs.add()
    elif draft.signal is Signal.METRICS:
        message.resource_metrics.add()
    else:
        message.resource_spans.add()
    return draft.body(message)


def integers_as_numbers(draft: Draft) -> bytes:
    """Write every 64-bit integer as a number."""
    return draft.json(_numbers(draft.document(), _WIDE))


def javascript(draft: Draft) -> bytes:
    """Write as Claude Code does: whole numbers as numbers, but times as texts, and a default."""
    document = _whole(_numbers(draft.document(), frozenset({"intValue", "asInt"})))
    json_group(document, draft.signal)["resource"]["droppedAttributesCount"] = 0
    if draft.signal is not Signal.METRICS:
        json_item(document, draft.signal)["droppedAttributesCount"] = 0
    return draft.json(document)


def python(draft: Draft) -> bytes:
    """Write as the exporter of OpenTelemetry's Python does: integers as texts, whole doubles."""
    message = draft.message()
    put_attributes(item_of(message).attributes, {"whole": 2.0, "empty": None})
    return draft.json(_whole(to_json(message)))


def ids(write: Callable[[str], str]) -> Callable[[Draft], bytes]:
    """Return what writes trace and span id as ``write`` converts their hex digits."""

    def make(draft: Draft) -> bytes:
        document = draft.document()
        item = json_item(document, draft.signal)
        digits = trace_id(draft.marker).hex()
        item["traceId"], item["spanId"] = write(digits), write(digits[:16])
        return draft.json(document)

    return make


def ids_of_wrong_length(draft: Draft) -> bytes:
    """Give the item ids that are too short to be any."""
    message = draft.message()
    item = item_of(message)
    item.trace_id, item.span_id = b"\1\2\3", b"\4"
    return draft.body(message)


def mixed(draft: Draft) -> bytes:
    """Put an item beside it that breaks a rule: a point without a time, a span without ids."""
    message = draft.message()
    item = item_of(message)
    group = group_of(message)
    if draft.signal is Signal.METRICS:
        beside = group.scope_metrics[0].metrics[0].sum.data_points.add()
    else:
        beside = group.scope_spans[0].spans.add()
    beside.CopyFrom(item)
    for attribute in beside.attributes:
        if attribute.key in MARKED:
            attribute.value.string_value = odd(draft.marker)
    for name in ("time_unix_nano", "trace_id", "span_id"):
        if name in beside.DESCRIPTOR.fields_by_name:
            beside.ClearField(name)
    return draft.body(message)


def nulls(draft: Draft) -> bytes:
    """Write null for fields that are not set."""
    document = draft.document()
    json_group(document, draft.signal)["schemaUrl"] = None
    scope = json_scope(document, draft.signal)
    scope["schemaUrl"] = None
    scope["scope"]["attributes"] = None
    item = json_item(document, draft.signal)
    absent = {
        Signal.METRICS: ("exemplars", "flags", "asInt"),
        Signal.LOGS: ("traceId", "spanId", "severityText", "severityNumber", "flags"),
        Signal.TRACES: ("parentSpanId", "traceState", "events", "links", "status"),
    }
    item.update(dict.fromkeys(absent[draft.signal]))
    return draft.json(document)


def truncated(draft: Draft) -> bytes:
    """Cut off the end."""
    return draft.body()[:-9]


def bit_flipped(draft: Draft, *, inside: bool = False) -> bytes:
    """Flip the first bit by whose loss the message can no longer be read.

    ``inside``: one within the item; the groups around it can still be walked.
    """
    body = draft.body()
    for place in range(len(body)):
        for bit in range(8):
            flipped = bytearray(body)
            flipped[place] ^= 1 << bit
            found = bytes(flipped)
            if draft.marker.encode() in found and _breaks(draft.signal, found, inside=inside):
                return found
    raise ValueError("every bit can be flipped")


def bit_flipped_inside(draft: Draft) -> bytes:
    """Flip a bit within the item, so that only who reads it to its end can find that."""
    return bit_flipped(draft, inside=True)


def _breaks(signal: Signal, body: bytes, *, inside: bool) -> bool:
    try:
        check_outline(signal, body)
        walks = True
    except DecodeError:
        walks = False
    if walks is not inside:
        return False
    try:
        decode_request(signal, Encoding.PROTOBUF, body)
    except DecodeError as error:
        return "utf-8" not in str(error).lower()
    return False


def garbage(draft: Draft) -> bytes:
    """Send a text that is neither JSON nor protobuf."""
    return b"no telemetry: " + draft.marker.encode()


def other_encoding(draft: Draft) -> bytes:
    """Send JSON as protobuf, and protobuf as JSON."""
    message = draft.message()
    return message.SerializeToString() if draft.as_json else draft.json(draft.document())


def no_object(draft: Draft) -> bytes:
    """Send JSON that is no object."""
    return draft.json([draft.document()])


def wrong_type(draft: Draft) -> bytes:
    """Send a number where the array of resource groups belongs."""
    return draft.json({ARRAYS[draft.signal][0]: 7, "marker": draft.marker})


def wrong_type_inside(draft: Draft) -> bytes:
    """Send an object where the time of an item belongs."""
    document = draft.document()
    name = "endTimeUnixNano" if draft.signal is Signal.TRACES else "timeUnixNano"
    json_item(document, draft.signal)[name] = {"seconds": 1}
    return draft.json(document)


def invalid_utf8(draft: Draft) -> bytes:
    """Put bytes that are no UTF-8 in the place of a text."""
    message = draft.message()
    put_attributes(item_of(message).attributes, {"note": "~~~~"})
    return draft.body(message).replace(b"~~~~", b"\xff\xfe\xfd\xfc")


def gzipped(body: bytes) -> bytes:
    """Compress a body; the same bytes always give the same ones."""
    return gzip.compress(body, mtime=0)


def truncated_gzip(draft: Draft) -> bytes:
    """Compress the body and cut off the end."""
    return gzipped(draft.body())[:-12]


def deflated(draft: Draft) -> bytes:
    """Compress the body with zlib, which HTTP calls deflate."""
    return zlib.compress(draft.body())


def zstandard(draft: Draft) -> bytes:
    """Wrap the body in a frame of Zstandard whose one block is not compressed."""
    body = draft.body()
    head = b"\x28\xb5\x2f\xfd\xa0" + len(body).to_bytes(4, "little")
    return head + (len(body) << 3 | 1).to_bytes(3, "little") + body


def large(draft: Draft) -> bytes:
    """Fill the item's message with others until it is large; the item comes last."""
    message = draft.message()
    items = _siblings(message)
    own = type(items[0])()
    own.CopyFrom(items[0])
    del items[:]
    while len(items) * _TEXT_BYTES < LARGE_BYTES:
        filler = items.add()
        filler.CopyFrom(own)
        attributes = (filler.sum.data_points[0] if hasattr(filler, "sum") else filler).attributes
        for attribute in attributes:
            if attribute.key in MARKED:
                attribute.value.string_value = f"filler{len(items)}"
        put_attributes(attributes, {"text": "claude code " * (_TEXT_BYTES // 12)})
    items.add().CopyFrom(own)
    return draft.body(message)


def _siblings(message: Any) -> Any:
    group = group_of(message)
    for scopes, items in (("scope_logs", "log_records"), ("scope_spans", "spans")):
        if hasattr(group, scopes):
            return getattr(getattr(group, scopes)[0], items)
    return group.scope_metrics[0].metrics


def unpacked_bomb(draft: Draft) -> bytes:
    """Make an empty request of :data:`BOMB_BYTES`: spaces, or a field that nobody knows."""
    return b"".join(_spaces() if draft.as_json else _zeros())


def bomb(draft: Draft) -> bytes:
    """Compress an empty request of :data:`BOMB_BYTES` to a few."""
    return _bomb(as_json=draft.as_json)


@cache
def _bomb(*, as_json: bool) -> bytes:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    parts = [packer.compress(part) for part in (_spaces() if as_json else _zeros())]
    return b"".join([*parts, packer.flush()])


def _spaces() -> Iterator[bytes]:
    yield from [b" " * _MIB] * (BOMB_BYTES // _MIB)
    yield b"{}"


def _zeros() -> Iterator[bytes]:
    # Field 1003, which is as long as it says: four bytes, seven bits each.
    yield b"\xda\x3e" + bytes(BOMB_BYTES >> shift & 0x7F | 0x80 * (shift < 21) for shift in _SEVENS)
    yield from [bytes(_MIB)] * (BOMB_BYTES // _MIB)


def _numbers(value: Any, names: frozenset[str]) -> Any:
    """Return a document in which the texts of these members are numbers."""
    if isinstance(value, dict):
        return {
            key: int(member) if key in names else _numbers(member, names)
            for key, member in value.items()
        }
    return [_numbers(member, names) for member in value] if isinstance(value, list) else value


def _whole(value: Any) -> Any:
    """Return a document in which whole numbers have no fraction."""
    if isinstance(value, dict):
        return {key: _whole(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_whole(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
