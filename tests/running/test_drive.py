"""One run: what stands around the subject, and what is told of it afterwards."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import Failure, Host
from harness.errors import NotInTimeError, SubjectError
from harness.fakes.script import Fail, Say, UseTool, usage_of_call
from harness.otlp.model import Protocol
from harness.running.drive import closed_port, drive
from harness.running.scenario import Scenario
from harness.running.stage import Stage
from harness.subject.binary import Binary
from harness.subject.dialogs import Choice
from harness.subject.host import this_host
from harness.subject.interactive import AnswerPrompt, See, Type
from harness.subject.process import ProcessGroups
from harness.themes.session.failures import API_FAILURES
from tests.hanging import Hang

PLAYING = Path(__file__).parents[1] / "subject" / "playing_cli.py"

#: Speaks to the model as often as it answers with a tool, all of which work but the last.
WORKING = """
import json, os, sys, urllib.error, urllib.request
URL = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
def ask(messages):
    body = {"model": "m", "max_tokens": 9, "tools": [{"name": "Bash"}], "messages": messages}
    return json.load(urllib.request.urlopen(URL, json.dumps(body).encode()))["content"]
def work(messages):
    while (answer := ask(messages))[0]["type"] == "tool_use":
        result = {"type": "tool_result", "tool_use_id": answer[0]["id"], "content": "done",
                  "is_error": answer[0]["name"] in os.environ.get("BROKEN", "").split()}
        messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": [result]})
    print(answer[0]["text"])
"""
HEADLESS = WORKING + 'work([{"role": "user", "content": sys.argv[sys.argv.index("-p") + 1]}])\n'

Make = Callable[..., Binary]


@pytest.fixture
def subject(tmp_path: Path) -> Make:
    def make(code: str) -> Binary:
        path = tmp_path / "subject.py"
        path.write_text(code, encoding="utf-8")
        return Binary("test", (sys.executable, str(path)), str(path), "2.1.31")

    return make


def run(binary: Binary, protocol: Protocol = Protocol.HTTP_JSON, **fields: Any) -> Capture:
    scenario = Scenario("one", "Is one.", **fields)
    return drive(binary, scenario, protocol, 300.0, ProcessGroups())


def decided(capture: Capture) -> list[tuple[object, bool, str]]:
    return [
        (decision.input["command"], decision.accepted, decision.source)
        for decision in capture.run.truth.decisions
    ]


def bash(command: str, **fields: Any) -> UseTool:
    return UseTool("Bash", {"command": command}, **fields)


def test_nothing_listens_at_a_closed_port_and_nobody_can_take_it() -> None:
    with closed_port() as port:
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", port))
        with socket.socket() as other, pytest.raises(OSError, match="in use") as raised:
            other.bind(("127.0.0.1", port))
        assert raised.value.errno == errno.EADDRINUSE
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))


def test_the_answers_at_a_terminal_are_the_decisions() -> None:
    """What nobody was asked about was decided by the settings."""
    binary = Binary("test", (sys.executable, str(PLAYING)), str(PLAYING), "2.1.31")
    read = UseTool("Read", {"command": "read"})
    capture = run(
        binary,
        acts=(
            Type("Do this."),
            AnswerPrompt(Choice.YES, "touch a"),
            AnswerPrompt(Choice.YES_AND_NEVER_ASK_AGAIN, "touch b"),
            AnswerPrompt(Choice.NO, "touch c"),
            Type("Do that."),
            AnswerPrompt(Choice.DISMISS, "touch d"),
            Type("Say it."),
            See("Said."),
        ),
        script=(
            bash("touch a"),
            read,
            bash("touch b"),
            bash("touch c"),
            bash("touch d"),
            Say("Said."),
        ),
        args=("--allow=Read",),
    )
    assert decided(capture) == [
        ("touch a", True, "user_temporary"),
        ("read", True, "config"),
        ("touch b", True, "user_permanent"),
        ("touch c", False, "user_reject"),
        ("touch d", False, "user_abort"),
    ]
    truth = capture.run.truth
    assert [decision.tool_use_id for decision in truth.decisions[:3]] == [
        ran.tool_use_id for ran in truth.tool_runs if ran.ok
    ]
    assert truth.prompts == ("Do this.", "Do that.", "Say it.")
    assert capture.run.traits == ("a_terminal",)
    assert capture.run.exit_code == 0


def test_settings_accept_and_forbid(subject: Make) -> None:
    capture = run(
        subject(HEADLESS),
        prompt="Go.",
        script=(bash("touch a"), bash("touch b", forbidden=True), Say("Gone.")),
        environment={"BROKEN": "Bash"},
    )
    assert decided(capture) == [("touch a", True, "config"), ("touch b", False, "config")]
    assert [ran.ok for ran in capture.run.truth.tool_runs] == [False, False]
    assert [ran.input["command"] for ran in capture.run.truth.tools_that_ran] == ["touch a"]


def test_what_was_forbidden_and_ran_was_accepted(subject: Make) -> None:
    script = (bash("touch a", forbidden=True), Say("Gone."))
    capture = run(subject(HEADLESS), prompt="Go.", script=script)
    assert decided(capture) == [("touch a", True, "config")]


def test_a_conversation_is_told_with_its_failures(subject: Make) -> None:
    code = f"""{WORKING}
for line in sys.stdin:
    try:
        work([json.loads(line)["message"]])
    except urllib.error.HTTPError as error:
        print(error.code)
    print('{{"type": "result"}}', flush=True)
"""
    capture = run(
        subject(code),
        prompts=("First.", "Second."),
        script=(Fail(400, "a bad one", times=None), bash("touch a"), Say("Gone.")),
    )
    truth = capture.run.truth
    assert truth.prompts == ("First.", "Second.")
    assert truth.failures == (Failure(400, "a bad one", 1, (truth.api_calls[0].request_id,)),)
    assert [call.status for call in truth.api_calls] == [400, 200, 200]
    assert [ran.ok for ran in truth.tool_runs] == [True]
    assert [line for line in capture.run.stdout.splitlines() if "{" not in line] == ["400", "Gone."]
    assert capture.run.traits == ("a_conversation",)


def test_nothing_of_the_api_is_reached_where_nothing_listens(subject: Make) -> None:
    code = """
import os, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["ANTHROPIC_BASE_URL"])
except urllib.error.URLError as error:
    sys.exit(str(error.reason))
"""
    truth_of = run(subject(code), prompt="Anybody?", api_unreachable=True).run
    assert "refused" in truth_of.stderr
    assert truth_of.exit_code == 1
    assert truth_of.truth.prompts == ("Anybody?",)
    assert truth_of.truth.failures == (Failure(None, "", 0),)
    assert truth_of.truth.api_calls == ()


def test_what_a_scenario_says_of_itself_is_told(subject: Make) -> None:
    def prepare(stage: Stage) -> list[str]:
        (stage.home / "prepared").write_text(stage.protocol, encoding="utf-8")
        return ["--prepared"]

    code = f"{HEADLESS}print(sys.argv[3:], open(os.environ['HOME'] + '/prepared').read())"
    capture = run(
        subject(code),
        Protocol.GRPC,
        prompt="Go.",
        args=("--some",),
        prepare=prepare,
        environment={"OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOGS_EXPORTER": "none"},
        traits=("odd",),
        canaries={"prompt": "zq1"},
        account={"user.email": "ada@example.com"},
    )
    driven = capture.run
    assert driven.stdout == "done\n['--some', '--prepared'] grpc\n"
    assert driven.traits == ("odd", "an_account")
    assert driven.truth.canaries == {"prompt": "zq1"}
    assert driven.truth.account == {"user.email": "ada@example.com"}
    assert driven.environment["OTEL_LOG_USER_PROMPTS"] == "1"
    assert driven.environment["OTEL_LOGS_EXPORTER"] == "none"
    assert driven.environment["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc"
    assert driven.host == this_host() != Host()


def test_usage_is_told_as_often_as_the_scenario_says(subject: Make) -> None:
    code = """
import json, os, sys, urllib.request
body = {"model": "m", "max_tokens": 9, "tools": [{"name": "Bash"}], "stream": True,
        "messages": [{"role": "user", "content": sys.argv[2]}]}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:
    print(answer.read().decode().count("event: message_delta"))
"""
    driven = run(subject(code), prompt="Count.", usage_frames=3).run
    assert driven.stdout == "3\n"
    (call,) = driven.truth.api_calls
    assert call.output_tokens == usage_of_call(1).output_tokens


def test_a_prompt_that_was_typed_twice_is_no_finding() -> None:
    """What was typed is not what the scenario says, so nothing of that run can be judged."""
    binary = Binary("test", (sys.executable, str(PLAYING)), str(PLAYING), "2.1.31")
    with pytest.raises(NotInTimeError, match=r"one over http/json: typed twice: 'Do this\.'"):
        run(binary, acts=(Type("Do this."),), script=(Say("Done."),), args=("--twice",))


def test_a_server_of_ours_that_came_too_late_is_no_finding() -> None:
    binary = Binary("test", (sys.executable, str(PLAYING)), str(PLAYING), "2.1.31")
    script = (UseTool("mcp__notes__read", {}), Say("Done."))
    with pytest.raises(NotInTimeError, match="not there yet: mcp__notes__read: its MCP server"):
        run(binary, acts=(Type("Do this."),), script=script, args=("--lacking",))
    # A tool that is none of ours is the session's own business.
    own = (UseTool("Bash", {}), Say("Done."))
    assert run(binary, acts=(Type("Do this."),), script=own, args=("--lacking",)).run.exit_code == 0


def test_a_subject_that_does_not_end_is_named_with_what_it_did(subject: Make, hang: Hang) -> None:
    hanging = subject(
        f"import signal\nprint('waiting', flush=True)\n{hang.in_python}\nsignal.pause()"
    )
    scenario = replace(API_FAILURES, prompts=("First.",))
    with pytest.raises(
        SubjectError, match=r"did not end api_failures over grpc within 600 s"
    ) as raised:
        drive(hanging, scenario, Protocol.GRPC, 600.0, ProcessGroups())
    assert "waiting" in str(raised.value)


def test_a_request_that_the_api_does_not_know_is_noted(subject: Make) -> None:
    asking = """
import urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["ANTHROPIC_BASE_URL"] + "/api/news?page=1")
except urllib.error.HTTPError as error:
    print("news:", error.code)
"""
    capture = run(subject(HEADLESS + asking), prompt="Go.", script=(Say("Done."),))
    assert capture.run.truth.unknown_requests == ("GET /api/news",)
    assert "news: 404" in capture.run.stdout


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"prompt": "Go."}, r"before it asked the model anything \(one over http/json\)"),
        ({"acts": (Type("Go."),)}, "could not be driven through one over http/json"),
    ],
    ids=["headless", "at a terminal"],
)
def test_a_session_that_failed_names_the_requests_that_nobody_answered(
    subject: Make, fields: dict[str, Any], what: str
) -> None:
    asking = """
import contextlib, os, sys, urllib.error, urllib.request
for _ in range(2):
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(os.environ["ANTHROPIC_BASE_URL"] + "/api/oauth")
sys.exit(3)
"""
    expected = f"{what}; the scripted API has no answer to GET /api/oauth"
    with pytest.raises(SubjectError, match=expected):
        run(subject(asking), **fields)
