"""The table canary × place × gate, as it is made from captures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import GroundTruth
from harness.judging.checks.canaries import Spot, table

if TYPE_CHECKING:
    from tests.conftest import Require, Viewer

PROMPTS, DETAILS = "OTEL_LOG_USER_PROMPTS", "OTEL_LOG_TOOL_DETAILS"
TEXTS = {"prompt": "qKanary7Zx", "api_key": "wSecret9Yy"}

Take = Callable[..., Capture]


@pytest.fixture
def take(viewer: Viewer) -> Take:
    """A capture of a run with these gates open and these attributes of one event."""

    def taken(*gates: str, hidden: tuple[str, ...] = ("prompt",), **attributes: str) -> Capture:
        capture: Capture = viewer(
            events=[{"body": "claude_code.x", "attributes": attributes}],
            truth=GroundTruth(canaries={name: TEXTS[name] for name in hidden}),
            environment=dict.fromkeys(gates, "1"),
        ).capture
        return capture

    return taken


def kept(
    requirement: Require, *allowed: dict[str, str], canary: str = "prompt", **more: Any
) -> Any:
    return requirement(
        "confined", kind="exports", name="", canary=canary, allowed=list(allowed), **more
    )


def test_no_captures_and_no_canaries_make_no_table(take: Take, requirement: Require) -> None:
    assert table([], [kept(requirement)]) == ((), ())
    assert table([take(hidden=(), k=TEXTS["prompt"])], [kept(requirement)]) == ((), ())


def test_gates_stand_in_the_order_of_their_openness(take: Take) -> None:
    captures = [take(PROMPTS, DETAILS), take(DETAILS), take(), take(PROMPTS), take(DETAILS)]
    gates, _ = table(captures, [])
    assert gates == ("closed", "prompts", "details", "prompts+details")


def test_a_gate_is_open_at_1_only(viewer: Viewer) -> None:
    truth = GroundTruth(canaries={"prompt": TEXTS["prompt"]})
    views = [viewer(truth=truth, environment={PROMPTS: value}) for value in ("0", "", "true")]
    assert table([view.capture for view in views], [])[0] == ("closed",)


def test_a_row_for_each_place_and_one_for_what_was_seen_nowhere(take: Take) -> None:
    seen = take(hidden=("prompt", "api_key"), b=TEXTS["prompt"], a=TEXTS["prompt"])
    assert table([seen, take(PROMPTS, b=TEXTS["prompt"])], [])[1] == (
        Spot("api_key", "", {}),
        Spot("prompt", "logs x attributes.a", {"closed": True}),
        Spot("prompt", "logs x attributes.b", {"closed": True, "prompts": True}),
    )


def test_a_mark_follows_the_gates_of_its_run(take: Take, requirement: Require) -> None:
    rule = kept(requirement, {"place": "logs x attributes.k", "with": PROMPTS})
    captures = [take(*gates, k=TEXTS["prompt"]) for gates in ((), (PROMPTS,), (DETAILS,))]
    assert table(captures, [rule])[1] == (
        Spot("prompt", "logs x attributes.k", {"closed": False, "prompts": True, "details": False}),
    )


def test_both_rules_of_a_canary_must_allow_it(take: Take, requirement: Require) -> None:
    here = {"place": "logs x attributes.k"}
    captures = [take(k=TEXTS["prompt"])]

    def mark(*rules: Any) -> bool:
        (spot,) = table(captures, rules)[1]
        return spot.seen["closed"]

    lenient, strict = kept(requirement, here), kept(requirement)
    assert mark(lenient, lenient)
    assert not mark(lenient, strict)
    assert not mark(strict, lenient)
    assert mark(lenient, kept(requirement, canary="api_key"))
    assert mark(lenient, kept(requirement, given={PROMPTS: "1"}))
    assert mark(lenient, kept(requirement, scenarios=("holiday",)))
    assert mark(lenient, requirement("shown_at", canary="prompt", place="nowhere"))


def test_one_forbidden_run_of_several_with_the_same_gates_is_enough(
    take: Take, requirement: Require, viewer: Viewer
) -> None:
    rule = kept(requirement, scenarios=("holiday",))
    away = viewer(
        events=[{"body": "claude_code.x", "attributes": {"k": TEXTS["prompt"]}}],
        truth=GroundTruth(canaries={"prompt": TEXTS["prompt"]}),
        scenario="holiday",
    ).capture
    home = take(k=TEXTS["prompt"])
    for captures in ([away, home], [home, away]):
        (spot,) = table(captures, [rule])[1]
        assert spot.seen == {"closed": False}
    (spot,) = table([home], [rule])[1]
    assert spot.seen == {"closed": True}
