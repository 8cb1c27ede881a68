"""From a recording to rows: what was not driven, what was left out, what is our fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.recording import Recording, recorded
from harness.capture.capture import Capture
from harness.capture.run import GroundTruth
from harness.findings import Verdict
from harness.judging.verdicts import Row
from harness.otlp.model import Protocol
from harness.record.summary import RecordingSummary

Take = Callable[..., Capture]

VERSION = "2.1.240"
CONVERSED = "events.user_prompt.exported_in_a_conversation"
PROMPTED = "events.user_prompt.exported"

BUSY = GroundTruth(prompts=("hello",))
FAULT = {"api_failures over http/protobuf": "it hung"}


def assessed(made: Recording, name: str, *, spec: str = "reference", version: str = VERSION) -> Row:
    assessment = Assessment(spec, version, lambda: made)
    return assessment.row(assessment.contract.requirement(name))


def test_what_was_not_driven_is_to_blame_for_what_was_not_exercised(captured: Take) -> None:
    row = assessed(recorded((captured(truth=BUSY),), undriven=FAULT), CONVERSED)
    assert row.verdict is Verdict.NOT_EXERCISED
    assert row.reason == (
        "there was none of: runs with a conversation "
        "(not driven to the end: api_failures over http/protobuf)"
    )
    without = assessed(recorded((captured(truth=BUSY),)), CONVERSED)
    assert without.reason == "there was none of: runs with a conversation"


def test_what_was_exercised_is_judged_by_the_runs_that_were_driven(captured: Take) -> None:
    row = assessed(recorded((captured(truth=BUSY),), undriven=FAULT), PROMPTED)
    assert row.verdict is Verdict.FAIL
    assert row.findings[0].where == "working_day over grpc"


def test_a_subject_that_was_never_driven_says_no_more_than_that() -> None:
    row = assessed(recorded((), undriven=FAULT), PROMPTED)
    assert (row.verdict, row.reason) == (
        Verdict.NOT_EXERCISED,
        "the subject could not be driven",
    )


def test_our_fault_is_an_error_of_each_requirement_that_needs_a_recording() -> None:
    broken = Recording(RecordingSummary(harness_fault="no port is free"))
    row = assessed(broken, PROMPTED)
    assert (row.verdict, row.reason) == (Verdict.ERROR, "no port is free")
    # A log that comes with it is shown once, in the summary.
    long = Recording(RecordingSummary(harness_fault="it died\nits log:\nout of memory"))
    assert assessed(long, PROMPTED).reason == "it died"


def test_what_needs_no_recording_asks_for_none() -> None:
    def never() -> Recording:
        raise AssertionError("it was asked for")

    assessment = Assessment("reference", "2.1.31", never)
    contract = assessment.contract
    other = [each for each in contract.requirements if not contract.applies(each)]
    assert {assessment.row(each).verdict for each in other} == {Verdict.NOT_APPLICABLE}
    assert "recording" not in vars(assessment)


def test_the_recording_is_asked_for_once(captured: Take) -> None:
    asked: list[str] = []

    def record() -> Recording:
        asked.append("once")
        return recorded((captured(),))

    assessment = Assessment("reference", VERSION, record)
    for requirement in assessment.contract.requirements:
        assessment.row(requirement)
    assert asked == ["once"]


# --- a listed deviation, and the runs that would have shown it

LISTED = "metrics.lines_of_code_count.counted_new_file"


@pytest.mark.parametrize(
    ("scenario", "spec", "verdict"),
    [
        # The one run that shows it was made, and showed nothing.
        ("new_file", "npm:2.1.31", Verdict.ERROR),
        # It was not made: nothing can be said.
        ("working_day", "npm:2.1.31", Verdict.NOT_EXERCISED),
        # The emitter has no deviations.
        ("new_file", "reference:2.1.31", Verdict.NOT_EXERCISED),
        ("new_file", "reference", Verdict.NOT_EXERCISED),
    ],
)
def test_a_listed_deviation_must_show_itself_where_its_run_was_made(
    captured: Take, scenario: str, spec: str, verdict: Verdict
) -> None:
    capture = captured(scenario, Protocol.HTTP_PROTOBUF)
    assert assessed(recorded((capture,)), LISTED, spec=spec, version="2.1.31").verdict is verdict
