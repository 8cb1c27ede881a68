"""The emitters as real processes: what they do and what they export, word for word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.capture.run import GroundTruth
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.otlp.model import DataPoint, Event, Protocol, Signal
from harness.running.recorder import run_session
from harness.subject.binary import Binary, resolve
from harness.subject.headless import PERMISSIONS

FEBRUARY = "2.1.31"
AUGUST = "2.1.240"
PROMPT = "Please do the day's work"

STANDARD = {
    FEBRUARY: {"session.id", "terminal.type"},
    AUGUST: {"session.id", "terminal.type", "user.id"},
}
COMMON = {
    FEBRUARY: STANDARD[FEBRUARY] | {"event.name", "event.timestamp", "event.sequence"},
    AUGUST: STANDARD[AUGUST] | {"event.name", "event.timestamp", "event.sequence", "prompt.id"},
}
OF_API = {
    FEBRUARY: set(),
    AUGUST: {"speed", "effort", "client_request_id", "query_source", "request_id"},
}
TOKENS = {"input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens"}
#: What each event carries beyond the common attributes when all gates are closed.
#: Of two sets, the second is for a tool that failed.
EVENTS = {
    FEBRUARY: {
        "user_prompt": {"prompt_length", "prompt"},
        "api_request": {"model", "cost_usd", "duration_ms"} | TOKENS,
        "api_error": {"model", "error", "status_code", "duration_ms", "attempt"},
        "tool_decision": {"tool_name", "decision", "source"},
        "tool_result": {"tool_name", "success", "duration_ms", "decision", "source"},
    },
    AUGUST: {
        "user_prompt": {"prompt_length", "prompt", "message.uuid"},
        "api_request": {"model", "cost_usd", "cost_usd_micros", "duration_ms"} | TOKENS,
        "api_error": {"model", "error", "status_code", "duration_ms", "attempt"},
        "tool_decision": {"tool_name", "decision", "source", "tool_use_id", "tool_source"},
        "tool_result": {
            "tool_name",
            "success",
            "duration_ms",
            "tool_use_id",
            "tool_input_size_bytes",
            "decision_type",
            "decision_source",
        },
    },
}
METRICS = {
    FEBRUARY: {
        "session.count": set(),
        "lines_of_code.count": {"type"},
        "pull_request.count": set(),
        "commit.count": set(),
        "cost.usage": {"model"},
        "token.usage": {"model", "type"},
        "code_edit_tool.decision": {"tool", "decision", "language"},
        "active_time.total": set(),
    },
    AUGUST: {
        "session.count": {"start_type"},
        "lines_of_code.count": {"type", "model"},
        "pull_request.count": set(),
        "commit.count": set(),
        "cost.usage": {"model", "query_source", "effort"},
        "token.usage": {"model", "query_source", "effort", "type"},
        "code_edit_tool.decision": {"tool_name", "decision", "source", "language"},
        "active_time.total": {"type"},
    },
}
UNITS = {"cost.usage": "USD", "token.usage": "tokens", "active_time.total": "s"}


def day(work: Path) -> Sequence[Step]:
    path = str(work / "a.py")
    return [
        UseTool("Write", {"file_path": path, "content": "x = 1\ny = 2\n"}),
        UseTool(
            "Edit", {"file_path": path, "old_string": "y = 2\n", "new_string": "y = 3\nz = 4\n"}
        ),
        UseTool(
            "Bash",
            {"command": "git add a.py && git commit -qm 'Add a'", "description": "Commit"},
        ),
        UseTool("Bash", {"command": "gh pr create --title t --body b", "timeout": 9000}),
        UseTool("Bash", {"command": "echo oops >&2; exit 3"}),
        UseTool("Edit", {"file_path": path, "old_string": "absent", "new_string": ""}),
        UseTool("Read", {"file_path": str(work / "missing.txt")}),
        UseTool("Read", {"file_path": path}),
        Fail(400, "the day ends here", times=None),
    ]


def emitter(version: str | None = None) -> Binary:
    return resolve(f"reference:{version}" if version else "reference", progress=print)


def session(
    version: str = AUGUST,
    script: Sequence[Step] = (Say("done"),),
    *,
    protocol: Protocol = Protocol.HTTP_PROTOBUF,
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = PERMISSIONS,
) -> Capture:
    capture = run_session(
        emitter(version), prompt=PROMPT, script=script, protocol=protocol, env=env, args=args
    )
    assert capture.run.stderr == ""
    assert capture.rejected == ()
    return capture


def own(capture: Capture, event: Event) -> set[str]:
    """The event's attributes beyond those that all events share."""
    common = COMMON[capture.run.subject.version]
    assert common <= set(event.attributes)
    return set(event.attributes) - common


def total(capture: Capture, metric: str, **attributes: str) -> float:
    points = capture.data_points(f"claude_code.{metric}", **attributes)
    return sum(point.value or 0.0 for point in points)


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_day(protocol: Protocol, version: str) -> None:
    capture = run_session(emitter(version), prompt=PROMPT, script=day, protocol=protocol)

    assert capture.run.exit_code == 1
    assert capture.run.stdout == "API Error: 400 the day ends here\n"
    assert capture.run.stderr == ""
    assert [(run.name, run.ok) for run in capture.run.truth.tool_runs] == [
        ("Write", True),
        ("Edit", True),
        ("Bash", True),
        ("Bash", True),
        ("Bash", False),
        ("Edit", False),
        ("Read", False),
        ("Read", True),
    ]
    # One export of each signal, at the end: the default intervals are far longer.
    assert Counter(export.signal for export in capture.accepted) == {
        Signal.METRICS: 1,
        Signal.LOGS: 1,
    }
    assert [export.notes for export in capture.exports] == [(), ()]
    assert {export.protocol for export in capture.exports} == {protocol}
    check_resource_and_scopes(capture, version)
    check_metrics(capture, version)
    check_totals(capture, capture.run.truth)
    check_events(capture, version)


def check_resource_and_scopes(capture: Capture, version: str) -> None:
    items: tuple[DataPoint | Event, ...] = (*capture.data_points(), *capture.events())
    (resource,) = {item.resource for item in items}
    assert set(resource.attributes) == {
        "service.name",
        "service.version",
        "os.type",
        "os.version",
        "host.arch",
    }
    assert resource.attributes["service.name"] == "claude-code"
    assert resource.attributes["service.version"] == version
    assert {(item.scope.name, item.scope.version) for item in capture.data_points()} == {
        ("com.anthropic.claude_code", version)
    }
    assert {(item.scope.name, item.scope.version) for item in capture.events()} == {
        ("com.anthropic.claude_code.events", version)
    }


def check_metrics(capture: Capture, version: str) -> None:
    assert set(capture.metric_names) == {f"claude_code.{name}" for name in METRICS[version]}
    count = "count" if version == FEBRUARY else ""
    for name, attributes in METRICS[version].items():
        for point in capture.data_points(f"claude_code.{name}"):
            assert set(point.attributes) == STANDARD[version] | attributes
            assert point.metric.unit == UNITS.get(name, count)
            assert (point.metric.type, point.metric.temporality) == ("sum", "delta")
            assert point.metric.monotonic is True
            assert isinstance(point.value, float)
            assert point.value > 0


def check_totals(capture: Capture, truth: GroundTruth) -> None:
    answered = [call for call in truth.api_calls if call.status == 200]
    assert len(answered) == 8
    for kind, billed in (
        ("input", sum(call.input_tokens for call in answered)),
        ("output", sum(call.output_tokens for call in answered)),
        ("cacheRead", sum(call.cache_read_tokens for call in answered)),
        ("cacheCreation", sum(call.cache_creation_tokens for call in answered)),
    ):
        assert total(capture, "token.usage", type=kind) == billed
    assert total(capture, "session.count") == 1
    assert total(capture, "lines_of_code.count", type="added") == truth.lines_added == 4
    assert total(capture, "lines_of_code.count", type="removed") == truth.lines_removed == 1
    assert total(capture, "commit.count") == truth.commits == 1
    assert total(capture, "pull_request.count") == truth.pull_requests == 1
    assert total(capture, "code_edit_tool.decision", decision="accept", language="Python") == 3
    costs = [float(str(event.attributes["cost_usd"])) for event in capture.events("api_request")]
    assert total(capture, "cost.usage") == pytest.approx(sum(costs))


def check_events(capture: Capture, version: str) -> None:
    events = capture.events()
    assert [event.attributes["event.sequence"] for event in events] == list(range(len(events)))
    assert Counter(str(event.attributes["event.name"]) for event in events) == {
        "user_prompt": 1,
        "api_request": 8,
        "api_error": 1,
        "tool_decision": 8,
        "tool_result": 8,
    }
    for event in events:
        name = str(event.attributes["event.name"])
        assert event.body == f"claude_code.{name}"
        expected = set(EVENTS[version][name])
        if name.startswith("api_"):
            expected |= OF_API[version]
        elif name == "tool_result":
            succeeded = event.attributes["success"] == "true"
            if version == AUGUST:
                expected.add("tool_result_size_bytes" if succeeded else "error_type")
            elif not succeeded:
                expected.add("error")
            if version == FEBRUARY and event.attributes["tool_name"] == "Bash":
                expected.add("tool_parameters")
        assert own(capture, event) == expected
        check_types(event, version)
    (prompt,) = capture.events("user_prompt")
    assert prompt.attributes["prompt"] == "<REDACTED>"
    assert PROMPT not in str([event.attributes for event in events])
    (error,) = capture.events("api_error")
    assert error.attributes["error"] == "the day ends here"


def check_types(event: Event, version: str) -> None:
    numbers = {"prompt_length", "duration_ms", "status_code", "attempt", *TOKENS}
    for name in numbers & set(event.attributes):
        assert type(event.attributes[name]) is (str if version == FEBRUARY else int)
    time = str(event.attributes["event.timestamp"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert event.time_unix_nano % 1_000_000 == 0
    assert event.time_unix_nano // 1_000_000 % 1000 == int(time[-4:-1])


def test_error_types_are_categories() -> None:
    capture = run_session(
        emitter(AUGUST), prompt=PROMPT, script=day, protocol=Protocol.HTTP_PROTOBUF
    )

    failed = capture.events("tool_result", success="false")
    assert [event.attributes["error_type"] for event in failed] == [
        "ShellError",
        "ToolError",
        "Error:ENOENT",
    ]


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_a_rejected_tool(version: str) -> None:
    script: list[Step] = [
        UseTool("Write", {"file_path": "b.rs", "content": "fn main() {}\n"}),
        Say("no"),
    ]
    capture = session(version, script, args=("--allowedTools", "Bash(git:*),Read"))

    (run,) = capture.run.truth.tool_runs
    assert not run.ok
    assert capture.run.truth.lines_added == 0
    (decision,) = capture.events("tool_decision")
    assert decision.attributes["decision"] == "reject"
    assert decision.attributes["source"] == "config"
    assert total(capture, "code_edit_tool.decision", decision="reject", language="Rust") == 1
    # February's result knows a rejection, August's does not.
    results = [event.attributes["decision"] for event in capture.events("tool_result")]
    assert results == (["reject"] if version == FEBRUARY else [])


@pytest.mark.parametrize(
    ("args", "write", "bash"),
    [
        (("--permission-mode", "acceptEdits"), True, False),
        (("--permission-mode", "bypassPermissions"), True, True),
        (("--dangerously-skip-permissions",), True, True),
        (("--allowed-tools", "Read", "Bash"), False, True),
        ((), False, False),
    ],
)
def test_permissions(args: tuple[str, ...], write: bool, bash: bool) -> None:
    script: list[Step] = [
        UseTool("Write", {"file_path": "c.txt", "content": "c\n"}),
        UseTool("Bash", {"command": "true"}),
        Say("done"),
    ]
    capture = session(script=script, args=args)

    assert [run.ok for run in capture.run.truth.tool_runs] == [write, bash]


@pytest.mark.parametrize("status", [429, 529])
def test_a_retry_that_succeeds_is_no_error(status: int) -> None:
    capture = session(script=[Fail(status, "not now", times=2), Say("done")])

    assert (capture.run.exit_code, capture.run.stdout) == (0, "done\n")
    assert [call.status for call in capture.run.truth.api_calls] == [status, status, 200]
    assert len(capture.events("api_request")) == 1
    assert capture.events("api_error") == ()


def test_retries_end() -> None:
    capture = session(script=[Fail(503, "never", times=None, retry_after=0)])

    assert capture.run.exit_code == 1
    assert len(capture.run.truth.api_calls) == 3  # CLAUDE_CODE_MAX_RETRIES=2
    (error,) = capture.events("api_error")
    assert error.attributes["attempt"] == 3
    assert error.attributes["status_code"] == 503
    assert error.attributes["request_id"] == capture.run.truth.api_calls[-1].request_id
    assert capture.events("api_request") == ()


def test_version_says_what_it_emulates_and_costs_nothing() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "harness.themes.emitter"]
    done = subprocess.run(
        [*command, "--emulate", FEBRUARY, "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{FEBRUARY} (Claude Code)\n"
    assert "harness.reference" in done.stderr
    for heavy in ("opentelemetry", "grpc", "google.protobuf", "http.client"):
        assert heavy not in done.stderr
    assert emitter().version == AUGUST


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--emulate", "two"], {}, "not a version of the form 2.1.31: 'two'"),
        ([], {}, "option -p: expected -p PROMPT, or a terminal, saw no prompt"),
        (["-p", "x"], {}, "environment variable ANTHROPIC_BASE_URL: expected the address"),
        (
            ["-p", "x"],
            {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "CLAUDE_CODE_MAX_RETRIES": "-1"},
            "environment variable CLAUDE_CODE_MAX_RETRIES: "
            "expected a whole number, at least 0, saw '-1'",
        ),
    ],
)
def test_bad_input_is_named(argv: list[str], environ: dict[str, str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.themes.emitter", *argv],
        stdin=subprocess.DEVNULL,
        env={"HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_silent() -> None:
    command = (sys.executable, "-m", "harness.reference.silent")
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"{AUGUST} (Claude Code)\n"

    binary = Binary("silent", command, sys.executable, AUGUST)
    capture = run_session(binary, prompt=PROMPT, script=day, protocol=Protocol.GRPC)

    assert (capture.run.exit_code, capture.run.stdout, capture.run.stderr) == (0, "", "")
    assert capture.exports == ()
    assert capture.run.truth.api_calls == ()


def test_tool_details_open_the_gate() -> None:
    long = "a" * 600
    script: list[Step] = [
        UseTool("Bash", {"command": "false", "description": "Fail", "timeout": 9000}),
        UseTool("Bash", {"command": "git commit --allow-empty -qm x"}),
        UseTool("Write", {"file_path": "d.md", "content": long}),
        Say("done"),
    ]
    capture = session(script=script, env={"OTEL_LOG_TOOL_DETAILS": "1"})

    failed, committed, written = capture.events("tool_result")
    assert failed.attributes["error"] == "Exit code 1"
    assert json.loads(str(failed.attributes["tool_parameters"])) == {
        "bash_command": "false",
        "full_command": "false",
        "timeout": 9000,
        "description": "Fail",
        "dangerouslyDisableSandbox": False,
    }
    decision = capture.events("tool_decision")[0]
    assert decision.attributes["tool_parameters"] == failed.attributes["tool_parameters"]
    commit = json.loads(str(committed.attributes["tool_parameters"]))["git_commit_id"]
    assert re.fullmatch("[0-9a-f]{40}", commit)
    tool_input = json.loads(str(written.attributes["tool_input"]))
    assert tool_input == {"file_path": "d.md", "content": "a" * 512 + "…"}
    assert "tool_parameters" not in written.attributes
