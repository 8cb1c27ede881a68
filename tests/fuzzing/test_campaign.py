"""Campaigns on subjects of a line of Python: what they find, shrink and remember."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from harness.fuzzing import campaign
from harness.fuzzing.campaign import Broken, Campaign, Plan, run

TEXT = Campaign("text", st.text("ab=", max_size=20), 200)
PLAN = Plan(seconds=600, workers=2, seed=1)


def no_equals(example: str) -> Sequence[str]:
    return ["an equals sign"] if "=" in example else []


def test_a_subject_that_keeps_its_promises_breaks_nothing() -> None:
    seen: list[str] = []

    def attempt(example: str) -> Sequence[str]:
        seen.append(example)
        return []

    assert run([TEXT], attempt, PLAN) == ()
    assert len(seen) > 50
    assert len(set(seen)) == len(seen), "each example is tried once"


def test_what_breaks_is_shrunk_to_its_core() -> None:
    found = run([TEXT], no_equals, PLAN)
    assert found == (Broken("text", "=", ("an equals sign",)),)


def test_campaigns_run_side_by_side_and_report_in_order() -> None:
    together = threading.Barrier(2)
    names = ["first", "second"]

    def attempt(example: tuple[str, int]) -> Sequence[str]:
        together.wait(60)  # passes only if both are under way
        return [example[0]]

    campaigns = [Campaign(name, st.tuples(st.just(name), st.just(0)), 1) for name in names]
    found = run(campaigns, attempt, PLAN)
    assert [broken.campaign for broken in found] == names


@pytest.mark.parametrize("seed", [None, 3])
def test_failures_are_remembered_by_campaign(seed: int | None) -> None:
    database = InMemoryExampleDatabase()
    plan = Plan(seconds=600, workers=1, seed=seed, database=database)
    assert run([TEXT], no_equals, plan)
    first: list[str] = []

    def attempt(example: str) -> Sequence[str]:
        first.append(example)
        return no_equals(example)

    run([TEXT], attempt, plan)
    assert first[0] == "="
    first.clear()
    other = Campaign("other", TEXT.strategy, 1)
    run([other], attempt, plan)
    assert first[0] != "="


def test_a_seed_draws_the_same_again() -> None:
    def drawn() -> list[str]:
        seen: list[str] = []

        def attempt(example: str) -> Sequence[str]:
            seen.append(example)
            return []

        run([TEXT], attempt, PLAN)
        return seen

    once = drawn()
    assert len(set(once)) > 1
    assert drawn() == once


def test_without_a_number_a_campaign_lasts_its_time() -> None:
    endless = Campaign("endless", st.integers(), None)
    database = InMemoryExampleDatabase()
    started = time.monotonic()
    assert run([endless], lambda example: [], Plan(0.2, 1, database=database)) == ()
    assert time.monotonic() - started >= 0.2
    assert not any(database.data.values()), "to be out of time is no failure"


class Clock:
    """Goes on by a second with each example that is tried."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(campaign, "monotonic_s", made.monotonic)
    return made


def test_after_its_time_nothing_new_is_tried_and_what_broke_stays(clock: Clock) -> None:
    tried: list[float] = []

    def attempt(example: tuple[int, ...]) -> Sequence[str]:
        clock.seconds += 1
        tried.append(clock.seconds)
        return ["much"] if sum(example) > 1000 else []

    numbers = st.lists(st.integers(), min_size=5).map(tuple)
    (found,) = run([Campaign("numbers", numbers, None)], attempt, Plan(40, 1, seed=3))
    assert sum(found.example) > 1000
    assert tried[-1] == 40


def test_a_fault_of_ours_ends_everything() -> None:
    def attempt(example: str) -> Sequence[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([TEXT], attempt, PLAN)


def test_what_is_always_tried_comes_first_and_whatever_the_time() -> None:
    seen: list[str] = []

    def attempt(example: str) -> Sequence[str]:
        seen.append(example)
        return []

    plan = Plan(seconds=0.0, workers=1)
    assert run([Campaign("text", TEXT.strategy, None)], attempt, plan, ["one", "two"]) == ()
    assert seen == ["one", "two"]


def test_no_more_are_tried_at_a_time_than_there_are_workers() -> None:
    at_work, most = 0, 0
    counting = threading.Lock()

    def attempt(example: int) -> Sequence[str]:
        nonlocal at_work, most
        with counting:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.001)  # room for one too many, who would give no other sign
        with counting:
            at_work -= 1
        return []

    campaigns = [Campaign(str(n), st.integers(), 20) for n in range(6)]
    run(campaigns, attempt, Plan(600, 2))
    assert most == 2


def test_there_is_time_to_shrink_what_was_found_at_the_end(clock: Clock) -> None:
    found_at: list[float] = []

    def attempt(example: str) -> Sequence[str]:
        reasons = ["long"] if len(example) > 2 else []
        if reasons and not found_at:
            clock.seconds = 99.0  # that was the last one in time
        clock.seconds += 1
        if reasons:
            found_at.append(clock.seconds)
        return reasons

    endless = Campaign("text", TEXT.strategy, None)
    (found,) = run([endless], attempt, Plan(99.5, 1, seed=5, grace_s=500))
    assert len(found.example) == 3
    assert 99.5 < found_at[-1] < 600


def test_enough_is_enough_but_not_too_soon(clock: Clock) -> None:
    tried: list[float] = []

    def attempt(example: str) -> Sequence[str]:
        clock.seconds += 1
        tried.append(clock.seconds)
        return []

    plan = Plan(1000, 1, seed=5, least_s=10, enough=lambda: True)
    assert run([Campaign("text", TEXT.strategy, None)], attempt, plan) == ()
    assert tried[-1] == 10


def test_whoever_waits_is_told_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "_WAITING_S", 0.01)
    notified = threading.Event()

    def attempt(example: str) -> Sequence[str]:
        assert notified.wait(60)
        return []

    run([], attempt, Plan(600, 1, waiting=notified.set), ["one"])
    assert notified.is_set()
