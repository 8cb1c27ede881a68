"""Read what a collector answered: the message that OTLP asks for, or why it is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from google.rpc.status_pb2 import Status

from ..otlp.content import content_decode
from ..otlp.errors import DecodeError
from ..otlp.json_decode import decode_json
from ..otlp.json_encode import to_json
from ..otlp.messages import RESPONSES, Encoding
from ..otlp.model import Signal

#: How much of a body that cannot be read is shown.
_SHOWN = 120

#: JSON's names of the fields that count what was rejected.
REJECTED = ("rejectedDataPoints", "rejectedLogRecords", "rejectedSpans")


@dataclass(frozen=True, slots=True)
class Content:
    """The message as JSON values, or the reason why there is none in ``error``."""

    value: object = None
    error: str = ""


def partial_success(value: object) -> Mapping[str, Any] | None:
    """Return what a success says of items that were rejected; None if it says nothing."""
    found = value.get("partialSuccess") if isinstance(value, dict) else None
    return found if isinstance(found, dict) else None


def rejected(partial: Mapping[str, Any] | None) -> int:
    """Return how many items a partial success rejects; they are texts or numbers."""
    return sum(int((partial or {}).get(name, 0)) for name in REJECTED)


def success(signal: Signal, encoding: Encoding, body: bytes, coding: str = "") -> Content:
    """Read the body of a success; ``coding`` is the answer's Content-Encoding."""
    return _read(RESPONSES[signal](), encoding, body, coding)


def failure(encoding: Encoding, body: bytes, coding: str = "") -> Content:
    """Read the body of an error; of its details, the types."""
    content = _read(Status(), encoding, body, coding)
    if encoding is Encoding.JSON and isinstance(content.value, dict):
        # A detail is written as its own message, with its type beside the fields.
        details = json.loads(content_decode(body, coding)).get("details") or ()
        content.value["details"] = [str(detail.get("@type", "")) for detail in details]
    return content


def refusal(message: str, details: bytes) -> Content:
    """Read the refusal of a call: its message, and the trailer ``grpc-status-details-bin``."""
    try:
        status = Status.FromString(details)
    except ProtobufError as error:
        return Content({"message": message}, f"no Status in grpc-status-details-bin: {error}")
    return Content({**_status(status), "message": message})


def _read(message: Any, encoding: Encoding, body: bytes, coding: str) -> Content:
    try:
        body = content_decode(body, coding)
        if encoding is Encoding.JSON:
            decode_json(body, message)
        else:
            message.ParseFromString(body)
        return Content(_plain(message))
    except (DecodeError, ProtobufError) as error:
        shown = body[:_SHOWN].decode("utf-8", "backslashreplace")
        return Content(error=f"no {message.DESCRIPTOR.name}: {error}: {shown!r}")


def _plain(message: Any) -> object:
    if isinstance(message, Status):
        return _status(message)
    return to_json(message)


def _status(status: Status) -> dict[str, object]:
    # What the details hold may be of types that only the server knows.
    return {
        "code": status.code,
        "message": status.message,
        "details": [detail.type_url for detail in status.details],
    }
