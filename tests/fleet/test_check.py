"""The command: what it prints and how it ends, for whole captures and for damaged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from tests.fleet.lines import Recorded, WriteLines, lines_of

RELEASE = "2.1.332"


@pytest.fixture
def lines(recorded: Recorded) -> list[bytes]:
    return lines_of(recorded(RELEASE, "working_day"))


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main(["check", "--json", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def row(result: dict[str, Any], name: str, release: str = RELEASE) -> dict[str, Any]:
    (found,) = [
        each
        for group in result["releases"]
        if group["release"] == release
        for each in group["rows"]
        if each["requirement"] == name
    ]
    return dict(found)


def test_a_true_capture_passes(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    code, result = checked(capsys, capture_file(lines))
    assert (code, result["failed"], result["number_broken"]) == (0, False, 0)
    verdicts = [each["verdict"] for each in result["releases"][0]["rows"]]
    assert verdicts.count("pass") > 150
    assert "fail" not in verdicts
    reasons = [
        r["reason"] for r in result["releases"][0]["rows"] if r["verdict"] == "not exercised"
    ]
    assert all(reasons)


def test_each_release_is_judged_by_its_own_contract(
    capsys: pytest.CaptureFixture[str],
    capture_file: WriteLines,
    recorded: Recorded,
    lines: list[bytes],
) -> None:
    older = lines_of(recorded("2.1.31", "working_day"))
    mixed = [line for pair in zip(lines, older, strict=False) for line in pair]
    code, result = checked(capsys, capture_file(mixed))
    assert [each["release"] for each in result["releases"]] == ["2.1.31", RELEASE]
    name = "standard.events.app_version.closed_by_default"
    assert row(result, name)["verdict"] == "pass"
    assert {row(result, "metrics.commit_count.unit", "2.1.31")["verdict"]} <= {
        "known",
        "not exercised",
    }
    assert code == 0


def test_a_broken_line_is_told_and_the_rest_is_judged(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    path = capture_file([lines[0], lines[1][:-40], *lines[2:]])
    code, result = checked(capsys, path)
    assert code == 1
    assert result["why"] == "1 message could not be read"
    (broken,) = result["broken"]
    assert broken["where"] == f"{path} line 2 (byte {len(lines[0]) + 1})"
    assert "not JSON" in broken["why"]
    assert row(result, "data_model.unique_keys")["verdict"] == "pass"


def test_prompts_are_private_and_not_repeated(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    shown = [line.replace(b"<REDACTED>", b"drop table customers") for line in lines]
    path = capture_file(shown)
    code, result = checked(capsys, path)
    assert code == 1
    found = row(result, "events.user_prompt.prompt.redacted_by_default")
    assert found["verdict"] == "fail"
    assert "customers" not in json.dumps(result)
    code, result = checked(capsys, path, "--env", "OTEL_LOG_USER_PROMPTS=1")
    assert row(result, found["requirement"])["verdict"] == "not exercised"
    assert code == 0


def test_the_terminal_shows_failures_and_reasons(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    path = capture_file([line.replace(b'"unit":"USD"', b'"unit":"EUR"') for line in lines])
    assert main(["check", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "metrics.cost_usage.unit" in shown
    assert '"EUR"' in shown
    assert f"rerun     cc-harness check {path}" in shown
    assert "not exercised, because" in shown
    assert "FAILED: " in shown


def test_items_without_a_release_are_not_passed_over(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    nameless = [line.replace(RELEASE.encode(), b"unknown") for line in lines]
    code, result = checked(capsys, capture_file(nameless))
    assert code == 1
    assert "name no release, and were not judged" in result["why"]
    assert set(result["unreleased"]) == {"unknown"}


def test_other_programs_are_left_out(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    other = b'{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"nginx"},"logRecords":[{},{}]}]}]}'
    code, result = checked(capsys, capture_file([*lines, other]))
    assert (code, result["foreign"]) == (0, {"nginx": 2})


def test_a_release_before_all_documents_is_said_to_be(
    capsys: pytest.CaptureFixture[str], capture_file: WriteLines, lines: list[bytes]
) -> None:
    old = [line.replace(RELEASE.encode(), b"1.0.17") for line in lines]
    _, result = checked(capsys, capture_file(old))
    assert "no document speaks of this release" in result["releases"][0]["note"]


def test_wrong_calls_name_what_was_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", str(tmp_path / "none")]) == 2
    assert "none: expected a file of a Collector's file exporter" in capsys.readouterr().err
    (tmp_path / "empty").touch()
    assert main(["check", str(tmp_path / "empty"), "--env", "OTEL"]) == 2
    assert "--env OTEL: expected NAME=VALUE" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "empty")]) == 1
    assert "nothing was exercised" in capsys.readouterr().out
