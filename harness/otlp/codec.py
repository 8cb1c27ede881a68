"""Decode and encode request bodies, in protobuf and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message

from .errors import DecodeError
from .json_decode import Note, decode_json
from .json_encode import encode_json
from .messages import REQUESTS, Encoding, Request
from .model import Signal


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded request, and what was tolerated in decoding it (JSON only)."""

    message: Request
    notes: tuple[Note, ...] = ()


def decode_request(signal: Signal, encoding: Encoding, body: bytes) -> Decoded:
    """Decode one export request; ``body`` has no content encoding any more.

    Raises :class:`DecodeError` for anything that is not such a request.
    """
    message = REQUESTS[signal]()
    if encoding is Encoding.JSON:
        return Decoded(message, decode_json(body, message))
    try:
        message.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError("", f"body is no {message.DESCRIPTOR.name}: {error}") from None
    return Decoded(message)


def encode(message: Message, encoding: Encoding) -> bytes:
    """Encode any OTLP message; JSON is canonical, on one line."""
    if encoding is Encoding.JSON:
        return encode_json(message)
    return message.SerializeToString()
