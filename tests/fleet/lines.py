"""Captures of production data, as lines and as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.capture.capture import Capture
from harness.fleet.files import Message
from harness.otlp.codec import encode
from harness.otlp.messages import Encoding

#: Gives the recorded session of a release: ``recorded("2.1.332", "working_day")``.
Recorded = Callable[[str, str], Capture]
#: Writes messages as a capture's file.
WriteLines = Callable[..., Path]


def lines_of(capture: Capture) -> list[bytes]:
    """Return what a file exporter writes of a capture: a line for each request."""
    return [
        encode(export.message, Encoding.JSON)
        for export in capture.accepted
        if export.message is not None and export.items
    ]


def as_messages(lines: Sequence[bytes]) -> list[Message]:
    """Return lines as the messages that are read of a file."""
    return [Message("otel.json", number, 0, line) for number, line in enumerate(lines, start=1)]
