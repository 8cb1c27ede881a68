"""For all tests.  The plugin under test comes by its entry point; naming it here loads it twice."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works here and in children, even where a shell started us with it ignored.

    A shell does that to what it runs in the background, and it is inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


#: Gives, for a stand-in, the folder with a recording of every scenario but the slow ones.
RecordedIn = Callable[[str], Path]


@pytest.fixture(scope="session")
def recorded_in(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> RecordedIn:
    """Record what ``reference:VERSION`` or ``silent`` leaves, once for all tests and workers.

    ``harness.assessment.recording`` reads the folder.  Nothing is drawn: only what is always tried.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base

    @cache
    def record(spec: str) -> Path:
        # Few tests need these, and each worker imports this file.
        from harness.assessment.recording import RecordingPlan, record_shared
        from harness.fuzzing.exploration import Exploration, Profile
        from harness.subject.binary import Binary, resolve
        from harness.themes.catalogue import SCENARIOS

        folder = shared / f"recorded-{spec.replace(':', '-')}"
        folder.mkdir(exist_ok=True)
        scenarios = tuple(each for each in SCENARIOS.values() if not each.slow)
        if spec == "silent":
            argv = (sys.executable, "-m", "harness.reference.silent")
            binary = Binary(spec, argv, sys.executable, "2.1.240")
            order = RecordingPlan(binary, scenarios, 60.0, None)
        else:
            always = Exploration("quick", Profile(0, 0), 0, None, lambda capture: (), print)
            binary = resolve(spec, progress=print)
            order = RecordingPlan(binary, scenarios, 60.0, None, explore=always)
        record_shared(order, print, folder)
        return folder

    return record
