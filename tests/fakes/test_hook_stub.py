"""The hook that notes its runs and ends as it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.fakes import hook_stub
from harness.fakes.hook_stub import BLOCK, FAIL, HANG, SUCCEED
from tests.processes import until

ASKED = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": "toolu_1"}
NOTED = {"name": "mine", "event": "PreToolUse", "subject": "Bash", "tool_use_id": "toolu_1"}


@pytest.mark.parametrize(("outcome", "code"), [(SUCCEED, 0), (BLOCK, 2), (FAIL, 1)])
def test_a_run_is_noted_and_ends_as_it_was_told(tmp_path: Path, outcome: str, code: int) -> None:
    log = tmp_path / "log"
    command = hook_stub.command(log, "mine", outcome)

    for _ in range(2):
        ended = subprocess.run(
            command,
            shell=True,
            input=json.dumps(ASKED),
            text=True,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == code
        assert bool(ended.stderr) == (outcome != SUCCEED)

    noted = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert noted == [{**NOTED, "outcome": outcome}] * 2


def test_a_run_that_never_ends_is_noted_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = str(hook_stub.__file__)
    arguments = [sys.executable, "-I", "-S", program, str(log), "mine", HANG]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"hook_event_name": "SessionStart", "source": "startup"}))
        process.stdin.close()
        until(lambda: log.exists() and log.read_text(encoding="utf-8").endswith("\n"), "a note")
        still_running = process.poll() is None
    finally:
        process.kill()
        process.wait()

    assert still_running
    noted = json.loads(log.read_text(encoding="utf-8"))
    assert (noted["event"], noted["subject"], noted["outcome"]) == ("SessionStart", "startup", HANG)
