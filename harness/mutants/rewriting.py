"""Replace the message or body of a request, and keep its transport facts."""

from __future__ import annotations

from dataclasses import replace

from ..capture.capture import Capture
from ..capture.export import Export
from ..otlp.codec import encode
from ..otlp.messages import Request


def copy_message(export: Export) -> Request | None:
    """Return a copy of an export's message to edit; None for a request that holds none."""
    if export.rejected or export.message is None:
        return None
    copied = type(export.message)()
    copied.ParseFromString(export.message.SerializeToString())
    return copied


def rewritten(export: Export, message: Request) -> Export:
    """Return the request with another message, in the same encoding, uncompressed."""
    encoding = export.encoding
    if encoding is None:
        raise ValueError(f"request {export.sequence} has no encoding to write it in")
    return with_body(export, encode(message, encoding))


def with_body(export: Export, body: bytes) -> Export:
    """Return the request with another body, uncompressed and not decoded yet."""
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in export.headers
        if name.lower() != "content-encoding"
    )
    return replace(export, body=body, headers=headers)


def instead(capture: Capture, export: Export, other: Export) -> Capture:
    """Return ``capture`` with ``other`` where ``export``, one of its own, was."""
    exports = (other if original is export else original for original in capture.exports)
    return replace(capture, exports=tuple(exports))
