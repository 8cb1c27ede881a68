"""Explorations of subjects that are made up: what is kept, and what is held against them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, InMemoryExampleDatabase

from harness.capture.capture import Capture
from harness.capture.run import ApiCall, GroundTruth, Run, SubjectFacts
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.env_lists.pairs import read
from harness.errors import SubjectError
from harness.fuzzing import campaign, exploration
from harness.fuzzing.exploration import Exploration, Profile, database
from harness.fuzzing.inputs import campaigns
from harness.otlp.model import Protocol
from harness.running.scenario import Scenario
from harness.themes.free_form.scenarios import Input

pytestmark = pytest.mark.slow

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
VARIABLE = "OTEL_RESOURCE_ATTRIBUTES"

#: What a subject ends with, given the value of the variable.
Subject = Callable[[str], int]


class Clock:
    """Goes on by a second with each session, however long the machine takes for it."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self._seconds

    def session(self) -> None:
        with self._lock:
            self._seconds += 1


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (campaign, exploration):
        monkeypatch.setattr(module, "monotonic_s", made.monotonic)
    return made


def sound(text: str) -> int:
    return 0


def run_by(subject: Subject) -> Callable[[Scenario, Protocol], Capture]:
    def run(scenario: Scenario, protocol: Protocol) -> Capture:
        exploration.monotonic_s.__self__.session()  # type: ignore[attr-defined]
        exit_code = subject(scenario.environment.get(VARIABLE, ""))
        run = Run(
            scenario=scenario.name,
            protocol=protocol,
            subject=SubjectFacts("test", "/bin/test", "2.1.240"),
            argv=("test",),
            environment=scenario.environment,
            started_unix_nano=0,
            ended_unix_nano=1,
            exit_code=exit_code,
            stdout="",
            stderr="what it said last",
            truth=ASKED if exit_code == 0 else GroundTruth(),
            traits=scenario.all_traits,
        )
        return Capture(run, ())

    return run


def explored(
    oracle: Callable[[Capture], Sequence[str]],
    subject: Subject = sound,
    *,
    seconds: float = 0.0,
    first: Sequence[Input] = (),
    others_wait: Callable[[], bool] = lambda: False,
    **options: Any,
) -> tuple[Exploration, Sequence[Capture]]:
    made = Exploration(
        "quick",
        Profile(seconds, 2000.0, 1.0),
        7,
        options.pop("database", None),
        oracle,
        print,
        first,
    )
    return made, made(run_by(subject), others_wait)


def texts(captures: Sequence[Capture]) -> list[str]:
    return [capture.run.environment.get(VARIABLE, "") for capture in captures]


def inputs(*attributes: str) -> list[Input]:
    return [Input(Protocol.GRPC, text) for text in attributes]


def test_a_bare_session_comes_first_and_small_inputs_before_large_ones() -> None:
    made, captures = explored(lambda capture: (), first=inputs("a=333", "a=1", "a=22"))
    assert texts(captures) == ["", "a=1", "a=22", "a=333"]
    assert made.tally.sessions == 4
    assert (made.tally.profile, made.tally.seed) == ("quick", "7")


def test_what_is_always_tried_is_kept_and_of_the_rest_the_smallest_that_breaks() -> None:
    def oracle(capture: Capture) -> Sequence[str]:
        return ["any"] if capture.run.environment.get(VARIABLE) else []

    made, captures = explored(oracle, seconds=60, first=inputs("always=1", "always=22"))
    drawn = [text for text in texts(captures) if text and "always" not in text]
    assert {"always=1", "always=22"} <= set(texts(captures))
    assert len(drawn) == 1
    assert made.tally.sessions > len(captures)
    assert made.broken_after == {"any": 2}


def test_what_breaks_without_an_input_is_not_blamed_on_one() -> None:
    made, _ = explored(lambda capture: ["anyway"], seconds=20)
    assert made.broken_after == {}


def test_a_campaign_shrinks_what_it_finds() -> None:
    def oracle(capture: Capture) -> Sequence[str]:
        members = read(capture.run.environment.get(VARIABLE, "")).members
        return ["upper"] if any(each.key != each.key.lower() for each in members) else []

    made, captures = explored(oracle, seconds=400)
    assert "upper" in made.broken_after
    (smallest, *_) = [text for text in texts(captures) if text != text.lower()]
    assert len(smallest) <= len("A=")


def test_a_failure_is_remembered_for_the_next_time() -> None:
    def oracle(capture: Capture) -> Sequence[str]:
        return ["found"] if "=" in capture.run.environment.get(VARIABLE, "") else []

    kept = InMemoryExampleDatabase()
    explored(oracle, seconds=200, database=kept)
    assert any(kept.data.values())


def test_a_session_that_did_not_survive_is_judged_for_that_alone() -> None:
    judged: list[Capture] = []

    def oracle(capture: Capture) -> Sequence[str]:
        judged.append(capture)
        return ()

    explored(oracle, lambda text: -9 if text == "a=1" else 0, first=inputs("a=1", "a=2"))
    by_name = {
        text: JUDGED_ONLY_BY_NAME in each.run.traits
        for text, each in zip(texts(judged), judged, strict=True)
    }
    assert by_name == {"": False, "a=1": True, "a=2": False}


def test_a_subject_that_never_works_is_not_judged() -> None:
    with pytest.raises(SubjectError, match=r"exit code 3.*\n.*\nwhat it said last"):
        explored(lambda capture: (), lambda text: 3)


def test_the_tally_counts_what_was_done_before_a_fault() -> None:
    def oracle(capture: Capture) -> Sequence[str]:
        if capture.run.environment.get(VARIABLE):
            raise ZeroDivisionError
        return ()

    made = Exploration("quick", Profile(0, 0), 7, None, oracle, print, inputs("a=1"))
    with pytest.raises(ZeroDivisionError):
        made(run_by(sound), lambda: False)
    assert made.tally.sessions == 1
    assert made.tally.seconds > 0


def test_a_database_of_the_users_own_is_used(tmp_path: Path) -> None:
    own = InMemoryExampleDatabase()
    before = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.register_profile("own", database=own)
    hypothesis.settings.register_profile("without", database=None)
    try:
        hypothesis.settings.load_profile("own")
        assert database(tmp_path) is own
        hypothesis.settings.load_profile("without")
        assert database(tmp_path) == DirectoryBasedExampleDatabase(
            tmp_path / ".hypothesis" / "examples"
        )
    finally:
        hypothesis.settings.load_profile(before)


def test_a_whole_run_is_not_much_longer_for_it(clock: Clock) -> None:
    """When the others are done, each campaign may end the session that it is in."""
    explored(lambda capture: (), seconds=600, others_wait=lambda: clock.monotonic() < 20)
    assert 20 <= clock.monotonic() <= 20 + len(campaigns(tuple(Protocol)))
