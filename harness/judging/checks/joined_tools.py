"""Checks that join events about tools to the tools of the session, by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ...capture.run import Decision, ToolRun
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import MISSING
from ..items.view import CaptureView
from .fields import (
    carrying,
    chosen,
    is_one_of,
    matches,
    nothing_seen,
    number,
)
from .matching import MCP_TOOL, paired, reported_name

#: How far the subject's clock and ours may lie apart, and what rounding takes away.
_SLACK_MS = 5.0
_SLACK_NS = 20_000_000


def joins_a_tool(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the id of a tool that the model asked for, in one event only."""
    asked = {decision.tool_use_id for decision in view.truth.decisions}
    having = carrying(requirement, view)
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    if not asked:
        return NotExercised("the model asked for no tool")
    times = Counter(shown(value) for _, value in having)
    findings = tuple(
        Finding(
            "the id of a tool that the model asked for, once",
            f"{shown(value)}{f', {times[shown(value)]} times' if times[shown(value)] > 1 else ''}",
            item.where,
        )
        for item, value in having
        if not is_one_of(value, asked) or times[shown(value)] > 1
    )
    return Judged(len(having), findings)


def of_its_tool(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the fact of the tool that ``params.fact`` names.

    The facts are ``name``, ``origin`` (``builtin`` or ``mcp``), ``decision`` and ``source`` (of
    the decision about it).
    """
    fact = _FACTS[str(requirement.params["fact"])]
    decisions = list(view.truth.decisions)
    if requirement.selects.name == "tool_result":
        # Without an id, a result must not be taken for that of a tool that never ran.
        ran = {run.tool_use_id for run in view.truth.tools_that_ran}
        decisions = [decision for decision in decisions if decision.tool_use_id in ran]
    findings = []
    looked_at = 0
    for decision, item in paired(decisions, chosen(requirement, view)):
        value = item.at(requirement.path)
        if value is MISSING or not matches(requirement, item):
            continue
        looked_at += 1
        wanted = fact(decision)
        if value != wanted and not (isinstance(value, str) and reported_name(value) == wanted):
            findings.append(
                Finding(f"{shown(wanted)}, as {decision.name} was", shown(value), item.where)
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def while_its_tool_ran(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the time is between the answer that asked for the tool and the next request.

    Without ids, two tools of one name cannot be told apart by anything else.
    """
    findings = []
    looked_at = 0
    for run, item in paired(view.truth.tools_that_ran, chosen(requirement, view)):
        at = item.at(requirement.path)
        if not (run.asked_unix_nano and run.returned_unix_nano and isinstance(at, int)):
            continue
        looked_at += 1
        early, late = run.asked_unix_nano - _SLACK_NS, run.returned_unix_nano + _SLACK_NS
        if not early <= at <= late:
            findings.append(
                Finding(
                    f"a time from {early} to {late}, while {run.tool_use_id} ({run.name}) ran",
                    str(at),
                    item.where,
                )
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def tool_took_as_long(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, in milliseconds, is not longer than the tool was away.

    That is from the answer that asked for it to the request with its result.
    """
    findings = []
    looked_at = 0
    for run, item in paired(view.truth.tools_that_ran, chosen(requirement, view)):
        took_ms = number(item.at(requirement.path))
        if took_ms is None or not run.asked_unix_nano:
            continue
        looked_at += 1
        most_ms = _away_ms(run)
        if took_ms > most_ms + _SLACK_MS:
            findings.append(
                Finding(
                    f"at most {most_ms:.0f} ms: so long {run.name} was away",
                    f"{took_ms:g} ms",
                    item.where,
                )
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def _away_ms(run: ToolRun) -> float:
    return (run.returned_unix_nano - run.asked_unix_nano) / 1e6


_FACTS: Mapping[str, Callable[[Decision], Any]] = {
    "name": lambda decision: reported_name(decision.name),
    "origin": lambda decision: "mcp" if reported_name(decision.name) == MCP_TOOL else "builtin",
    "decision": lambda decision: "accept" if decision.accepted else "reject",
    "source": lambda decision: decision.source,
}
