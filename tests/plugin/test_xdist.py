from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.findings import Verdict
from harness.record import jsonl as record

pytestmark = pytest.mark.slow

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]


def test_workers_share_one_recording(
    pytester: pytest.Pytester, run_one: Run, emitter: Subject, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    binary = emitter(f'echo "$1" >>{calls}; export OTEL_LOG_USER_PROMPTS=1')
    options = (f"--cc-binary={binary}", "-v", "-k", "events.user_prompt or transport")
    spread = run_one(*options, "-n", "2", "--cc-report=spread", "--cc-captures=kept")
    # Once for the version, once for each protocol: whatever the number of workers.
    assert sorted(calls.read_text().split()) == ["--version", "-p", "-p", "-p"]
    whole = run_one(*options, "--cc-report=whole")
    assert spread.ret == whole.ret == pytest.ExitCode.TESTS_FAILED
    assert len(list((pytester.path / "kept").glob("*/capture.json"))) == 3

    one, two = (record.read(pytester.path / name / "record.jsonl") for name in ("spread", "whole"))
    assert [row.requirement for row in one.rows] == [row.requirement for row in two.rows]
    # "seen" may quote times, and the ratio is one; all else is the same.
    assert [replace(row, findings=()) for row in one.rows] == [
        replace(row, findings=()) for row in two.rows
    ]
    assert one.footer is not None
    assert two.footer is not None
    assert replace(one.footer, ratio=None) == replace(two.footer, ratio=None)
    assert one.header.exports == two.header.exports != {}
    assert Verdict.FAIL in {row.verdict for row in one.rows}
    assert table(spread) == table(whole)
    assert not list(tmp_path.glob("cc-otel-*"))


def table(result: pytest.RunResult) -> list[str]:
    """From the themes to the end of our section, without the name of the report, and without
    the numbers of exports: which signal comes first is up to the session."""
    lines = result.outlines
    start = next(n for n, line in enumerate(lines) if line.startswith("theme "))
    end = next(n for n in range(start, len(lines)) if lines[n].startswith("FAILED: "))
    return [
        re.sub(r"export \d+", "export", line)
        for line in lines[start : end + 1]
        if not line.startswith(("record ", "captures ", "summary ", "report ", "made of "))
    ]


def test_a_fault_is_shared_too(run_one: Run, subject: Subject, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    binary = subject(f"open({str(calls)!r}, 'a').write('run ')\nsys.exit('no licence found')")
    result = run_one(f"--cc-binary={binary}", "-n", "2", "-k", "transport")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["no licence found", "FAILED: nothing was exercised; 3 runs could not be driven *"]
    )
    assert calls.read_text().split() == ["run"] * 3


def test_names_and_own_tests_reach_the_workers(pytester: pytest.Pytester, run_one: Run) -> None:
    pytester.makepyfile(
        test_own="""
        def test_own(claude):
            session = claude(prompt="Hello.")
            assert session.events("user_prompt")
        """
    )
    name = "transport.accepted"
    result = run_one("--cc-binary=reference", "-n", "2", "test_own.py", name, "--cc-report=out")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=2)
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert [row.requirement for row in found.rows] == [name]


def test_stopping_early_has_no_footer(
    pytester: pytest.Pytester, run_one: Run, emitter: Subject
) -> None:
    binary = emitter("export OTEL_LOG_USER_PROMPTS=1")
    result = run_one(f"--cc-binary={binary}", "-n", "2", "-x", "--cc-report=out")
    assert result.ret != pytest.ExitCode.OK
    with pytest.raises(UsageError, match="no footer"):
        record.read(pytester.path / "out" / "record.jsonl")


def test_the_canary_table_comes_from_the_shared_recording(
    pytester: pytest.Pytester, run: Run
) -> None:
    options = ("--cc-binary=reference", "--cc-scenarios=toolbox_open", "-v", "-k", "privacy")
    result = run(*options, "-n", "2", "--cc-report=out")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["canaries (*", "  canary *  place *  prompts+details"])
    header = record.read(pytester.path / "out" / "record.jsonl").header
    assert header.canaries.gates == ("prompts+details",)
    places = {spot.place for spot in header.canaries.spots if spot.canary == "prompt"}
    assert "logs user_prompt attributes.prompt" in places
    assert all(all(spot.seen.values()) for spot in header.canaries.spots)
