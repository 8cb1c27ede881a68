"""Lies about how the process of a session ended, by the names that ``schemas/`` uses."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...judging.checks.fields import chosen
from ...judging.items.measured import by_name
from ...judging.items.view import CaptureView
from ...mutants.named import Lie
from .measures import MEASURES


def crashes(capture: Capture, requirement: Requirement) -> Capture:
    """End with a violation of memory, after all work."""
    return _ended(capture, requirement, -signal.SIGSEGV)


def ends_oddly(capture: Capture, requirement: Requirement) -> Capture:
    """End with an exit code of no meaning, after all work."""
    return _ended(capture, requirement, 7)


def _ended(capture: Capture, requirement: Requirement, exit_code: int) -> Capture:
    """End otherwise. Raises ValueError for a session that the requirement says nothing of."""
    if not chosen(requirement, CaptureView(capture, by_name(*MEASURES))):
        raise ValueError("a session of another kind")
    return replace(capture, run=replace(capture.run, exit_code=exit_code))


LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in (crashes, ends_oddly)}
