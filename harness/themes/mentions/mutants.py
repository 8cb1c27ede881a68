"""Lies about the mentions in a prompt."""

from __future__ import annotations

from collections.abc import Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.events import Lie, edited, setting


def mention_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no event for one mention that was resolved."""
    return edited(capture, _logged("true"), editing.remove)


def mention_logged_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two events for one mention that was resolved."""
    return edited(capture, _logged("true"), editing.repeat)


def missing_file_resolved(capture: Capture, requirement: Requirement) -> Capture:
    """Log the mention of a file that is not there as resolved."""
    return edited(capture, _logged("false"), setting("success", "true"))


def _logged(success: str) -> Mapping[str, str]:
    return {"event.name": "at_mention", "success": success}


LIES: Mapping[str, Lie] = {
    lie.__name__: lie for lie in (mention_not_logged, mention_logged_twice, missing_file_resolved)
}
