"""Conversations over stream-json with small programs of our own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SubjectError
from harness.subject.binary import Binary
from harness.subject.conversing import ARGUMENTS, run_conversation
from harness.subject.outputs import OUTPUT_TAIL_BYTES
from harness.subject.process import Completed, ProcessGroups
from harness.subject.sandbox import Sandbox
from tests.hanging import Hang
from tests.processes import assert_gone

#: ``hear()`` gives the prompts that came at once, ``tell(type, **more)`` prints a message.
SPEAKING = """\
import json, os, signal, subprocess, sys

def hear():
    heard = os.read(0, 65536).decode().splitlines()
    messages = [json.loads(line)["message"] for line in heard]
    assert all(message["role"] == "user" for message in messages)
    return [message["content"][0]["text"] for message in messages]

def tell(type, **more):
    print(json.dumps({"type": type, **more}), flush=True)
"""

Converse = Callable[..., Completed]


@pytest.fixture
def converse(sandbox: Sandbox, tmp_path: Path) -> Converse:
    """Hold a conversation with a program of a few lines of Python."""

    def run(code: str, *prompts: str, **options: Any) -> Completed:
        path = tmp_path / "subject.py"
        path.write_text(SPEAKING + code, encoding="utf-8")
        binary = Binary("test", (sys.executable, str(path)), str(path), "2.1.31")
        return run_conversation(binary, sandbox, prompts, api_url="http://127.0.0.1:9", **options)

    return run


def messages(done: Completed) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_prompt_is_sent_after_the_result_of_the_last(converse: Converse) -> None:
    code = """
tell("system", args=sys.argv[1:])
while prompts := hear():
    tell("assistant", heard=prompts)
    tell("result")
tell("goodbye")
print("warned", file=sys.stderr)
raise SystemExit(3)
"""
    done = converse(code, "first", "zweitens, ü", "third", args=("--more", "x"))
    assert [message.get("heard") for message in messages(done) if "heard" in message] == [
        ["first"],
        ["zweitens, ü"],
        ["third"],
    ]
    assert [message["type"] for message in messages(done)][-2:] == ["result", "goodbye"]
    assert messages(done)[0]["args"] == [*ARGUMENTS, "--more", "x"]
    assert done.argv[-2:] == ("--more", "x")
    assert (done.exit_code, done.timed_out, done.stderr) == (3, False, "warned\n")
    assert done.started_unix_nano < done.ended_unix_nano


def test_only_a_result_is_a_result(converse: Converse) -> None:
    code = """
while prompts := hear():
    print("result"); print('"result"'); print("[1]"); print('{"type": "result"')
    tell("assistant", said="result"); tell("results")
    tell("result", of=prompts)
"""
    done = converse(code, "first", "second")
    results = [line for line in done.stdout.splitlines() if '"of"' in line]
    assert [json.loads(line)["of"] for line in results] == [["first"], ["second"]]


def test_a_long_line_is_read_whole(converse: Converse) -> None:
    code = """
hear()
tell("assistant", text="x" * 200_000)
tell("result")
"""
    done = converse(code, "first")
    assert [len(message.get("text", "")) for message in messages(done)] == [200_000, 0]


def test_the_environment_is_the_sandboxs(converse: Converse, sandbox: Sandbox) -> None:
    code = "hear(); tell('result', env=dict(os.environ), at=os.getcwd())"
    (result,) = messages(converse(code, "first", env={"ODD": "1"}))
    assert result["at"] == str(sandbox.work)
    assert result["env"]["HOME"] == str(sandbox.home)
    assert result["env"]["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"
    assert result["env"]["ODD"] == "1"


@pytest.mark.slow
@pytest.mark.parametrize("when", ["at first", "at once more", "at the end"])
def test_a_hang_comes_back_with_what_was_said(converse: Converse, hang: Hang, when: str) -> None:
    answers = {"at first": 0, "at once more": 1, "at the end": 2}[when]
    code = f"""
child = subprocess.Popen(["sleep", "600"])
tell("system", pids=[os.getpid(), child.pid])
for _ in range({answers}):
    hear()
    tell("result")
{hang.in_python}
signal.pause()
"""
    done = converse(code, "first", "second", deadline_s=600)
    assert done.timed_out
    assert done.exit_code == -9
    first, *rest = messages(done)
    assert len(rest) == answers
    for pid in first["pids"]:
        assert_gone(pid)
    assert (done.timed_out, done.deadline_s) == (True, 600)


def test_lines_without_end_end_at_the_deadline(converse: Converse, hang: Hang) -> None:
    code = f"""
{hang.in_python}
while True:
    tell("system")
"""
    done = converse(code, "first", deadline_s=600)
    assert (done.timed_out, done.exit_code) == (True, -9)
    assert len(done.stdout) <= OUTPUT_TAIL_BYTES


@pytest.mark.parametrize("answered", [0, 1])
def test_a_death_in_the_middle_is_quoted(converse: Converse, answered: int) -> None:
    code = f"""
for _ in range({answered}):
    hear()
    tell("result", number=1)
print("no licence", flush=True)
raise SystemExit("so I am gone")
"""
    with pytest.raises(SubjectError, match="ended before it had answered every") as raised:
        converse(code, "first", "second")
    assert "no licence" in raised.value.output
    assert "so I am gone" in raised.value.output
    assert ("number" in raised.value.output) is bool(answered)


def test_a_program_that_does_not_listen_is_quoted(converse: Converse) -> None:
    """A prompt that cannot be written is no fault of ours."""
    code = "os.close(0); tell('result'); print('deaf')"
    with pytest.raises(SubjectError, match="ended before") as raised:
        converse(code, "x" * 500_000, "second", "third")
    assert "deaf" in raised.value.output


def test_a_pulled_leash_ends_it(converse: Converse) -> None:
    groups = ProcessGroups()
    groups.end_all()
    code = "tell('system'); signal.pause()"
    with pytest.raises(SubjectError, match="ended before"):
        converse(code, "first", groups=groups)


def test_what_cannot_start_is_the_subjects_fault(sandbox: Sandbox) -> None:
    binary = Binary("test", ("/no/such/program",), "/no/such/program", "2.1.31")
    with pytest.raises(SubjectError, match="/no/such/program cannot be started"):
        run_conversation(binary, sandbox, ["first"], api_url="http://127.0.0.1:9")


def test_nothing_is_left_open_afterwards(converse: Converse) -> None:
    # The cell of the sandbox is opened by its first process.
    converse("hear(); tell('result')", "first")
    before = sorted(os.listdir("/dev/fd"))
    converse("hear(); tell('result')", "first")
    assert sorted(os.listdir("/dev/fd")) == before


def test_last_words_without_a_line_end_are_kept(converse: Converse) -> None:
    code = "hear()\ntell('result')\nsys.stdout.write('no more')"
    assert converse(code, "first").stdout.endswith("\nno more")


def test_last_words_without_a_line_end_are_told_of_a_session_that_broke_off(
    converse: Converse,
) -> None:
    with pytest.raises(SubjectError, match="no more"):
        converse("hear()\nsys.stdout.write('no more')", "first")


HOLDING = """
hear()
child = subprocess.Popen(["sleep", "600"])
tell("result", pid=child.pid)
"""


def test_a_child_that_holds_the_output_open_does_not_hold_us(converse: Converse) -> None:
    done = converse(HOLDING, "first")
    assert (done.exit_code, done.timed_out) == (0, False)
    assert_gone(messages(done)[-1]["pid"])


def test_a_child_does_not_hold_us_where_an_answer_is_missing(converse: Converse) -> None:
    with pytest.raises(SubjectError, match="ended before") as raised:
        converse(HOLDING, "first", "second")
    (pid,) = re.findall(r'"pid": (\d+)', raised.value.output)
    assert_gone(int(pid))
