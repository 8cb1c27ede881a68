"""The responses of OTLP/HTTP: success, refusals, and what a script asks for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ..otlp.messages import Encoding
from ..otlp.model import Signal
from ..otlp.responses import error_body, success_body
from .answer import CollectorResponse, encoded

if TYPE_CHECKING:
    from uvicorn._types import HTTPResponseBodyEvent, HTTPResponseStartEvent

    Response = tuple[HTTPResponseStartEvent, HTTPResponseBodyEvent]

#: HTTP status -> gRPC code for the ``google.rpc.Status`` body; others are UNKNOWN (2).
_RPC_CODES = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    405: 12,
    413: 8,
    415: 3,
    429: 8,
    431: 8,
    500: 13,
    503: 14,
}


def response(
    status: int, headers: tuple[tuple[bytes, bytes], ...], encoding: Encoding, body: bytes
) -> Response:
    """Make a response: its start and its body, as ASGI has them."""
    typed = any(name == b"content-type" for name, _ in headers)
    return (
        {
            "type": "http.response.start",
            "status": status,
            "headers": (
                *headers,
                *(() if typed else ((b"content-type", encoding.value.encode()),)),
                (b"content-length", str(len(body)).encode()),
            ),
        },
        {"type": "http.response.body", "body": body, "more_body": False},
    )


def in_bytes(made: Response) -> bytes:
    """Return a response as it is sent, over a connection that stays open."""
    start, end = made
    lines = b"".join([b"%s: %s\r\n" % header for header in start["headers"]])
    phrase = HTTPStatus(start["status"]).phrase.encode()
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (start["status"], phrase, lines, end["body"])


def refusal(encoding: Encoding | None, status: int, reason: str) -> Response:
    """Make an error response in the encoding of the request (JSON if that is not one of OTLP's)."""
    encoding = encoding or Encoding.JSON
    allow = ((b"allow", b"POST"),) if status == 405 else ()
    body = error_body(encoding, _RPC_CODES.get(status, 2), reason)
    return response(status, allow, encoding, body)


def scripted(signal: Signal, encoding: Encoding, answer: CollectorResponse) -> Response:
    """Make the response that a scripted answer asks for."""
    status = answer.http_status
    if answer.body is not None:
        body = answer.body
    elif status >= 400:
        body = error_body(encoding, _RPC_CODES.get(status, 2), answer.message)
    else:
        body = success_body(signal, encoding)
    return response(status, encoded(answer.headers), encoding, body)
