"""Which servers, skills and subagents were logged, against those that the fakes saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, GroundTruth, ToolRun
from harness.themes.called import measures

if TYPE_CHECKING:
    from tests.conftest import Viewer

MS = 1_000_000
MCP = ToolRun("mcp__shop__order", "toolu_1", {}, True)
SKILL = ToolRun("Skill", "toolu_2", {"skill": "greet"}, True)
TASK = ToolRun(
    "Task",
    "toolu_3",
    {"subagent_type": "helper", "run_in_background": False},
    True,
    asked_unix_nano=100 * MS,
    returned_unix_nano=400 * MS,
)
CALL = ApiCall(
    "haiku-1",
    200,
    True,
    True,
    "req_1",
    input_tokens=1,
    output_tokens=20,
    cache_read_tokens=300,
    cache_creation_tokens=4000,
    arrived_unix_nano=200 * MS,
    answered_unix_nano=250 * MS,
)
TOLD = {
    "agent_type": "helper",
    "total_tokens": 4321,
    "total_tool_uses": 0,
    "duration_ms": 200,
    "model": "haiku-1[1m]",
    "final_model": "haiku-1",
}

Events = list[dict[str, Any]]
Views = Callable[..., list[Mapping[str, Any]]]


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


def connection(status: str, **more: Any) -> dict[str, Any]:
    told = {"status": status, "duration_ms": "20", "server_name": "shop", **more}
    return event("mcp_server_connection", **told)


def skill(name: str, trigger: str = "claude-proactive") -> dict[str, Any]:
    return event("skill_activated", **{"skill.name": name, "invocation_trigger": trigger})


@pytest.fixture
def measured(viewer: Viewer) -> Views:
    """Give what a measure makes of events and of what the fakes saw."""

    def views(
        name: str, events: Events, *runs: ToolRun, calls: tuple[ApiCall, ...] = (CALL,)
    ) -> list[Mapping[str, Any]]:
        truth = GroundTruth(tool_runs=runs, api_calls=calls)
        return [
            item.view
            for item in getattr(measures, name)(
                viewer(
                    events=events, truth=truth, started_unix_nano=0, ended_unix_nano=1000 * MS
                ).capture
            )
        ]

    return views


BOTH = [connection("connected"), connection("disconnected")]


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        (BOTH, {}),
        ([], {"missing": 1, "unended": 1, "misnamed": 1}),
        (BOTH[:1], {"unended": 1}),
        ([*BOTH, BOTH[0]], {"extra": 1}),
        ([*BOTH, BOTH[1]], {"unended": 1}),
        ([connection("connected", server_name="till"), BOTH[1]], {"misnamed": 1}),
        ([connection("connected", duration_ms=0), BOTH[1]], {"mistimed": 1}),
        ([connection("connected", duration_ms=10**9), BOTH[1]], {"mistimed": 1}),
        ([*BOTH, connection("failed", error_code="ENOENT")], {}),
    ],
)
def test_servers_connect_and_disconnect_once(
    measured: Views, events: Events, wrong: dict[str, int]
) -> None:
    (view,) = measured("mcp_connections", events, MCP, MCP)
    assert {key: value for key, value in view.items() if value} == wrong


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ([skill("greet")], {"unhidden": 1}),
        ([skill("custom_skill")], {"misnamed": 2}),
        ([], {"missing": 1, "misnamed": 1}),
        ([skill("greet"), skill("greet")], {"extra": 1, "misnamed": 1, "unhidden": 2}),
        ([skill("greet"), skill("else", "user-slash")], {"unhidden": 1}),
    ],
)
def test_skills_are_logged_once_by_name(
    measured: Views, events: Events, wrong: dict[str, int]
) -> None:
    (view,) = measured("skills_used", events, SKILL)
    assert {key: value for key, value in view.items() if value} == wrong


@pytest.mark.parametrize(("number", "missing", "extra"), [(0, 1, 0), (1, 0, 0), (2, 0, 1)])
def test_subagents_are_logged_once(measured: Views, number: int, missing: int, extra: int) -> None:
    (view,) = measured("subagents_used", [event("subagent_completed")] * number, TASK)
    assert view == {"missing": missing, "extra": extra}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, {"hidden"}),
        ({"agent_type": "custom"}, {"named"}),
        ({"total_tokens": 4301}, {"hidden", "tokens_billed"}),
        ({"total_tool_uses": 1}, {"hidden", "no_tools"}),
        ({"duration_ms": 1}, {"hidden", "in_time"}),
        ({"duration_ms": 100_000}, {"hidden", "in_time"}),
        ({"model": "haiku"}, {"hidden", "model_asked"}),
        ({"final_model": ""}, {"hidden", "final_model_asked"}),
    ],
)
def test_a_subagent_is_joined_with_its_request(
    measured: Views, more: dict[str, Any], wrong: set[str]
) -> None:
    events = [event("subagent_completed", **{**TOLD, **more})]
    (view,) = measured("subagents_joined", events, TASK)
    assert {key for key, fine in view.items() if not fine} == wrong


@pytest.mark.parametrize(
    ("runs", "calls"),
    [
        ((TASK, replace(TASK, tool_use_id="toolu_4")), (CALL,)),
        ((TASK,), ()),
        ((replace(TASK, input={"subagent_type": "helper"}),), (CALL,)),
        ((replace(TASK, ok=False),), (CALL,)),
    ],
    ids=["two at once", "no request", "perhaps in the background", "failed"],
)
def test_nothing_is_joined_where_nobody_knows_what(
    measured: Views, runs: tuple[ToolRun, ...], calls: tuple[ApiCall, ...]
) -> None:
    events = [
        event("subagent_completed", **TOLD, **{"event.sequence": n}) for n in range(len(runs))
    ]
    assert measured("subagents_joined", events, *runs, calls=calls) == []


@pytest.mark.parametrize(
    "name", ["mcp_connections", "skills_used", "subagents_used", "subagents_joined"]
)
def test_sessions_that_call_upon_nothing_say_nothing(measured: Views, name: str) -> None:
    assert measured(name, [*BOTH, skill("greet"), event("subagent_completed", **TOLD)]) == []
