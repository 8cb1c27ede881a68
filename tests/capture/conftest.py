"""A run to put into captures."""

from __future__ import annotations

import pytest

from harness.capture.run import (
    ApiCall,
    Decision,
    Failure,
    GroundTruth,
    Host,
    KeptMessage,
    Run,
    Secret,
    SubjectFacts,
    ToolRun,
)
from harness.otlp.model import Protocol

#: What a request said of its session, installation, effort and speed.
SAID = ("session", "user", "high", "fast")


@pytest.fixture
def run() -> Run:
    """A run that uses every field there is."""
    return Run(
        scenario="day",
        protocol=Protocol.HTTP_JSON,
        subject=SubjectFacts(spec="npm:2.1.31", path="/bin/claude", version="2.1.31"),
        argv=("claude", "-p", "hi ü"),
        environment={"OTEL_METRICS_EXPORTER": "otlp"},
        started_unix_nano=1,
        ended_unix_nano=2,
        exit_code=-9,
        stdout="out\n\udcff",
        stderr="",
        truth=GroundTruth(
            prompts=("hi",),
            api_calls=(
                ApiCall(
                    *("model", 200, False, True, "req_1", 1, 2, 3, 4, "", True, 9, 10, *SAID),
                    given_up=True,
                    said="Yes.",
                ),
            ),
            tool_runs=(
                ToolRun(
                    "Bash", "toolu_1", {"command": "ls", "n": [1, None]}, False, None, None, 7, 8
                ),
                ToolRun("Bash", "toolu_2", {}, True, 3, 2),
            ),
            commits=1,
            pull_requests=2,
            lines_added=3,
            lines_removed=4,
            decisions=(Decision("Bash", "toolu_1", {"n": {}}, False, "user_reject"),),
            failures=(Failure(500, "overloaded", 3, ("req_1",)), Failure(None, "", 0)),
            canaries={"prompt": "canary"},
            secrets=(Secret("header", "a-token", 8, ("logs header x-token",)),),
            account={"user.email": "a@b"},
            unknown_requests=("GET /",),
            kept_messages=(
                KeptMessage("user", "5462c236-d651-4c73-964a-bf893abc209c", "session.jsonl"),
            ),
            reached=("example.com",),
            unwatched="not permitted",
        ),
        traits=("a_terminal",),
        observed={"helper_runs": [{"n": 1}]},
        crowding=2.5,
        stopped=False,
        host=Host("linux", "6.1", "amd64", "2"),
    )
