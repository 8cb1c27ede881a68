"""Events about requests that failed after all their retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Failure, GroundTruth
from harness.judging.checks.truth import OCCASIONS
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

MS = 1_000_000

NAME = "api_retries_exhausted"


def event(name: str, ns: int, **attributes: object) -> dict[str, Any]:
    named = {"event.name": name, **attributes}
    return {"body": f"claude_code.{name}", "time_unix_nano": ns, "attributes": named}


#: Tried twice, a bad request that came again, tried once, and nobody knows how often.
FAILURES = (
    Failure(500, "no", 2, ("r1", "r2")),
    Failure(400, "bad", 6),
    Failure(500, "no", 1),
    Failure(None, "", 0),
)


def test_what_failed_after_retries() -> None:
    assert [failure.retried for failure in FAILURES] == [True, False, False, True]
    truth = GroundTruth(failures=FAILURES)
    assert OCCASIONS["a request that failed after retries"](truth) == 2
    assert OCCASIONS["a bad request that came again"](truth) == 1


@pytest.mark.parametrize(("took_ms", "wrong"), [(600, 0), (596, 0), (590, 1), ("long", 1)])
def test_all_attempts_together(
    judge: Judge,
    requirement: Require,
    viewer: Viewer,
    findings: Findings,
    took_ms: object,
    wrong: int,
) -> None:
    calls = tuple(
        ApiCall(
            "m",
            500,
            auxiliary=False,
            streamed=True,
            request_id=f"r{number}",
            arrived_unix_nano=arrived_ms * MS,
            answered_unix_nano=(arrived_ms + 100) * MS,
        )
        for number, arrived_ms in ((1, 1000), (2, 1500))
    )
    told = event(NAME, 2, total_retry_duration_ms=took_ms)
    view = viewer(events=[told], truth=GroundTruth(api_calls=calls, failures=FAILURES[:3]))
    made = requirement(
        "failures_told",
        kind="event",
        name=NAME,
        path=("attributes", "total_retry_duration_ms"),
        fact="all attempts",
        retried=True,
    )
    assert len(findings(judge.judge(made, [view]).outcome)) == wrong
