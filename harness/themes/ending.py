"""Describe how a session ended, for the measures of every theme."""

from __future__ import annotations

from ..capture.run import Run


def ended(run: Run) -> dict[str, int]:
    """Return how a session ended, and how much it asked of the model.

    ``exit_code`` is that of the subject's process; ``asked`` counts the requests that the
    Messages API answered.
    """
    return {"exit_code": run.exit_code, "asked": len(run.truth.api_calls)}
