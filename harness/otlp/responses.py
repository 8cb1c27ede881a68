"""Encode what a receiver answers: success, partial success, and failures.

The messages are those of OTLP/HTTP; over gRPC the same response messages are used, and a failure
is the call's status. An answer is written in the encoding of its request.
"""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from .codec import encode
from .messages import RESPONSES, Encoding
from .model import Signal

_INVALID_ARGUMENT = 3

_REJECTED = {
    Signal.METRICS: "rejected_data_points",
    Signal.LOGS: "rejected_log_records",
    Signal.TRACES: "rejected_spans",
}


def success_body(signal: Signal, encoding: Encoding) -> bytes:
    """Encode full success: ``{}`` in JSON, nothing in protobuf (partial_success must be unset)."""
    return encode(RESPONSES[signal](), encoding)


def partial_success_body(
    signal: Signal, encoding: Encoding, rejected: int, message: str = ""
) -> bytes:
    """Encode partial success: ``rejected`` data points, log records or spans were refused.

    With ``rejected`` 0 and a message it is a warning about data that was accepted.
    """
    response = RESPONSES[signal]()
    partial = response.partial_success
    # Even when both are empty: a client takes that for full success.
    partial.SetInParent()
    setattr(partial, _REJECTED[signal], rejected)
    partial.error_message = message
    return encode(response, encoding)


def error_body(encoding: Encoding, code: int, message: str) -> bytes:
    """Encode a ``google.rpc.Status``, as OTLP/HTTP asks for in every 4xx and 5xx answer.

    ``code`` is a gRPC status code (3 is INVALID_ARGUMENT, 14 UNAVAILABLE); 0 leaves it
    out, which the specification allows. INVALID_ARGUMENT has a ``BadRequest`` among its details.
    """
    status = Status(code=code, message=message)
    if code == _INVALID_ARGUMENT:
        bad = BadRequest(field_violations=[BadRequest.FieldViolation(description=message)])
        status.details.add().Pack(bad)
    if encoding is Encoding.JSON:
        # Unlike OTLP's own messages, its details are written as protobuf's own mapping has it.
        return json.dumps(MessageToDict(status), ensure_ascii=False, separators=(",", ":")).encode()
    return encode(status, encoding)
