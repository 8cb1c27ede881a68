"""The emitter at a terminal: what it asks, what it makes of the answers, what it exports."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.errors import SubjectError
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.otlp.model import DataPoint, Event, Protocol
from harness.running.drive import drive
from harness.running.scenario import Scenario
from harness.subject.binary import resolve
from harness.subject.dialogs import Choice
from harness.subject.interactive import ARGUMENTS, Act, AnswerPrompt, See, SwitchMode, Type
from harness.subject.process import ProcessGroups

pytestmark = pytest.mark.slow

FEBRUARY = "2.1.31"
AUGUST = "2.1.240"


def session(
    acts: Sequence[Act],
    script: Sequence[Step],
    *,
    version: str = AUGUST,
    env: Mapping[str, str] | None = None,
    args: tuple[str, ...] = ARGUMENTS,
    protocol: Protocol = Protocol.HTTP_JSON,
) -> Capture:
    scenario = Scenario(
        "at_a_terminal",
        "a session at a terminal",
        script=script,
        environment=env or {},
        files={"kept.py": "a = 1\nb = 2\n"},
        args=args,
        acts=tuple(acts),
    )
    binary = resolve(f"reference:{version}", progress=print)
    capture = drive(binary, scenario, protocol, 300.0, ProcessGroups())
    assert capture.run.exit_code == 0
    assert capture.rejected == ()
    return capture


def write(name: str) -> UseTool:
    return UseTool("Write", {"file_path": name, "content": f"# {name}\n"})


def bash(command: str) -> UseTool:
    return UseTool("Bash", {"command": command})


def total(capture: Capture, metric: str, **attributes: str) -> float:
    points = capture.data_points(f"claude_code.{metric}", **attributes)
    return sum(point.value or 0.0 for point in points)


def decisions(events: Sequence[Event]) -> list[tuple[object, ...]]:
    return [
        (event.attributes["tool_name"], event.attributes["decision"], event.attributes["source"])
        for event in events
    ]


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_several_turns_are_one_session(version: str) -> None:
    acts: list[Act] = [
        Type("first things first"),
        See("one"),
        Type("and then the second"),
        See("two"),
        SwitchMode("plan mode on"),
    ]
    capture = session(acts, [Say("one"), Say("two")], version=version)

    assert capture.run.truth.prompts == ("first things first", "and then the second")
    items: tuple[DataPoint | Event, ...] = (*capture.data_points(), *capture.events())
    assert len({item.attributes["session.id"] for item in items}) == 1
    assert total(capture, "session.count") == 1
    # A key that seems lost is pressed again.
    modes = [event.attributes["to_mode"] for event in capture.events("permission_mode_changed")]
    assert modes[:2] == ([] if version == FEBRUARY else ["acceptEdits", "plan"])
    events = capture.events()
    assert [event.attributes["event.sequence"] for event in events] == list(range(len(events)))
    said = ["assistant_response"] if version == AUGUST else []
    turn = ["user_prompt", *said, "api_request"]
    switched = ["permission_mode_changed"] * len(modes)
    assert [event.attributes["event.name"] for event in events] == turn * 2 + switched
    if version == AUGUST:
        assert len({event.attributes["prompt.id"] for event in events}) == 2
        sources = {event.attributes["query_source"] for event in capture.events("api_request")}
        assert sources == {"repl_main_thread"}


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_every_answer_has_its_source(version: str, protocol: Protocol) -> None:
    acts: list[Act] = [
        Type("do a lot"),
        AnswerPrompt(Choice.YES, "once.py"),
        AnswerPrompt(Choice.YES_FOR_THE_SESSION, "ever.py"),
        AnswerPrompt(Choice.YES_AND_NEVER_ASK_AGAIN, "touch x"),
        AnswerPrompt(Choice.NO, "echo no"),
        Type("go on"),
        AnswerPrompt(Choice.DISMISS, "mkdir x"),
        Type("and the end"),
        See("that is all"),
    ]
    script: list[Step] = [
        write("once.py"),
        write("ever.py"),
        write("later.py"),
        bash("touch x"),
        bash("touch x && true"),
        UseTool("Read", {"file_path": "kept.py"}),
        bash("echo no"),
        bash("mkdir x"),
        Say("that is all"),
    ]
    capture = session(acts, script, version=version, protocol=protocol)

    expected = [
        ("Write", "accept", "user_temporary"),
        ("Write", "accept", "user_temporary"),
        ("Write", "accept", "config"),
        ("Bash", "accept", "user_permanent"),
        ("Bash", "accept", "config"),
        ("Read", "accept", "config"),
        ("Bash", "reject", "user_reject"),
        ("Bash", "reject", "user_abort"),
    ]
    assert decisions(capture.events("tool_decision")) == expected
    assert [run.ok for run in capture.run.truth.tool_runs] == [True] * 6 + [False] * 2
    results = capture.events("tool_result")
    if version == FEBRUARY:
        assert decisions(results) == expected
        points = capture.data_points("claude_code.code_edit_tool.decision")
        assert sum(point.value or 0 for point in points) == 3
        assert not any("source" in point.attributes for point in points)
    else:
        found = [
            (each["tool_name"], each["decision_type"], each["decision_source"])
            for each in (event.attributes for event in results)
        ]
        assert found == expected[:6]
        assert total(capture, "code_edit_tool.decision", source="user_temporary") == 2
        assert total(capture, "code_edit_tool.decision", source="config") == 1


def test_the_truth_agrees() -> None:
    # Asked about one file twice: what is to be changed tells the questions apart.
    acts: list[Act] = [
        Type("do it"),
        AnswerPrompt(Choice.YES, "kept.py"),
        AnswerPrompt(Choice.NO, "kept.py"),
    ]
    script: list[Step] = [
        UseTool("Edit", {"file_path": "kept.py", "old_string": "a = 1\n", "new_string": ""}),
        UseTool("Edit", {"file_path": "kept.py", "old_string": "b", "new_string": "c"}),
    ]
    capture = session(acts, script)

    asked = [(each.accepted, each.source) for each in capture.run.truth.decisions]
    assert asked == [(True, "user_temporary"), (False, "user_reject")]
    assert total(capture, "lines_of_code.count", type="removed") == 1
    assert total(capture, "code_edit_tool.decision", decision="reject") == 1


def test_what_the_settings_allow_is_not_asked() -> None:
    acts: list[Act] = [Type("do it"), See("ready")]
    script: list[Step] = [bash("true"), write("a.py"), Say("ready")]
    args = ("--permission-mode", "acceptEdits", "--allowedTools", "Bash")
    capture = session(acts, script, args=args)

    assert {source for *_, source in decisions(capture.events("tool_decision"))} == {"config"}


@pytest.mark.parametrize(("version", "types"), [(FEBRUARY, {None}), (AUGUST, {"user", "cli"})])
def test_active_time(version: str, types: set[str | None]) -> None:
    acts: list[Act] = [Type("work"), AnswerPrompt(Choice.YES, "echo"), Type("more"), See("ready")]
    capture = session(acts, [bash("echo"), Say("so far"), Say("ready")], version=version)

    points = capture.data_points("claude_code.active_time.total")
    assert {point.attributes.get("type") for point in points} == types
    for kind in types:
        amount = sum(p.value or 0 for p in points if p.attributes.get("type") == kind)
        assert amount > 0
    run = capture.run
    wall_s = (run.ended_unix_nano - run.started_unix_nano) / 1e9
    assert sum(point.value or 0 for point in points) < wall_s


def test_an_error_does_not_end_the_session() -> None:
    acts: list[Act] = [
        Type("fail"),
        See("API Error: 400 not today"),
        Type("once more"),
        See("fine"),
    ]
    capture = session(acts, [Fail(400, "not today"), Say("fine")])

    assert [call.status for call in capture.run.truth.api_calls] == [400, 200]
    assert len(capture.events("api_error")) == len(capture.events("api_request")) == 1


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"CURSOR_TRACE_ID": "1", "TERM_PROGRAM": "vscode"}, "cursor"),
        ({"TERM_PROGRAM": "vscode", "TMUX": "/tmp/tmux"}, "vscode"),
        ({"TMUX": "/tmp/tmux"}, "tmux"),
        ({}, "xterm-256color"),
        ({"TERM": ""}, None),
    ],
)
def test_the_terminal_is_told(env: dict[str, str], expected: str | None) -> None:
    capture = session([Type("hello"), See("ready")], [Say("ready")], env=env)

    items: tuple[DataPoint | Event, ...] = (*capture.data_points(), *capture.events())
    assert {item.attributes.get("terminal.type") for item in items} == {expected}


def test_json_lines_are_one_session_too() -> None:
    scenario = Scenario(
        "lines",
        "prompts as JSON lines",
        prompts=("the first", "the second"),
        script=(Fail(400, "no"), Say("yes")),
    )
    binary = resolve("reference", progress=print)
    capture = drive(binary, scenario, Protocol.GRPC, 300.0, ProcessGroups())

    assert (capture.run.exit_code, capture.run.stderr) == (0, "")
    results = [json.loads(line) for line in capture.run.stdout.splitlines()]
    assert [(each["is_error"], each["result"]) for each in results] == [
        (True, "API Error: 400 no"),
        (False, "yes"),
    ]
    assert total(capture, "session.count") == 1
    sequence = [event.attributes["event.sequence"] for event in capture.events()]
    assert sequence == [0, 1, 2, 3, 4]


def test_the_entrypoint() -> None:
    env = {"OTEL_METRICS_INCLUDE_ENTRYPOINT": "true"}
    capture = session([Type("hello"), See("ready")], [Say("ready")], env=env)

    assert {each.attributes["app.entrypoint"] for each in capture.data_points()} == {"cli"}


def test_what_cannot_be_followed_is_said() -> None:
    env = {"CLAUDE_CODE_MAX_RETRIES": "many"}
    with pytest.raises(SubjectError, match="CLAUDE_CODE_MAX_RETRIES: expected a whole number"):
        session([Type("hello")], [Say("ready")], env=env)


@pytest.mark.parametrize("keys", [b"\x04\x04", b"half a prompt\x04\x04", b"\x1b[A\x03"])
def test_the_terminal_is_given_back(keys: bytes, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-c", SURROUNDING, sys.executable]
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={"HOME": str(tmp_path), "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
            text=True,
        )
        seen = b""
        while "❯".encode() not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, keys)
        _, output = process.communicate(timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)

    code, same = json.loads(output)
    assert same
    assert code == (130 if b"\x03" in keys else 0)


#: Runs the emitter on its own terminal and compares the terminal's modes.
SURROUNDING = """
import fcntl, json, subprocess, sys, termios, signal
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, lambda *_: None)
before = termios.tcgetattr(0)
code = subprocess.call([sys.argv[1], "-m", "harness.themes.emitter"])
json.dump([code, termios.tcgetattr(0) == before], sys.stderr)
"""
