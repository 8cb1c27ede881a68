from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import Run, SubjectFacts
from harness.otlp.model import Protocol
from harness.themes.catalogue import SCENARIOS

MakeCapture = Callable[..., Capture]


@pytest.fixture
def captured() -> MakeCapture:
    """Make the capture of a run of a scenario that exported nothing; ``facts`` of the run."""

    def make(
        scenario: str = "working_day", protocol: Protocol = Protocol.GRPC, **facts: Any
    ) -> Capture:
        known = SCENARIOS[scenario]
        run = Run(
            scenario=scenario,
            protocol=protocol,
            # Older than every measured release: nothing is expected of its runs.
            subject=SubjectFacts("test", "/bin/test", "2.1.0"),
            argv=("test",),
            environment=known.environment,
            started_unix_nano=1_000_000_000,
            ended_unix_nano=3_500_000_000,
            exit_code=0,
            stdout="",
            stderr="",
            traits=known.all_traits,
        )
        return Capture(replace(run, **facts), ())

    return make
