"""Lies about an untrusted project: what its settings are said to have done."""

from __future__ import annotations

from dataclasses import replace

from ...capture.capture import Capture, Connection
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from .observed import Declined
from .scenarios import PROJECT


def project_reached_before_trust(capture: Capture, requirement: Requirement) -> Capture:
    """Connect to where the project's settings lead."""
    connection = Connection(PROJECT, capture.run.started_unix_nano)
    return replace(capture, connections=(*capture.connections, connection))


def helper_run_before_trust(capture: Capture, requirement: Requirement) -> Capture:
    """Run the headers helper that the project names."""
    return edit_observed(capture, Declined, lambda seen: replace(seen, helper_ran=True))


LIES = {lie.__name__: lie for lie in (project_reached_before_trust, helper_run_before_trust)}
