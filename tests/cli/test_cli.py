from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import cli
from harness.assessment.recording import RecordingPlan, record_once
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the conforming emitter left in two scenarios, as ``--cc-captures`` keeps it."""
    folder = tmp_path_factory.mktemp("captures")
    binary = resolve("reference:2.1.31", progress=print)
    chosen = [SCENARIOS["working_day"], SCENARIOS["toolbox_details"]]
    made = record_once(RecordingPlan(binary, tuple(chosen), 300.0, folder), print)
    assert made.summary.problem == ""
    return folder


def called(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, str]:
    code = cli.main([str(each) for each in argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_judge_gives_the_table_of_a_run(captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "judge", "--verbose", captures)
    assert (code, err) == (cli.OK, "")
    lines = out.splitlines()
    assert lines[0].startswith("subject    reference:2.1.31 · claude 2.1.31 · ")
    assert f"judged as release 2.1.31, from {captures}" in lines
    assert lines[-1] == "OK: no deviation was seen"
    (runs,) = (line for line in lines if line.startswith("runs "))
    assert runs.startswith("runs       4, the longest: ")


def test_judge_and_report_print_json(
    captures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = called(capsys, "judge", captures / "working_day-grpc", "--json")
    told = json.loads(out)
    assert (code, told["failed"]) == (cli.OK, False)
    assert told["why"].startswith("no MUST is broken")
    assert (told["subject"], told["release"]) == ("reference:2.1.31", "2.1.31")
    assert told["written"] == [f"judged as release 2.1.31, from {captures / 'working_day-grpc'}"]
    assert {row["verdict"] for row in told["rows"]} == {"pass", "not exercised", "not applicable"}
    output = tmp_path / "index.html"
    code, out, _ = called(capsys, "report", captures, "--output", output, "--json")
    assert (code, json.loads(out)) == (cli.OK, {"report": str(output)})


def test_judge_shows_where_canaries_were_seen(
    captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = called(capsys, "judge", "-v", captures)[1].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("canaries ("))
    # Every run has secrets of its own; one of them opens a gate.
    assert lines[start + 1].split() == ["canary", "place", "closed", "details"]
    opened = {line.split("  ")[1] for line in lines[start + 2 :] if line.endswith("●")}
    assert opened >= {"command", "mcp server", "mcp tool", "skill name"}
    assert "  api key           nowhere" in "\n".join(lines[start + 2 :])
    alone = called(capsys, "judge", captures / "working_day-grpc", "-v")[1]
    assert "canaries (" in alone
    assert "  folder          " in alone


def test_judge_by_another_release_finds_what_differs(
    captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = called(capsys, "judge", captures, "--as", "2.1.330", "-v")
    assert code == cli.FAILED
    assert "judged as release 2.1.330" in out
    assert out.count("\n  FAIL ") == int(out.rpartition("FAILED: ")[2].split()[0]) > 10


def test_judge_one_capture_alone(captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "judge", captures / "working_day-grpc", "-v")
    assert code == cli.OK
    exports = next(line for line in out.splitlines() if line.startswith("exports"))
    assert exports.split(" · ")[0].split()[1] == "grpc"
    assert "http" not in exports


def test_requirements_of_a_release(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "requirements", "--version", "2.1.31", "--format", "json")
    assert code == cli.OK
    found = json.loads(out)
    assert all(each["since"] in (None, "2.1.31") or each["since"] < "2.1.31" for each in found)
    everything = json.loads(called(capsys, "requirements", "--format", "json")[1])
    assert {each["requirement"] for each in found} < {each["requirement"] for each in everything}
    links = {each["requirement"]: each["source"]["url"] for each in found}
    assert links["events.user_prompt.exported"] == (
        "https://code.claude.com/docs/en/monitoring-usage#user-prompt-event"
    )
    assert links["scopes.logs.name"] is None
    page = called(capsys, "requirements", "--version", "2.1.31")[1]
    assert f"{len(found)} promises for release 2.1.31" in page


def test_requirements_of_a_collector(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "requirements", "--collector", "--json")
    assert code == cli.OK
    found = {each["requirement"]: each for each in json.loads(out)}
    assert found["receiving.paths.logs"]["protocols"] == ["http/protobuf", "http/json"]
    assert "events.user_prompt.exported" not in found
    page = called(capsys, "requirements", "--collector")[1]
    assert page.startswith("# Requirements of a collector\n")
    assert f"\n{len(found)} promises.\n" in page


def test_a_schema_is_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "schema", "events/user_prompt", "--version", "2.1.31")
    assert code == cli.OK
    assert json.loads(out)["properties"]["body"] == {"const": "claude_code.user_prompt"}
    assert "x-requirements" not in out
    assert called(capsys, "schema", "events.user_prompt", "--version", "2.1.31")[1] == out
    name = "events.user_prompt.full_name"
    assert json.loads(called(capsys, "schema", name, "--version", "2.1.31")[1]) == {
        "const": "claude_code.user_prompt"
    }


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["judge", "/nonexistent"], "capture folder /nonexistent: expected a folder that"),
        (["schema", "events/nope", "--version", "2.1.31"], "schema events/nope: expected a"),
        (["schema", "events/api_error", "--version", "new"], "--version: expected a release"),
        (["requirements", "--version", "2"], "--version: expected a release such as 2.1.31"),
        (["requirements", "--collector", "--version", "2.1.31"], "--version: expected one of the"),
    ],
)
def test_a_wrong_call_is_one_line(
    capsys: pytest.CaptureFixture[str], argv: Sequence[str], message: str
) -> None:
    code, out, err = called(capsys, *argv)
    assert (code, out) == (cli.USAGE, "")
    assert err.startswith(f"cc-harness: {message}")
    assert err.count("\n") == 1


def test_the_console_script_is_installed() -> None:
    script = Path(sys.executable).parent / "cc-harness"
    done = subprocess.run([script, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == cli.USAGE
    assert "invalid choice: 'nonsense'" in done.stderr
