"""From tallies of recordings to the table of what runs exercise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.assessment.measuring import Tallies, Tally, measure, table, unmeasured
from harness.assessment.recording import recorded
from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.run import GroundTruth, SubjectFacts
from harness.contract.versions import Version
from harness.otlp.messages import ExportLogsServiceRequest
from harness.otlp.model import Protocol, Signal

NAME = "events.api_request.exported"
RUN = ("working_day", "grpc")
EVERY = [("working_day", protocol.value) for protocol in Protocol]

EMPTY: Mapping[str, Any] = {
    **{kind: {"measured": {}, "exercised": [], "sent": []} for kind in ("cli", "reference")},
    "not_expected": {},
}


def tallied(**seen: tuple[int, int]) -> Tallies:
    """Tallies of releases: how many of how many recordings showed it over each protocol."""
    releases = {}
    for release, (shown, made) in seen.items():
        tally = Tally(recordings=made)
        for run in EVERY:
            for number in range(made):
                tally.add((NAME, run), number < shown)
        releases[Version.parse(release.replace("_", ".").removeprefix("v"))] = tally
    return {("cli", "exercised"): releases}


def rows(tallies: Tallies, before: Mapping[str, Any] = EMPTY) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = table(tallies, before)["cli"]["exercised"]
    return made


def test_what_every_recording_showed_is_expected_from_then_on() -> None:
    (row,) = rows(tallied(v2_1_31=(0, 2), v2_1_119=(2, 2), v2_1_332=(2, 2)))
    assert row == {"requirements": [NAME], "scenarios": ["working_day"], "since": "2.1.119"}


def test_what_is_gone_again_is_expected_up_to_the_last_that_showed_it() -> None:
    (row,) = rows(tallied(v2_1_31=(2, 2), v2_1_119=(2, 2), v2_1_332=(0, 2)))
    assert (row["since"], row["last"]) == ("2.1.31", "2.1.119")


def test_what_only_some_recordings_showed_is_expected_nowhere() -> None:
    assert rows(tallied(v2_1_31=(2, 2), v2_1_119=(1, 2), v2_1_332=(2, 2))) == []


def test_one_recording_is_not_enough() -> None:
    assert rows(tallied(v2_1_332=(1, 1))) == []
    assert len(rows(tallied(v2_1_331=(1, 1), v2_1_332=(1, 1)))) == 1


def test_protocols_are_named_only_where_they_differ() -> None:
    tallies = tallied(v2_1_332=(2, 2))
    tally = tallies["cli", "exercised"][Version(2, 1, 332)]
    for run in EVERY:
        if run != RUN:
            tally.seen[NAME, run] = 0
    (row,) = rows(tallies)
    assert row["protocols"] == ["grpc"]


def test_what_was_not_recorded_again_stays() -> None:
    before = table(tallied(v2_1_31=(2, 2), v2_1_332=(2, 2)), EMPTY)
    assert table({}, before) == before
    (row,) = rows(tallied(v2_1_332=(0, 2)), before)
    assert (row["since"], row["last"]) == ("2.1.31", "2.1.31")


def test_a_requirement_that_was_never_recorded_is_in_no_list() -> None:
    made = table(tallied(v2_1_332=(0, 2)), EMPTY)
    assert NAME in made["not_expected"]["never"]
    assert "events.tool_result.exported" in unmeasured(made)
    assert "standard.events.session_id.distinct" in made["not_expected"]["across"]
    assert "headers_helper.default_29_minutes" in made["not_expected"]["slow"]


def test_a_recording_is_tallied_run_by_run(captured: Any) -> None:
    subject = SubjectFacts("test", "/bin/test", "2.1.240")
    busy: Capture = captured(truth=GroundTruth(prompts=("hello",)), subject=subject)
    recording = recorded([busy, captured("mentions", subject=subject)])
    tallies = measure([(subject, recording)] * 2)
    tally = tallies["cli", "exercised"][Version(2, 1, 240)]
    assert tally.recordings == 2
    assert tally.possible["events.user_prompt.exported", RUN] == 2
    assert tally.seen["events.user_prompt.exported", RUN] == 2
    assert tally.seen["events.user_prompt.exported", ("mentions", "grpc")] == 0
    assert tally.sometimes == set()


def test_an_event_of_the_clock_is_expected_only_of_sessions_that_wait(captured: Any) -> None:
    """A busy machine makes a short session long enough for it; none is to be blamed elsewhere."""
    subject = SubjectFacts("test", "/bin/test", "2.1.332")
    message = ExportLogsServiceRequest()
    for name in ("retention_sweep", "user_prompt"):
        record = message.resource_logs.add().scope_logs.add().log_records.add()
        record.body.string_value = f"claude_code.{name}"
    body = message.SerializeToString()
    export = Export(0, Protocol.GRPC, Signal.LOGS, "POST", "/", "2", (), body, 1_000_000_001, "", 0)
    captures = [
        replace(captured(scenario, subject=subject), exports=(export,))
        for scenario in ("working_day", "intervals_short")
    ]
    tally = measure([(subject, recorded(captures))])["cli", "sent"][Version(2, 1, 332)]
    assert sorted(tally.seen) == [
        *(("retention_sweep", ("intervals_short", "grpc")),),
        *(("user_prompt", (scenario, "grpc")) for scenario in ("intervals_short", "working_day")),
    ]
