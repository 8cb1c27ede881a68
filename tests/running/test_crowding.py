"""How crowded the machine is while a subject runs."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.capture.run import CROWDED
from harness.otlp.model import Protocol
from harness.running import crowding
from harness.running.crowding import CrowdingWatch, runnable
from harness.running.recorder import record
from harness.running.scenario import Scenario
from harness.subject.binary import Binary

CORES = os.cpu_count() or 1

#: Lasts until the watch has looked at least once: it has when it looks again.
LASTING = """
import pathlib, time
here = pathlib.Path(__file__).parent
(here / "began").touch()
while not (here / "seen").exists():
    time.sleep(0.01)
"""


def telling(folder: Path, crowding: float) -> Callable[[], float]:
    """A look at the machine that tells the subject in ``folder`` when it was looked at twice."""
    looks = 0

    def look() -> float:
        nonlocal looks
        if (folder / "began").exists():
            looks += 1
        if looks > 2:
            (folder / "seen").touch()
        return crowding

    return look


def test_a_busy_process_counts() -> None:
    assert runnable() >= 1, "the one that asks runs"


@pytest.mark.parametrize("number", [3, 9])
def test_the_average_between_two_moments(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    looked = threading.Semaphore(0)

    def look() -> float:
        looked.release()
        return float(number * CORES)

    monkeypatch.setattr(crowding, "runnable", look)
    before = time.time_ns()
    with CrowdingWatch() as watch:
        for _ in range(2):
            assert looked.acquire(timeout=30)
    assert watch.between(before, time.time_ns()) == number
    assert watch.between(0, before) == 0.0, "nobody looked then"


def test_each_run_is_recorded_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(crowding, "runnable", telling(tmp_path, 9.0 * CORES))
    path = tmp_path / "subject.py"
    path.write_text(
        'import os, urllib.request\nurllib.request.urlopen(os.environ["ANTHROPIC_BASE_URL"])\n'
        + LASTING,
        encoding="utf-8",
    )
    subject = Binary("test", (sys.executable, str(path)), str(path), "2.1.31")
    scenario = Scenario(
        name="short", description="A short one", prompt="hello", protocols=(Protocol.GRPC,)
    )
    (capture,) = record(subject, scenarios=[scenario], progress=lambda line: None).captures
    assert capture.run.crowding == 9.0


def test_a_run_that_did_not_end_says_how_busy_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "subject.py"
    path.write_text(f"{LASTING}\nraise SystemExit(3)\n", encoding="utf-8")
    subject = Binary("test", (sys.executable, str(path)), str(path), "2.1.31")
    scenario = Scenario(
        name="short", description="A short one", prompt="hello", protocols=(Protocol.GRPC,)
    )
    for number, busy in ((CROWDED + 1, True), (CROWDED, False)):
        for mark in ("began", "seen"):
            (tmp_path / mark).unlink(missing_ok=True)
        monkeypatch.setattr(crowding, "runnable", telling(tmp_path, number * CORES))
        recorded = record(subject, scenarios=[scenario], progress=lambda line: None)
        (fault,) = recorded.faults.values()
        assert ("the machine was busy: 17 processes per core wanted to run" in fault) is busy
        assert "ended with exit code 3 before it asked the model anything" in fault
