"""Lies about a collector's own log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...mutants.named import Lie
from .observed import OwnLog, Told


def tells_of_a_loss(capture: Capture, requirement: Requirement) -> Capture:
    """Have one line of the log tell of the loss that the requirement is about."""
    where: Any = requirement.params["where"]
    line = Told(1, "warn: it is told here")
    return edit_observed(
        capture, OwnLog, lambda log: replace(log, told={**log.told, where["kind"]: line})
    )


LIES: Mapping[str, Lie] = {"tells_of_a_loss": tells_of_a_loss}
