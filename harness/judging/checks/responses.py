"""Checks of the events that tell what the model answered, against what the fake API said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...contract.requirement import Requirement
from ...findings import Finding, Judged, Outcome
from ..items.describe import shown
from ..items.view import CaptureView
from .calls import answered
from .fields import chosen, nothing_seen, number
from .lengths import lengths


def response_length(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the length of the answer, in UTF-16 code units or in characters."""
    return _each_answer(
        requirement,
        view,
        lambda said, value: number(value) in lengths(said),
        lambda said: f"{lengths(said)[0]}, the length of {said!r}",
    )


def response_text(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is exactly the text of the answer."""
    return _each_answer(requirement, view, lambda said, value: bool(value == said), shown)


def _each_answer(
    requirement: Requirement,
    view: CaptureView,
    right: Callable[[str, Any], bool],
    wanted: Callable[[str], str],
) -> Outcome:
    """Compare each event with the text of the answer whose ``request_id`` it carries."""
    items = chosen(requirement, view)
    pairs = [(item, call.said) for item, call in answered(view, items) if call.said]
    if not pairs:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(wanted(said), shown(item.at(requirement.path)), item.where)
        for item, said in pairs
        if not right(said, item.at(requirement.path))
    )
    return Judged(len(pairs), findings)
