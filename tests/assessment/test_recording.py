"""Recordings: once for all, with what went wrong as a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from harness.assessment import recording
from harness.assessment.recording import (
    Recording,
    RecordingPlan,
    read_shared,
    record_once,
    record_shared,
    record_together,
    recorded,
)
from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.run import ApiCall, GroundTruth
from harness.errors import HarnessError
from harness.otlp.model import Protocol
from harness.record import jsonl
from harness.record.summary import RecordingSummary, RunOutcome, RunSummary
from harness.running.recorder import Order, Recorded
from harness.subject.binary import Binary

Take = Callable[..., Capture]
Recorder = Callable[..., None]

PLAN = RecordingPlan(Binary("test", ("test",), "/bin/test", "2.1.240"), (), 60.0, None)
FAULTS = {f"day_{n} over grpc": f"it hung in {n}\nlast screen: {n}" for n in range(5)}


UNDRIVEN = tuple(
    RunSummary(label, RunOutcome.UNDRIVEN, reason=why) for label, why in FAULTS.items()
)


def silent(line: str) -> None:
    """Progress is not wanted here."""


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Let the recorder answer, or raise, this; the calls are counted in ``calls``."""

    def put(answer: Recorded | HarnessError, calls: list[RecordingPlan] | None = None) -> None:
        def record(orders: Sequence[Order], progress: object) -> tuple[Recorded, ...]:
            if calls is not None:
                calls.append(PLAN)
            if isinstance(answer, HarnessError):
                raise answer
            return (answer,) * len(orders)

        monkeypatch.setattr(recording, "record_side_by_side", record)

    return put


def without_time(made: Recording) -> Recording:
    return replace(made, summary=replace(made.summary, seconds=0.0))


# --- facts


@pytest.mark.parametrize(
    ("undriven", "problem"),
    [
        (0, ""),
        (1, "it hung in 0\nlast screen: 0"),
        (3, "\n\n".join(f"it hung in {n}\nlast screen: {n}" for n in range(3))),
        (
            5,
            "\n\n".join(f"it hung in {n}\nlast screen: {n}" for n in range(3))
            + "\n\nand 2 more, not driven to the end either: day_3 over grpc, day_4 over grpc",
        ),
    ],
)
def test_what_went_wrong_often_is_not_said_often(undriven: int, problem: str) -> None:
    runs = tuple(UNDRIVEN[:undriven])
    assert RecordingSummary(runs=runs).problem == problem


def test_a_fault_of_ours_is_all_there_is_to_say() -> None:
    summary = RecordingSummary(runs=UNDRIVEN, harness_fault="no port is free")
    assert summary.problem == "no port is free"


def test_what_was_not_kept_is_said() -> None:
    run = RunSummary("day over grpc", RunOutcome.RECORDED, forgotten=5, unkept=1)
    problem = RecordingSummary(runs=(run,)).problem
    assert problem.startswith("day over grpc: 5 exports were forgotten over the memory limit")
    assert "the bodies of 1 exports were larger than the collector takes" in problem


def test_a_recording_knows_its_runs_and_counts_exports_by_protocol(captured: Take) -> None:
    made = recorded(
        (
            captured(),
            captured(protocol=Protocol.HTTP_JSON, ended_unix_nano=1_250_000_000),
            captured("new_file"),
        ),
        4.5,
        FAULTS,
    )
    assert made.summary == RecordingSummary(
        4.5,
        (
            RunSummary("working_day over grpc", RunOutcome.RECORDED, 2.5),
            RunSummary("working_day over http/json", RunOutcome.RECORDED, 0.25),
            RunSummary("new_file over grpc", RunOutcome.RECORDED, 2.5),
            *UNDRIVEN,
        ),
        {"grpc": 0, "http/json": 0},
        unavoidable_s=2.5,
    )
    assert recorded(()).summary == RecordingSummary()


def test_what_waits_sets_the_longest_unavoidable_wait(captured: Take) -> None:
    """A default interval of metrics, from the first question of the subject on."""
    asked = ApiCall("m", 200, False, True, "r", arrived_unix_nano=1_750_000_000)
    truth = GroundTruth(api_calls=(asked, asked))
    waiting = captured("intervals_default", truth=truth, ended_unix_nano=62_500_000_000)
    assert recorded((captured(), waiting)).summary.unavoidable_s == 60.75
    assert recorded((captured("intervals_default", truth=truth),)).summary.unavoidable_s == 2.5
    unknown = replace(waiting, run=replace(waiting.run, scenario="of_another_time"))
    assert recorded((unknown,)).summary.unavoidable_s == 61.5


# --- once, in this process


def test_runs_that_were_not_driven_are_values(recorder: Recorder, captured: Take) -> None:
    recorder(Recorded((captured(),), FAULTS))
    made = record_once(PLAN, silent)
    assert made.captures == (captured(),)
    assert made.summary.undriven == UNDRIVEN
    assert made.summary.harness_fault == ""
    assert made.summary.lengths_s == {"working_day over grpc": 2.5}


def test_a_fault_of_ours_is_a_value_and_leaves_no_capture(recorder: Recorder) -> None:
    recorder(HarnessError("no port is free"))
    made = record_once(PLAN, silent)
    assert without_time(made) == Recording(RecordingSummary(harness_fault="no port is free"))


# --- once, for several


def test_several_subjects_are_recorded_together(
    recorder: Recorder, captured: Take, tmp_path: Path
) -> None:
    calls: list[RecordingPlan] = []
    recorder(Recorded((captured(),), {}), calls)
    kept = replace(PLAN, keep=tmp_path)
    first, second = record_together([PLAN, kept], silent)
    assert first.captures == second.captures == (captured(),)
    assert len(calls) == 1
    # Each has a record of its own, or none.
    assert jsonl.read_part(tmp_path / "record.jsonl").recording == second.summary
    recorder(HarnessError("no port is free"))
    faults = [each.summary.harness_fault for each in record_together([PLAN, kept], silent)]
    assert faults == ["no port is free"] * 2


def test_the_first_one_records_and_the_others_read(
    recorder: Recorder, captured: Take, tmp_path: Path
) -> None:
    calls: list[RecordingPlan] = []
    captures = (captured(), captured("new_file", Protocol.HTTP_JSON, stdout="é\u2028\n"))
    kept = tmp_path / "captures"
    for capture in captures:
        files.save(capture, kept / files.folder_name(capture.run))
    recorder(Recorded(captures, FAULTS), calls)
    assert read_shared(tmp_path) is None
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: record_shared(PLAN, silent, tmp_path), range(4)))
    assert len(calls) == 1
    for each in made:
        assert each.captures == captures
        assert each.summary == made[0].summary
        assert each.summary.undriven == UNDRIVEN
    assert read_shared(tmp_path) == made[0]


def test_a_fault_is_shared_like_a_recording(recorder: Recorder, tmp_path: Path) -> None:
    calls: list[RecordingPlan] = []
    recorder(HarnessError("no port is free"), calls)
    first = record_shared(PLAN, silent, tmp_path)
    assert record_shared(PLAN, silent, tmp_path) == first
    assert first.summary.harness_fault == "no port is free"
    assert len(calls) == 1


def test_an_interruption_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder, captured: Take, tmp_path: Path
) -> None:
    def interrupted(orders: Sequence[Order], progress: object) -> tuple[Recorded, ...]:
        raise KeyboardInterrupt

    monkeypatch.setattr(recording, "record_side_by_side", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record_shared(PLAN, silent, tmp_path)
    assert read_shared(tmp_path) is None
    recorder(Recorded((captured(),), {}))
    assert record_shared(PLAN, silent, tmp_path).captures == (captured(),)


def test_a_second_run_is_told(captured: Take) -> None:
    again = {"toolbox over grpc": "claude 2.1.31 did not end toolbox over grpc within 60 s"}
    summary = recorded((captured("toolbox"),), again=again).summary
    assert summary.notes == [
        "again      toolbox over grpc was run a second time; the first time: "
        "claude 2.1.31 did not end toolbox over grpc within 60 s"
    ]
    assert summary.problem == ""


def test_requests_without_an_answer_are_shown(captured: Take) -> None:
    one = GroundTruth(unknown_requests=("GET /a", "GET /a", "POST /b"))
    other = GroundTruth(unknown_requests=("GET /a",))
    captures = (captured(truth=one), captured("new_file", truth=other), captured("toolbox"))
    summary = recorded(captures).summary
    assert summary.unknown_requests == {"GET /a": 2, "POST /b": 1}
    assert summary.notes == [
        "unknown    the scripted API has no answer to GET /a (2 runs), POST /b (1 run)"
    ]
    many = GroundTruth(unknown_requests=tuple(f"GET /{number}" for number in range(10)))
    (note,) = recorded((captured(truth=many),)).summary.notes
    assert note.endswith("GET /7 (1 run), and 2 more")
    assert recorded(()).summary.notes == []


def test_what_was_reached_for_is_shown(captured: Take) -> None:
    one, other = GroundTruth(reached=("example.com",)), GroundTruth(unwatched="not permitted")
    captures = (captured(truth=one), captured("new_file", truth=one), captured(truth=other))
    assert recorded(captures).summary.notes == [
        "reached    the subject tried to reach example.com (2 runs)",
        "unwatched  what was tried to be reached was not seen: not permitted (1 run)",
    ]
