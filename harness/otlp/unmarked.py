"""Tell which request a message is that does not say so: by its keys in JSON, or its fields."""

from __future__ import annotations

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from .messages import REQUESTS
from .model import Signal

#: The key of each request in OTLP/JSON.
KEYS = {
    "resourceMetrics": Signal.METRICS,
    "resourceLogs": Signal.LOGS,
    "resourceSpans": Signal.TRACES,
}


def protobuf_signal(message: bytes) -> Signal | None:
    """Return which request ``message`` is, which protobuf does not tell: the one that knows all.

    The three requests have the same numbers of fields, and other types in their items. If none
    knows every field, the one that knows most is returned; None if it cannot be parsed at all.
    """
    unknown: dict[Signal, int] = {}
    for signal, kind in REQUESTS.items():
        request = kind()
        try:
            request.ParseFromString(message)
        except ProtobufError:
            continue
        unknown[signal] = _unknown_fields(request)
    return min(unknown, key=lambda signal: unknown[signal]) if unknown else None


def _unknown_fields(message: Message) -> int:
    count = len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.message_type is not None:
            for member in value if field.is_repeated else [value]:
                count += _unknown_fields(member)
    return count
