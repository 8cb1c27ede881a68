"""Any command, run against a collector of ours and judged by what it exported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from tests.fleet.lines import Recorded, WriteLines, lines_of

#: Exports lines as a session does, and ends as it is told to.
EXPORTER = """
import json, os, sys, urllib.error, urllib.request

def export(signal, line):
    url = f"{os.environ['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/{signal}"
    kind = {"content-type": "application/json"}
    try:
        urllib.request.urlopen(urllib.request.Request(url, line, kind)).read()
    except urllib.error.HTTPError as error:
        print(error, file=sys.stderr)

_, path, code = sys.argv
for line in open(path, "rb"):
    export("metrics" if b"resourceMetrics" in line else "logs", line.rstrip())
print(sys.stdin.readline() or os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"])
sys.exit(int(code))
"""


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret")
    script = tmp_path / "exporter.py"
    script.write_text(EXPORTER)
    return sys.executable, str(script)


def ran(capfd: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.main(["run", *map(str, words)])
    return code, *capfd.readouterr()


def test_a_session_is_judged_and_its_end_is_told(
    capfd: pytest.CaptureFixture[str],
    capture_file: WriteLines,
    recorded: Recorded,
    exporter: tuple[str, str],
    tmp_path: Path,
) -> None:
    given = capture_file(lines_of(recorded("2.1.332", "working_day")))
    kept = tmp_path / "kept.json"
    options = ("--json", "--protocol=http/json", f"--output={kept}", "--")
    code, out, err = ran(capfd, *options, *exporter, given, 3)
    told: dict[str, Any] = json.loads(out)
    assert (code, told["failed"]) == (cli.OK, False)
    assert "http/json" in err
    assert (told["subject"]["exit_code"], told["subject"]["signal"]) == (3, None)
    (release,) = told["releases"]
    verdicts = [row["verdict"] for row in release["rows"]]
    assert verdicts.count("pass") > 150
    assert "secret" not in out
    # What was kept is judged alike.
    assert cli.main(["check", "--format=json", str(kept)]) == cli.OK
    (again,) = json.loads(capfd.readouterr().out)["releases"]
    assert [row["verdict"] for row in again["rows"]] == verdicts
    assert ran(capfd, *options, *exporter, given, 0)[0] == cli.USAGE  # the file is there


def test_what_was_refused_fails_it(
    capfd: pytest.CaptureFixture[str], capture_file: WriteLines, exporter: tuple[str, str]
) -> None:
    given = capture_file([b"{"])
    code, out, err = ran(capfd, "--protocol=http/json", "--", *exporter, given, 0)
    assert code == cli.FAILED
    assert "ended with exit code 0 after " in out
    assert "not read: request 1: POST /v1/logs: refused with 400: body is not JSON" in out
    assert out.splitlines()[-1] == ("FAILED: nothing was exercised; 1 message could not be read")
    assert "HTTP Error 400" in err


def test_a_command_that_sends_nothing_is_no_pass(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capfd, "--", "sh", "-c", "kill -TERM $$")
    assert code == cli.FAILED
    assert "ended with signal 15 after " in out
    assert "hint      nothing was sent to us" in out


def test_what_cannot_be_run_is_a_wrong_call(capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(capfd) == (
        cli.USAGE,
        "",
        "cc-harness: CMD: expected a command after --, saw nothing\n",
    )
    code, _, err = ran(capfd, "--", "/nowhere")
    assert code == cli.USAGE
    assert err.startswith("cc-harness: CMD '/nowhere': expected a program that can be started")
