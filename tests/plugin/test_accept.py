"""``--cc-accept``, and what a run on a release says that is newer than our list."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.record import jsonl

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]

GONE = "metrics.lines_of_code_count.counted_new_file"
BROKEN = "events.user_prompt.prompt.redacted_by_default"
COLLECTOR = ("--cc-collector=grpc://127.0.0.1:1", "--cc-collector-out=none")


def test_a_release_that_is_newer_than_our_list(
    pytester: pytest.Pytester, run: Run, emitter: Subject
) -> None:
    # Called by its path, the emitter is taken for the release that it emulates.
    binary = emitter('export OTEL_LOG_USER_PROMPTS=1; set -- --emulate 2.1.999 "$@"')
    options = (f"--cc-binary={binary}", "--cc-scenarios=new_file", "-v", GONE, BROKEN)
    written = ("--cc-report=report", "--cc-accept=accepted.json", "--junit-xml=junit.xml")
    result = run(*options, *written)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "good news: deviations that are gone in this release (1)",
            f"  {GONE}",
            f"  FAIL {BROKEN}",
            "*news      new in this release: *",
            "good news  1 deviations are gone",
            "proposed   1 entry in *accepted.json, each waiting for its reason",
            "summary    *summary.md",
        ]
    )
    rows = {row.requirement: row for row in jsonl.read(Path("report", "record.jsonl")).rows}
    properties = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in ElementTree.parse("junit.xml").iter("testcase")
    }
    for name in (GONE, BROKEN):
        assert properties[name]["news"] == rows[name].news != ""
    page = Path("report", "summary.md").read_text(encoding="utf-8")
    assert page.startswith("# Telemetry of ")
    assert f"### FAIL `{BROKEN}` (new in this release)" in page

    data = json.loads(Path("accepted.json").read_text(encoding="utf-8"))
    assert [entry["requirements"] for entry in data["deviations"]] == [[BROKEN]]
    assert data["newest_measured"] == "2.1.999"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cc-accept=new.json"], "--cc-accept: expected --cc-binary=SPEC beside it"),
        (
            ["--cc-binary=reference", "--cc-accept=own.json"],
            "--cc-accept=own.json: expected a new file, or the list of known deviations that is "
            "given beside it, saw a file that is there already",
        ),
        (
            ["--cc-binary=reference", "--cc-accept=none/new.json"],
            "--cc-accept=none/new.json: expected a file in a folder that is there",
        ),
        (
            ["--cc-binary=reference", "test_own.py", "--cc-accept=new.json"],
            "--cc-accept: expected the packaged suite",
        ),
        (
            [
                "--cc-collector=grpc://127.0.0.1:1",
                "--cc-collector-out=none",
                "--cc-accept=own.json",
            ],
            "--cc-accept=own.json: expected a new file",
        ),
        (
            ["--cc-binary=reference", "--cc-expectations=own.json"],
            "own.json at $.deviations[0].reason: expected a sentence of 20 characters or more that "
            "says why the deviation is accepted, saw '' is too short",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(
    pytester: pytest.Pytester, run_here: Run, arguments: list[str], message: str
) -> None:
    entry = {"requirements": [BROKEN], "reason": "", "evidence": "Seen in November 2026."}
    Path("own.json").write_text(json.dumps({"deviations": [entry]}))
    pytester.makepyfile(test_own="def test_own(): pass")
    result = run_here(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = (line for line in result.errlines if line.startswith("ERROR: "))
    assert message in error
