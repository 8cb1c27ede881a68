"""Drawn input from the command line: profiles, seeds, and what a reader gets to see."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.mutants.liars import ABOUT_ATTRIBUTES, liar
from harness.record import jsonl as record

pytestmark = pytest.mark.slow

Run = Callable[..., pytest.RunResult]

#: One session for each of the inputs that are always tried, and no more.
BARE = ("--cc-scenarios=fuzz", "--cc-fuzz-seconds=0")


def fuzz_line(result: pytest.RunResult) -> str:
    (line,) = [line for line in result.outlines if line.startswith("fuzz ")]
    return line


@pytest.fixture
def lying(tmp_path: Path) -> Callable[[str], Path]:
    """Make a subject that lies about attributes."""

    def make(lie: str) -> Path:
        subject = liar(ABOUT_ATTRIBUTES[lie], "2.1.240", tmp_path)
        path = tmp_path / "claude"
        path.write_text(f'#!/bin/sh\nexec {shlex.join(subject.argv)} "$@"\n')
        path.chmod(0o755)
        return path

    return make


def test_a_failure_shows_the_input_and_how_to_see_it_by_hand(
    pytester: pytest.Pytester, run: Run, lying: Callable[[str], Path]
) -> None:
    name = "resource_attributes.percent_decoded"
    result = run("-v", f"--cc-binary={lying('decodes twice')}", *BARE, "--cc-report=out", name)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (row,) = record.read(pytester.path / "out" / "record.jsonl").rows
    finding = row.findings[0]
    assert finding.expected == "every well-formed pair, decoded once, and nothing else"
    assert finding.seen.startswith('{"encoded": {"expected": "é🦀,=;\\"\\\\\\n%20", "seen": "é🦀')
    assert finding.by_hand.startswith(
        "CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_METRICS_EXPORTER=console "
        "OTEL_LOGS_EXPORTER=console OTEL_RESOURCE_ATTRIBUTES="
    )
    assert finding.by_hand.endswith("%2520,plus=%2B+,padded=%20x%20' claude -p Go.")
    assert f"by hand   {finding.by_hand}" in result.stdout.str()


def test_the_seed_that_was_drawn_with_is_told(run: Run, recorded_sessions: str) -> None:
    options = (*BARE, "--hypothesis-seed=7", "-p", recorded_sessions)
    result = run("-v", "--cc-binary=reference", *options)
    assert result.ret == pytest.ExitCode.OK
    assert fuzz_line(result).endswith("· profile quick · --hypothesis-seed=7")


@pytest.mark.parametrize("profile", ["ci", "deep"])
def test_profiles_go_by_the_option_of_hypothesis(
    run: Run, recorded_sessions: str, profile: str
) -> None:
    options = (*BARE, f"--hypothesis-profile={profile}", "-p", recorded_sessions)
    result = run("-v", "--cc-binary=reference", *options, "resource_attributes.on_metrics")
    assert result.ret == pytest.ExitCode.OK
    assert f"· profile {profile} ·" in fuzz_line(result)


def test_a_profile_of_the_users_own_stays_his(
    pytester: pytest.Pytester, run: Run, recorded_sessions: str
) -> None:
    pytester.makeconftest(
        "import hypothesis\n"
        "hypothesis.settings.register_profile('deep', max_examples=3)\n"
        "hypothesis.settings.register_profile('nightly', max_examples=3)\n"
    )
    pytester.makepyfile(
        test_own="""
        import hypothesis
        def test_own():
            assert hypothesis.settings().max_examples == 3
        """
    )
    for profile, used in (("deep", "deep"), ("nightly", "quick")):
        result = run(
            "-v",
            *("--cc-binary=reference", *BARE, "--pyargs", "harness.suite", "test_own.py"),
            *(f"--hypothesis-profile={profile}", "-p", recorded_sessions),
        )
        assert result.ret == pytest.ExitCode.OK
        assert f"· profile {used} ·" in fuzz_line(result)


#: Draws until something breaks, not for a time: on a busy machine a session may take so long
#: that the few that a time has room for break nothing.  Only what is drawn is remembered.
UNTIL_BROKEN = """
from dataclasses import replace
from harness.fuzzing import exploration

run = exploration.run

def until_broken(campaigns, attempt, plan, first):
    found = []

    def attempt_until_broken(given):
        # It need not become small: what comes behind it costs no session.
        reasons = () if found else attempt(given)
        found.extend(reasons)
        return reasons

    endless = replace(plan, seconds=float("inf"), enough=lambda: bool(found))
    return run(campaigns, attempt_until_broken, endless)

exploration.run = until_broken
"""


def test_failures_are_remembered_between_runs(
    pytester: pytest.Pytester,
    run: Run,
    lying: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on a CI system, where Hypothesis itself remembers nothing.
    monkeypatch.setenv("CI", "1")
    (tmp_path / "until_broken.py").write_text(UNTIL_BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    binary = lying("loses attributes on events")
    options = (f"--cc-binary={binary}", "--cc-scenarios=fuzz", "-p", "until_broken")
    result = run("-v", *options, "resource_attributes.on_events")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    remembered = pytester.path / ".hypothesis" / "examples"
    assert any(path.is_file() for path in remembered.rglob("*"))


def test_without_drawn_scenarios_nothing_is_told_of_them(run: Run) -> None:
    result = run("-v", "--cc-binary=reference", "--cc-scenarios=new_file")
    assert result.ret == pytest.ExitCode.OK
    assert not [line for line in result.outlines if line.startswith("fuzz ")]


def test_a_distributed_session_draws_once(run: Run, recorded_sessions: str) -> None:
    options = (*BARE, "-n2", "--hypothesis-seed=7", "-p", recorded_sessions)
    result = run("-v", "--cc-binary=reference", *options)
    assert result.ret == pytest.ExitCode.OK
    assert fuzz_line(result).endswith("· profile quick · --hypothesis-seed=7")
