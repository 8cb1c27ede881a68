"""Choose what scenarios send, and make sessions of today of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ..capture.capture import Capture
from ..clock import time_ns
from ..otlp.model import Signal
from .replay import Recorded, again, recorded


def today(session: Capture, ago_s: float = 0.0) -> tuple[Recorded, ...]:
    """Return the requests of a recorded session as those of a new one that ends now.

    Or ``ago_s`` seconds ago.
    """
    return again(
        recorded(session.exports),
        ends_unix_nano=time_ns() - round(ago_s * 1e9),
        salt=uuid.uuid4().hex,
    )


def of_several_exports(sessions: Sequence[Capture]) -> tuple[Capture, ...]:
    """Return the sessions that exported metrics several times; all of them if none did."""
    several = tuple(
        session
        for session in sessions
        if sum(each.signal is Signal.METRICS for each in recorded(session.exports)) > 1
    )
    return several or tuple(sessions)


def of_most_signals(sessions: Sequence[Capture]) -> Capture:
    """Return the session that exported the most signals, of such the one of fewest requests."""
    return max(
        sessions,
        key=lambda session: (
            len({each.signal for each in recorded(session.exports)}),
            -len(recorded(session.exports)),
        ),
    )
