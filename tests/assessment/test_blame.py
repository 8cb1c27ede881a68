"""Which runs a requirement needs: what is said where one of them is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.recording import recorded
from harness.capture.capture import Capture
from harness.findings import Verdict
from harness.otlp.model import Protocol
from harness.themes.catalogue import SCENARIOS

Take = Callable[..., Capture]

LISTED = "metrics.commit_count.unit"


def test_a_run_is_to_blame_for_its_own_requirements_only(captured: Take) -> None:
    made = recorded((captured(),), undriven={"api_failures over http/protobuf": "it hung"})
    assessment = Assessment("reference", "2.1.240", lambda: made)
    row = assessment.row(assessment.contract.requirement("standard.metrics.terminal_type.tmux"))
    assert row.verdict is Verdict.NOT_EXERCISED
    assert "not driven to the end" not in row.reason


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [
        ((), Verdict.ERROR),
        (("working_day", Protocol.GRPC), Verdict.NOT_EXERCISED),
        (("new_file", Protocol.HTTP_PROTOBUF), Verdict.NOT_EXERCISED),
    ],
)
def test_a_listed_deviation_may_have_shown_itself_in_the_run_that_is_missing(
    captured: Take, missing: tuple[str, Protocol] | tuple[()], verdict: Verdict
) -> None:
    captures = tuple(
        captured(name, protocol)
        for name, scenario in SCENARIOS.items()
        for protocol in scenario.protocols
        if (name, protocol) != missing
    )
    assessment = Assessment("npm:2.1.31", "2.1.31", lambda: recorded(captures))
    assert assessment.row(assessment.contract.requirement(LISTED)).verdict is verdict
