"""Which hooks were logged, against those that ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.assessment.assessment import catalogue
from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth, SubjectFacts
from harness.fakes.hook_stub import BLOCK, FAIL, HANG, SUCCEED
from harness.findings import Verdict
from harness.judging.expectations import NO_EXPECTATIONS, load_expectations
from harness.judging.judge import Judge
from harness.judging.verdicts import decide
from harness.themes.extensions import measures
from harness.themes.extensions.observed import ConfiguredHook, Hooked, HookRun

if TYPE_CHECKING:
    from tests.conftest import Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
TWO = (
    HookRun("one", SUCCEED, "PreToolUse", "Bash", "toolu_1"),
    HookRun("other", BLOCK, "PreToolUse", "Bash", "toolu_1"),
)
HUNG = (HookRun("one", HANG, "Stop"),)
STOP = ConfiguredHook("Stop", "command", "userSettings")
MATCHING = ConfiguredHook("PreToolUse", "command", "userSettings", "Bash")

Events = list[dict[str, Any]]


def hooked(*configured: ConfiguredHook, ran: tuple[HookRun, ...] = ()) -> Mapping[str, object]:
    return as_observed(Hooked(configured, ran, 1000))


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "body": f"claude_code.{name}",
        "attributes": {"event.name": name, "session.id": "s", **attributes},
    }


def registered(hook: ConfiguredHook, **more: Any) -> dict[str, Any]:
    return event(
        "hook_registered",
        hook_event=hook.event,
        hook_type=hook.type,
        hook_source=hook.source,
        **more,
    )


def start(name: str, number: int = 0, **more: Any) -> dict[str, Any]:
    told = {"hook_event": name.partition(":")[0], "hook_name": name, "num_hooks": 1, **more}
    return event("hook_execution_start", **{"event.sequence": number}, **told)


def end(name: str, number: int = 1, **more: Any) -> dict[str, Any]:
    counted = {
        f"num_{each}": 0 for each in ("success", "blocking", "non_blocking_error", "cancelled")
    }
    told = {"hook_event": name.partition(":")[0], "hook_name": name, "num_hooks": 1, **counted}
    return event(
        "hook_execution_complete",
        **{"event.sequence": number, "total_duration_ms": 5, **told, **more},
    )


@pytest.fixture
def measured(viewer: Viewer) -> Callable[..., list[Mapping[str, Any]]]:
    """Give what a measure makes of events and of what was observed."""

    def views(name: str, events: Events, **run: object) -> list[Mapping[str, Any]]:
        view = viewer(events=events, **{"truth": ASKED, **run})
        return [item.view for item in getattr(measures, name)(view.capture)]

    return views


@pytest.mark.parametrize(
    ("events", "missing", "extra"),
    [
        ([registered(STOP)] * 2, 0, 0),
        ([registered(STOP)], 1, 0),
        ([registered(STOP)] * 3, 0, 1),
        ([], 2, 0),
    ],
    ids=["both", "one missing", "one extra", "none"],
)
def test_hooks_are_registered_once_each(
    measured: Callable[..., Any], events: Events, missing: int, extra: int
) -> None:
    (view,) = measured("hooks_registered", events, observed=hooked(STOP, STOP))
    assert (view["missing"], view["extra"]) == (missing, extra)


def test_hooks_of_plugins_are_not_compared(measured: Callable[..., Any]) -> None:
    plugin = ConfiguredHook("Stop", "command", "pluginHook")
    (view,) = measured(
        "hooks_registered", [registered(STOP), registered(plugin)], observed=hooked(STOP)
    )
    assert (view["missing"], view["extra"]) == (0, 0)


@pytest.mark.parametrize(
    ("more", "fine"),
    [({"hook_matcher": "Bash"}, True), ({"hook_matcher": "R"}, False), ({}, False)],
)
def test_matchers_are_those_that_are_configured(
    measured: Callable[..., Any], more: dict[str, str], fine: bool
) -> None:
    events = [registered(MATCHING, **more)]
    (view,) = measured("hook_matchers", events, observed=hooked(MATCHING))
    assert view["as_configured"] is fine


BOTH = {"num_hooks": 2, "num_success": 1, "num_blocking": 1}
NAME = "PreToolUse:Bash"


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ([start(NAME, num_hooks=2), end(NAME, **BOTH)], {}),
        ([end(NAME, **BOTH)], {"missing_starts": 1}),
        ([start(NAME, num_hooks=2)], {"missing_ends": 1}),
        ([start(NAME, num_hooks=2)] * 2, {"extra_starts": 1, "miscounted_starts": 1}),
        ([start(NAME, num_hooks=3)], {"miscounted_starts": 1}),
        ([end(NAME, **{**BOTH, "num_success": 2})], {"miscounted_ends": 1}),
        ([end(NAME, **BOTH, num_cancelled=1)], {"miscounted_ends": 1}),
        ([end(NAME, **BOTH, total_duration_ms=10**9)], {"too_long": 1}),
        ([start(NAME, num_hooks=2, hook_event="Stop")], {"missing_starts": 1}),
    ],
    ids=[
        "all",
        "no start",
        "no end",
        "two starts",
        "more hooks",
        "more successes",
        "one cancelled",
        "longer than the session",
        "another event",
    ],
)
def test_what_is_logged_is_held_to_what_ran(
    measured: Callable[..., Any], events: Events, wrong: dict[str, int]
) -> None:
    times = {"started_unix_nano": 0, "ended_unix_nano": 10**10}
    (view,) = measured("hook_executions", events, observed=hooked(ran=TWO), **times)
    assert {key: view[key] for key in wrong} == wrong
    if not wrong:
        assert not any(value for value in view.values() if isinstance(value, int))


@pytest.mark.parametrize(("duration", "short"), [(1000, 0), ("1003", 0), (1, 1), ("soon", 1)])
def test_a_hook_that_never_ends_takes_as_long_as_it_may(
    measured: Callable[..., Any], duration: object, short: int
) -> None:
    events = [start("Stop"), end("Stop", num_cancelled=1, total_duration_ms=duration)]
    (view,) = measured("hook_executions", events, observed=hooked(ran=HUNG))
    assert view["too_short"] == short


def test_two_tools_are_two_executions(measured: Callable[..., Any]) -> None:
    ran = tuple(HookRun("one", FAIL, "PreToolUse", "Bash", f"toolu_{n}") for n in (1, 2))
    events = [end(NAME, num_non_blocking_error=1)] * 2
    (view,) = measured("hook_executions", events, observed=hooked(ran=ran))
    assert (view["missing_ends"], view["extra_ends"], view["miscounted_ends"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("events", "unstarted"),
    [
        ([start("Stop", 0), end("Stop", 1)], 0),
        ([end("Stop", 1), start("Stop", 0)], 0),
        ([end("Stop", 0), start("Stop", 1)], 1),
        ([end("Stop", 0)], 1),
        ([start("Stop", 0), end("Stop", 1), end("Stop", 2)], 1),
    ],
    ids=["paired", "late", "before its start", "alone", "twice"],
)
def test_an_end_without_a_start_is_found_in_any_session(
    measured: Callable[..., Any], events: Events, unstarted: int
) -> None:
    (view,) = measured("hook_pairs", events, observed={})
    assert view["unstarted"] == unstarted


@pytest.mark.parametrize("name", ["hooks_registered", "hook_matchers", "hook_executions"])
def test_a_session_without_hooks_says_nothing(measured: Callable[..., Any], name: str) -> None:
    assert measured(name, [registered(STOP), end("Stop")], observed={}) == []


SESSION_START = "SessionStart:startup"


@pytest.mark.parametrize("release", ["2.1.140", "2.1.153"])
def test_a_start_hook_that_ends_without_having_begun_breaks_a_promise(
    viewer: Viewer, release: str
) -> None:
    """The promise is younger than these releases, but was seen to be kept, but for this."""
    contract, own = catalogue(release), SubjectFacts("test", "/bin/test", release)
    promise = contract.requirement("hooks.ends.after_a_start")
    verdicts = []
    for events in ([end(SESSION_START)], [start(SESSION_START), end(SESSION_START)]):
        view = viewer(events=events, scenario="extensions", subject=own, truth=ASKED)
        judgement = Judge(contract).judge(promise, [view])
        verdicts.append(decide(contract, promise, judgement, NO_EXPECTATIONS).verdict)
    assert verdicts == [Verdict.FAIL, Verdict.PASS]
    # Whoever runs these releases is told that it is known.
    names = [each.name for each in contract.requirements]
    listed = load_expectations(contract.version, names=names).get(promise.name)
    assert listed is not None
    assert "SessionStart" in listed.reason
