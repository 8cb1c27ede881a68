"""Measure which decision was logged after each answer of a permission tool."""

from __future__ import annotations

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import Answers


def permission_answers(capture: Capture) -> list[Item]:
    """Return one item for each answer: the decision that was logged about the tool.

    ``logged`` is the decision and its source, ``nothing``, or ``several``. A run in which no
    decision was logged with the id of its tool has no item.
    """
    answers = observed(capture.run, Answers)
    decisions = [
        event.attributes
        for event in capture.events("tool_decision")
        if "tool_use_id" in event.attributes
    ]
    if answers is None or not decisions:
        return []
    items = []
    for tool_use_id, answer in answers.given.items():
        logged = [
            f"{decision.get('decision')!s} by {decision.get('source')!s}"
            for decision in decisions
            if decision["tool_use_id"] == tool_use_id
        ]
        word = logged[0] if len(logged) == 1 else "several" if logged else "nothing"
        where = f"{capture.run.label} · answer {answer}"
        items.append(Item(where, {"answer": answer, "logged": word}))
    return items


MEASURES = (permission_answers,)
