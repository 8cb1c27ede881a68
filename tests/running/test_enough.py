"""A recording ends as soon as somebody has seen enough, and keeps what was made until then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.errors import SubjectError
from harness.otlp.model import Protocol
from harness.running.recorder import Enough, Recorded, RunDrawn, record
from harness.running.scenario import Scenario
from harness.subject.binary import Binary

#: Ends at once, hangs or fails, as the scenario's environment says.
SUBJECT = """
import os, sys, time
if os.environ.get("DOES") == "hang":
    time.sleep(600)
"""

DRAWN = Scenario("drawn", "Is drawn.", prompt="Go.", drawn=True)


def one(name: str, does: str = "") -> Scenario:
    grpc = (Protocol.GRPC,)
    return Scenario(name, "Is one.", prompt="Go.", protocols=grpc, environment={"DOES": does})


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Recorded]:
    """Record these scenarios; nothing hangs but what is told to, and that for longer than this."""
    path = tmp_path / "subject.py"
    path.write_text(SUBJECT, encoding="utf-8")
    binary = Binary("test", (sys.executable, str(path)), str(path), "2.1.31")

    def make(*scenarios: Scenario, enough: Enough, **how: object) -> Recorded:
        options = {"deadline_s": 500.0, "keep": tmp_path / "kept", **how}
        return record(
            binary, scenarios=scenarios, progress=lambda _: None, enough=enough, **options
        )

    return make


def test_what_runs_is_ended_and_what_waits_is_not_begun(
    made: Callable[..., Recorded], tmp_path: Path
) -> None:
    hanging = [one(f"hangs_{n}", "hang") for n in range(9)]
    recorded = made(one("first"), *hanging, enough=lambda _: "that was enough")
    assert [capture.run.label for capture in recorded.captures] == ["first over grpc"]
    assert recorded.faults == {}
    assert recorded.skipped == {f"{each.name} over grpc": "that was enough" for each in hanging}
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["first-grpc"]


def test_as_long_as_it_is_not_enough_all_goes_on(made: Callable[..., Recorded]) -> None:
    seen: list[str] = []

    def enough(ended: Capture | SubjectError) -> str:
        assert isinstance(ended, Capture)
        seen.append(ended.run.scenario)
        return ""

    recorded = made(one("first"), one("second"), enough=enough)
    assert sorted(seen) == ["first", "second"]
    assert (len(recorded.captures), recorded.skipped) == (2, {})


def test_what_is_drawn_is_left_out_or_looked_at(made: Callable[..., Recorded]) -> None:
    def explore(run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        while others_wait():
            run_drawn(DRAWN, Protocol.GRPC)
        return [run_drawn(DRAWN, Protocol.HTTP_JSON)]

    def by(scenario: str) -> Enough:
        return lambda each: (
            "that was enough" if isinstance(each, Capture) and each.run.scenario == scenario else ""
        )

    scenarios = (DRAWN, one("first"), one("hangs", "hang"))
    recorded = made(*scenarios, enough=by("first"), explore=explore)
    assert [capture.run.scenario for capture in recorded.captures] == ["first"]
    assert {*recorded.skipped} == {"hangs over grpc", *(f"drawn over {each}" for each in Protocol)}
    recorded = made(DRAWN, one("first"), enough=by("drawn"), explore=explore)
    assert [capture.run.scenario for capture in recorded.captures] == ["first", "drawn"]
