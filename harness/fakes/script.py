"""Steps of a script: how the fake Messages API answers one request after another.

A step answers one request of the subject's main loop. Steps are plain, immutable
values, so that one script can serve several runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens billed for one answer, in the Messages API's four kinds."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0


def usage_of_call(number: int) -> Usage:
    """Return the default usage of the ``number``-th answer (from 1).

    The four kinds grow by different odd steps: a total that leaves out a call,
    counts one twice or mixes up two kinds cannot be right by chance.
    """
    return Usage(
        input_tokens=1009 + 37 * number,
        output_tokens=211 + 23 * number,
        cache_read_tokens=4003 + 101 * number,
        cache_creation_tokens=503 + 59 * number,
    )


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with ``text`` and end the turn; without ``usage``, :func:`usage_of_call` is billed.

    ``thinking`` is what the model is said to have thought before, empty for nothing.
    """

    text: str
    usage: Usage | None = None
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class UseTool:
    """Ask the subject to run the tool ``name`` with ``input``.

    ``forbidden``: the session rejects it without a question to a person. ``decided_by`` is the
    documented word for who decides about it then (empty: the settings). ``offered``: the session
    has the tool; where an MCP server came too late for it, the run is none.
    """

    name: str
    input: Mapping[str, object]
    usage: Usage | None = None
    forbidden: bool = False
    decided_by: str = ""
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer with HTTP ``status`` and an error body; nothing is billed.

    The step answers ``times`` main-loop requests (the subject's retries are such
    requests), None for all until the next prompt. ``message`` is in the body, ``type`` is the
    API's own error type, e.g. ``invalid_request_error`` (400), ``rate_limit_error`` (429),
    ``overloaded_error`` (529). ``retry_after`` is sent as a header, in seconds.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    times: int | None = 1
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError(f"Fail.status must be 400 to 599, not {self.status}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"Fail.times must be at least 1 or None, not {self.times}")


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection of every request without an answer, until the next prompt."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """Begin to answer with ``text`` and close the connection in the middle of the stream.

    A request for an answer without a stream gets no answer at all.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Use ``step`` for each request until ``until()`` is true, at most ``at_most`` times.

    ``until`` is called in the API's own thread before each time: it must not block.
    """

    step: UseTool
    until: Callable[[], bool]
    at_most: int = 200


#: What answers one request.
Answering = Say | UseTool | Fail | HangUp | CutOff
Step = Answering | Repeat
