"""Measure how the process of a session ended."""

from __future__ import annotations

from ...capture.capture import Capture
from ...judging.items.item import Item


def ending(capture: Capture) -> list[Item]:
    """Return one item for each run: how its process ended, after what.

    ``ended`` is ``exit code 0`` or ``signal 11 (SIGSEGV)``; ``stopped`` says that we ended it, at
    the limit of its scenario. ``prompts`` counts those that the model heard or that a session
    without a model gave up, ``failed`` the requests that no answer of success came to.
    """
    run = capture.run
    view = {
        "ended": run.ending,
        "stopped": run.stopped,
        "prompts": len(run.truth.prompts),
        "failed": len(run.truth.failures),
    }
    return [Item(f"{run.label} · how the subject ended", view)]


MEASURES = (ending,)
