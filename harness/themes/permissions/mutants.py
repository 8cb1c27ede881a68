"""Lies about the answers of a permission tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from .observed import Answers

Lie = Callable[[Capture, Requirement], Capture]


def another_answer(capture: Capture, requirement: Requirement) -> Capture:
    """Have the decision logged that belongs to another answer."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    wanted = where["answer"]

    def exchange(answers: Answers) -> Answers:
        ids = {answer: tool_use_id for tool_use_id, answer in answers.given.items()}
        other = "denied" if wanted != "denied" else "allowed"
        return Answers({**answers.given, ids[other]: wanted, ids[wanted]: "unasked"})

    return edit_observed(capture, Answers, exchange)


LIES: Mapping[str, Lie] = {another_answer.__name__: another_answer}
