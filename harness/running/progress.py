"""Tell how far a recording has come: what is done, what runs, and about when it ends."""

from __future__ import annotations

from collections.abc import Sequence

#: So often is it told, in seconds.
PROGRESS_S = 10.0

#: Runs that are named; and the part of all that must be done before an end is foretold.
_NAMED, _ENOUGH = 3, 0.25


def so_far(planned: int, done: int, running: Sequence[str], seconds: float) -> str:
    """Return one line about a recording of so many ``planned`` runs after so many seconds."""
    named = ", ".join(running[:_NAMED])
    more = len(running) - _NAMED
    if more > 0:
        named += f" and {more} more"
    foretold = ""
    if _ENOUGH * planned <= done < planned:
        foretold = f", about {seconds / done * (planned - done):.0f} s more"
    return f"{done} of {planned} runs done after {seconds:.0f} s{foretold}; running: {named}"
