"""Judging a collector: which runs are asked of it, and what its recordings may be used for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.job import CLAUDE
from harness.assessment.jobs import COLLECTOR, JOBS
from harness.assessment.kept import load_recording
from harness.assessment.live import SCENARIOS as LIVE
from harness.assessment.recording import recorded
from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.observed import as_observed
from harness.capture.run import Run, SubjectFacts
from harness.contract.applicability import AnyRun
from harness.errors import UsageError
from harness.findings import Verdict
from harness.judging.listing import Listing
from harness.otlp.model import Protocol
from harness.relay_themes.own_log.observed import OwnLog

NAME = "log.dropped"
OWN = Listing(
    "own.json",
    ({"requirements": [NAME], "reason": "It drops what is old.", "evidence": "Seen each day."},),
)
NOW = 1_795_737_253_818_000_000


def made(run: AnyRun) -> Capture:
    return Capture(
        Run(
            scenario=run.scenario,
            protocol=Protocol(run.protocol),
            subject=SubjectFacts("otelcol", "otelcol", "0.0.0"),
            argv=("otelcol",),
            environment={},
            started_unix_nano=NOW,
            ended_unix_nano=NOW + 1,
            exit_code=0,
            stdout="",
            stderr="",
            observed=as_observed(OwnLog(3, {})),
        ),
        (),
    )


def verdict(missing: Collection[str], skipped: Collection[str]) -> Verdict:
    """The verdict where a deviation is listed that no run shows."""
    gone = {*missing, *skipped}
    captures = [made(run) for run in COLLECTOR.runs() if run.label not in gone]
    recording = recorded(captures, skipped=dict.fromkeys(skipped, "it has no such port"))
    assessment = Assessment("otelcol", "0.0.0", lambda: recording, COLLECTOR, OWN)
    return assessment.row(assessment.contract.requirement(NAME)).verdict


def test_a_run_that_a_collector_does_not_allow_is_not_asked_of_it() -> None:
    over_grpc = [run.label for run in COLLECTOR.runs() if run.protocol == Protocol.GRPC]
    assert verdict((), ()) is Verdict.FIXED
    assert verdict((), over_grpc) is Verdict.FIXED
    # Left out by an option, they might have shown it.
    assert verdict(over_grpc, ()) is Verdict.PASS
    everything = [run.label for run in COLLECTOR.runs()]
    assert verdict((), everything) is Verdict.NOT_EXERCISED


def test_no_scenario_is_of_both_jobs() -> None:
    assert not CLAUDE.scenarios & COLLECTOR.scenarios
    assert LIVE.keys() <= COLLECTOR.scenarios
    assert JOBS == {"claude": CLAUDE, "collector": COLLECTOR}


def test_a_capture_of_a_collector_is_none_of_the_cli(tmp_path: Path) -> None:
    files.save(made(next(iter(COLLECTOR.runs()))), tmp_path)
    with pytest.raises(UsageError, match="expected one of a claude, saw one of a collector"):
        load_recording(tmp_path)
    header, subject, recording = load_recording(tmp_path, COLLECTOR)
    assert (header, subject.spec, len(recording.captures)) == (None, "otelcol", 1)


def test_a_live_session_sends_all_that_it_exports_to_one_collector() -> None:
    """What would go elsewhere, or be broken on purpose, is no session to compare."""
    assert {"live_working_day", "live_toolbox", "live_terminal_day", "live_cumulative"} <= {*LIVE}
    assert not {"live_settings_levels", "live_no_collector", "live_fuzz"} & {*LIVE}
    assert all(not scenario.judged_only_by_name for scenario in LIVE.values())
