"""Tell how a session ended, what it said on stderr, and what it asked of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..capture.capture import Capture
from .facts import Fact, Topic

#: Lines of stderr about other things than telemetry come and go with the machine's load.
_ABOUT_TELEMETRY = re.compile(
    r"otel|otlp|telemetry|opentelemetry|export|headers.?helper|certificate|protocol", re.IGNORECASE
)
#: A busy machine lets exports time out that would have been answered.
_OF_LOAD = re.compile(r"timed?[ -]?out|aborted|deadline|took too long|flush", re.IGNORECASE)

#: What differs from run to run in a line: addresses, paths, numbers and what is quoted.
_VARYING = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"https?://\S+"), "(url)"),
    (re.compile(r"(?<![\w.])/[\w./-]+"), "(path)"),
    (re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f]+)*"), "(id)"),
    (re.compile(r"\d+(?:\.\d+)*"), "N"),
)
_LONGEST = 160


def endings(capture: Capture) -> Iterator[Fact]:
    """Yield how the session ended."""
    run = capture.run
    # What ended a session was not always noted.
    stopped = run.exit_code < 0 if run.stopped is None else run.stopped
    yield Fact(Topic.ENDING, "session", "had to be ended" if stopped else run.ending)


def said(capture: Capture) -> Iterator[Fact]:
    """Yield what the session said about telemetry on stderr, without what varies."""
    for line in capture.run.stderr.splitlines():
        if _ABOUT_TELEMETRY.search(line) and not _OF_LOAD.search(line):
            yield Fact(Topic.SAID, "stderr", without_what_varies(line))


def without_what_varies(line: str) -> str:
    """Return a line with words in place of addresses, paths, ids and numbers."""
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line.strip()[:_LONGEST]


def calls(capture: Capture) -> Iterator[Fact]:
    """Yield how the model is asked: the main loop's requests, and those beside it.

    Which session shows a side call depends on races with its end.
    """
    for call in capture.run.truth.api_calls:
        kind = "probes" if call.probe else "side calls" if call.auxiliary else "main loop"
        told = [f"model {call.model}", "streamed" if call.streamed else "not streamed"]
        told += [f"effort {call.effort}"] if call.effort else []
        told += [f"speed {call.speed}"] if call.speed else []
        if kind == "main loop":
            for value in told:
                yield Fact(Topic.CALLS, kind, value)
        else:
            yield Fact(Topic.CALLS, kind, ", ".join(told), raced=True)
