"""How the subject ended is part of every run: whoever crashes after its work is not cleared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.findings import Verdict
from harness.record import jsonl as record

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]

#: Works as the emitter does, and ends otherwise in two of the scenarios.
_ENDS_BADLY = """\
case "$*" in *"Count on."*|*"Write two lines."*) ;; *) exec {emitter} "$@";; esac
{emitter} "$@" || exit
case "$*" in *"Count on."*) kill -SEGV $$;; *) exit 7;; esac
""".replace("{emitter}", f"{sys.executable} -m harness.themes.emitter")


@pytest.mark.slow
def test_a_bad_end_in_one_scenario_fails_the_run(
    pytester: pytest.Pytester, run: Run, emitter: Subject
) -> None:
    binary = emitter(_ENDS_BADLY)
    result = run(
        *(f"--cc-binary={binary}", "--cc-scenarios=usage_frames,new_file,identity"),
        *("--cc-report=out", "--junit-xml=junit.xml", "-v"),
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    rows = {row.requirement: row for row in record.read(pytester.path / "out/record.jsonl").rows}
    assert rows["endings.success"].verdict is Verdict.FAIL
    ended = {finding.where: finding.seen for finding in rows["endings.success"].findings}
    assert ended == {
        "usage_frames over grpc · how the subject ended · ended": '"signal 11 (SIGSEGV)" (string)',
        "new_file over http/protobuf · how the subject ended · ended": '"exit code 7" (string)',
    }
    shown = " ".join(result.stdout.str().split())
    assert "with signal 11 (SIGSEGV) in usage_frames over grpc" in shown
    assert "with exit code 7 in new_file over http/protobuf" in shown
    result.stdout.fnmatch_lines(
        [
            "  FAIL endings.success",
            "FAILED: * requirements fail the run; the subject ended with *",
        ]
    )
    junit = ElementTree.parse(pytester.path / "junit.xml")
    failure = junit.find(".//testcase[@name='endings.success']/failure")
    assert failure is not None
    assert "signal 11 (SIGSEGV)" in str(failure.text)


@pytest.mark.slow
def test_a_bad_end_fails_the_run_whatever_is_selected(run: Run, emitter: Subject) -> None:
    result = run(
        f"--cc-binary={emitter(_ENDS_BADLY)}", "--cc-scenarios=usage_frames", "transport.accepted"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["FAILED: the subject ended with signal 11 (SIGSEGV) in usage_frames over grpc"]
    )
