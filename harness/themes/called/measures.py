"""Measure which servers, skills and subagents were logged, against what the fakes saw of them.

That a server was there is known by its tools, which answered; that a skill or a subagent was used,
by the tool that the model asked for, whose result came back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ...capture.capture import Capture
from ...capture.run import ApiCall, ToolRun
from ...judging.items.item import Item
from ...judging.items.measured import integer
from ...otlp.model import Event

_MCP, _SKILL, _SUBAGENT = "mcp__", "Skill", ("Task", "Agent")

#: What stands for names that are not shown.
_ANY_SKILL, _ANY_AGENT = "custom_skill", "custom"

#: Clocks are read to the millisecond, by two processes.
_ROUNDED_MS = 5


def mcp_connections(capture: Capture) -> list[Item]:
    """Return one item for a session in which tools of MCP servers answered.

    ``missing`` and ``extra`` compare the servers with the events of connections, ``unended`` those
    of both kinds, ``misnamed`` the names, ``mistimed`` are connections that took no time, or longer
    than until the first use of a server.
    """
    runs = [run for run in _used(capture, _MCP) if run.name.count("__") > 1]
    if not runs:
        return []
    servers = {run.name.split("__")[1] for run in runs}
    events = capture.events("mcp_server_connection")
    begun = [event for event in events if event.attributes.get("status") == "connected"]
    ended = [event for event in events if event.attributes.get("status") == "disconnected"]
    asked = [run.asked_unix_nano for run in runs if run.asked_unix_nano]
    latest = min(asked, default=capture.run.ended_unix_nano) - capture.run.started_unix_nano
    most_ms = latest / 1e6 + _ROUNDED_MS
    took = [integer(event.attributes.get("duration_ms")) for event in begun]
    return [
        Item(
            f"{capture.run.label} · servers of MCP",
            {
                "missing": max(0, len(servers) - len(begun)),
                "extra": max(0, len(begun) - len(servers)),
                "unended": abs(len(servers) - len(ended)),
                "misnamed": _different(sorted(servers), _texts(events, "server_name", once=True)),
                "mistimed": sum(not 1 <= value <= most_ms for value in took),
            },
        )
    ]


def skills_used(capture: Capture) -> list[Item]:
    """Return one item for a session whose model used skills: how many, and which were logged.

    ``misnamed`` are skills that are not logged by name, ``unhidden`` those that are not logged by
    the placeholder.
    """
    runs = [run for run in _used(capture, _SKILL) if run.name == _SKILL]
    if not runs:
        return []
    events = [
        event
        for event in capture.events("skill_activated")
        if event.attributes.get("invocation_trigger") != "user-slash"
    ]
    names = _texts(events, "skill.name")
    return [
        Item(
            f"{capture.run.label} · skills",
            {
                "missing": max(0, len(runs) - len(events)),
                "extra": max(0, len(events) - len(runs)),
                "misnamed": _different(sorted(str(run.input.get("skill")) for run in runs), names),
                "unhidden": sum(name != _ANY_SKILL for name in names),
            },
        )
    ]


def subagents_used(capture: Capture) -> list[Item]:
    """Return one item for a session with subagents: how many there were, and were logged."""
    runs, events = _subagents(capture), capture.events("subagent_completed")
    if not runs:
        return []
    return [
        Item(
            f"{capture.run.label} · subagents",
            {
                "missing": max(0, len(runs) - len(events)),
                "extra": max(0, len(events) - len(runs)),
            },
        )
    ]


def subagents_joined(capture: Capture) -> list[Item]:
    """Return one item for each logged subagent, compared with what the API saw of it.

    Its requests are those that came between the answer that asked for it and its result. Where
    other subagents are at work at that time, or there are more events or fewer, nobody knows which
    is which, and there is no item.
    """
    runs = sorted(_subagents(capture), key=lambda run: run.returned_unix_nano)
    events = sorted(
        capture.events("subagent_completed"),
        key=lambda event: integer(event.attributes.get("event.sequence")),
    )
    # A copy of an event says what the event itself says.
    events = [event for index, event in enumerate(events) if event not in events[:index]]
    follow = all(one.returned_unix_nano <= two.asked_unix_nano for one, two in pairwise(runs))
    if len(runs) != len(events) or not follow:
        return []
    return [
        Item(f"{capture.run.label} · subagent {run.tool_use_id}", _joined(event, run, calls))
        for event, run in zip(events, runs, strict=True)
        if (calls := _calls_within(capture, run))
    ]


def _joined(event: Event, run: ToolRun, calls: Sequence[ApiCall]) -> dict[str, bool]:
    last = calls[-1]
    read = last.input_tokens + last.cache_creation_tokens + last.cache_read_tokens
    most_ms = (run.returned_unix_nano - run.asked_unix_nano) / 1e6 + _ROUNDED_MS
    least_ms = (last.answered_unix_nano - last.arrived_unix_nano) / 1e6 - _ROUNDED_MS
    attributes = event.attributes
    return {
        "named": attributes.get("agent_type") == run.input.get("subagent_type"),
        "hidden": attributes.get("agent_type") == _ANY_AGENT,
        "tokens_billed": integer(event.attributes.get("total_tokens")) == read + last.output_tokens,
        "no_tools": integer(event.attributes.get("total_tool_uses")) == 0,
        "in_time": max(1, least_ms) <= integer(event.attributes.get("duration_ms")) <= most_ms,
        "model_asked": _without_suffix(attributes.get("model")) == _without_suffix(calls[0].model),
        "final_model_asked": _without_suffix(attributes.get("final_model"))
        == _without_suffix(last.model),
    }


def _without_suffix(model: object) -> str:
    """Return a model's name without the suffix for its context window (``[1m]``)."""
    return str(model).partition("[")[0]


def _calls_within(capture: Capture, run: ToolRun) -> list[ApiCall]:
    """Return the answered requests that a subagent made, the first one first."""
    calls = [
        call
        for call in capture.run.truth.api_calls
        if call.status == 200
        and call.auxiliary
        and not call.probe
        and run.asked_unix_nano <= call.arrived_unix_nano
        and call.answered_unix_nano <= run.returned_unix_nano
    ]
    return sorted(calls, key=lambda call: call.arrived_unix_nano)


def _subagents(capture: Capture) -> list[ToolRun]:
    """Return the tool runs of subagents that the conversation waited for."""
    return [
        run
        for name in _SUBAGENT
        for run in _used(capture, name)
        if run.input.get("run_in_background") is False
    ]


def _used(capture: Capture, beginning: str) -> list[ToolRun]:
    return [
        run for run in capture.run.truth.tools_that_ran if run.ok and run.name.startswith(beginning)
    ]


def _texts(events: Sequence[Event], key: str, *, once: bool = False) -> list[str]:
    texts = [str(event.attributes.get(key, "")) for event in events]
    return sorted(set(texts) if once else texts)


def _different(wanted: Sequence[str], told: Sequence[str]) -> int:
    """Count the texts that are on one side only."""
    one, other = Counter(wanted), Counter(told)
    return (one - other).total() + (other - one).total()


MEASURES = (mcp_connections, skills_used, subagents_used, subagents_joined)
