"""What a scenario may arrange around its session, and do while it runs."""

from __future__ import annotations

import dataclasses
import sys
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import MAIN, Export
from harness.capture.observed import Observation
from harness.collector.answer import CollectorResponse
from harness.fakes.script import Say, UseTool
from harness.otlp.model import Protocol
from harness.running.drive import drive
from harness.running.recorder import record
from harness.running.scenario import Scenario, Until
from harness.running.stage import Backend, Stage, opened
from harness.subject.binary import Binary
from harness.subject.process import Completed, ProcessGroups

#: Works through what the model asks for; exports once to each endpoint that it knows.
EXPORTING = """
import json, os, sys, urllib.error, urllib.request
def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {
        "content-type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError as error:
        return str(error.reason)
def export():
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTHER"):
        if name in os.environ:
            print(name, post(os.environ[name] + "/v1/logs", {}))
export()
messages = [{"role": "user", "content": sys.argv[sys.argv.index("-p") + 1]}]
while True:
    body = {"model": "m", "max_tokens": 9, "tools": [{"name": "Bash"}], "messages": messages}
    answer = post(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", body)["content"]
    if answer[0]["type"] != "tool_use":
        break
    result = {"type": "tool_result", "tool_use_id": answer[0]["id"], "content": "done"}
    messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": [result]}]
    export()
print(answer[0]["text"], os.environ.get("LAUNCHED_BY"))
"""

AGAIN = UseTool("Bash", {"command": "true"})


@pytest.fixture
def subject(tmp_path: Path) -> Binary:
    path = tmp_path / "subject.py"
    path.write_text(EXPORTING, encoding="utf-8")
    return Binary("test", (sys.executable, str(path)), str(path), "2.1.31")


def run(subject: Binary, **fields: Any) -> Capture:
    scenario = Scenario("one", "Is one.", prompt="Go.", **fields)
    return drive(subject, scenario, Protocol.HTTP_JSON, 300.0, ProcessGroups())


def test_exports_and_connections_tell_their_collector(subject: Binary) -> None:
    def configure(stage: Stage) -> Mapping[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": stage.endpoint(), "OTHER": stage.endpoint("other")}

    capture = run(
        subject,
        backends={"other": Backend(), "main": Backend(), "unused": Backend()},
        configure=configure,
    )
    assert [export.collector for export in capture.exports] == ["main", "other"]
    assert [export.sequence for export in capture.exports] == [1, 2]
    assert [each.collector for each in capture.connections] == ["main", "other"]
    assert "CLAUDE_CODE_ENABLE_TELEMETRY" not in capture.run.environment


def test_naming_the_collector_leaves_what_it_stored_as_it_is() -> None:
    with opened({"other": Backend(), MAIN: Backend()}, Protocol.HTTP_JSON) as stage:
        for name in (MAIN, "other"):
            request = urllib.request.Request(
                f"{stage.endpoint(name)}/v1/logs", b"{}", {"content-type": "application/json"}
            )
            urllib.request.urlopen(request).close()
        stored = {export for each in stage.collectors.values() for export in each.exports}
        exports, _ = stage.exports()
        assert [(export.collector, export.sequence) for export in exports] == [
            (MAIN, 1),
            ("other", 2),
        ]
        assert stage.exports()[0] == exports
        for collector in stage.collectors.values():
            (export,) = collector.exports
            assert (export.collector, export.sequence) == (MAIN, 1)
            assert export in stored
            assert dataclasses.replace(export) in stored


def test_a_collector_may_not_listen_or_refuse(subject: Binary) -> None:
    def configure(stage: Stage) -> Mapping[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": stage.endpoint(), "OTHER": stage.endpoint("other")}

    def busy() -> Any:
        return lambda export: CollectorResponse(http_status=503, message="busy")

    capture = run(
        subject,
        backends={"main": Backend(listening=False), "other": Backend(responder=busy)},
        configure=configure,
    )
    assert "ENDPOINT [Errno 111] Connection refused" in capture.run.stdout
    assert "OTHER 503" in capture.run.stdout
    assert [(each.collector, each.status) for each in capture.exports] == [("other", 503)]


def test_a_step_is_repeated_until_something_holds(subject: Binary) -> None:
    def enough(stage: Stage) -> bool:
        return len(stage.main.exports) >= 4

    capture = run(subject, script=(Until(AGAIN, enough), Say("Enough.")))
    assert len(capture.exports) == 4
    assert len(capture.run.truth.tool_runs) == 3
    assert capture.run.stdout.endswith("Enough. None\n")


def test_a_repeated_step_comes_to_an_end(subject: Binary) -> None:
    capture = run(subject, script=(Until(AGAIN, lambda stage: False, at_most=2), Say("Enough.")))
    assert len(capture.run.truth.tool_runs) == 2


def test_a_scenario_acts_while_its_session_runs(subject: Binary) -> None:
    under_way = threading.Event()

    def meanwhile(stage: Stage) -> None:
        assert under_way.wait(60)
        stage.proxies["main"].open()
        (stage.work / "open").touch()

    def is_open(stage: Stage) -> bool:
        if len(stage.api.tool_runs) >= 2:
            under_way.set()
        return (stage.work / "open").exists()

    backends = {"main": Backend(listening=False)}
    script = (Until(AGAIN, is_open, at_most=5000), AGAIN)
    capture = run(subject, backends=backends, meanwhile=meanwhile, script=script)
    assert len(capture.exports) >= 1
    assert "Connection refused" in capture.run.stdout


def test_what_never_comes_is_waited_for_as_long_as_the_session_lasts(subject: Binary) -> None:
    waited = []

    def meanwhile(stage: Stage) -> None:
        waited.append(stage.ended.is_set())
        stage.main.wait_for_exports(99, 600)

    assert run(subject, meanwhile=meanwhile).run.exit_code == 0
    assert waited == [False]


def test_a_fault_of_what_is_done_meanwhile_is_not_hidden(subject: Binary) -> None:
    def meanwhile(stage: Stage) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(subject, meanwhile=meanwhile)


@dataclass(frozen=True, slots=True)
class Leftovers(Observation):
    asked: int
    left: tuple[str, ...]


def test_what_was_observed_and_exported_besides_is_kept(subject: Binary) -> None:
    def more(stage: Stage, completed: Completed) -> Sequence[Export]:
        return [stage.main.exports[0]] if completed.exit_code == 0 else []

    def observe(stage: Stage, completed: Completed) -> Leftovers:
        return Leftovers(len(stage.api.calls), tuple(p.name for p in stage.home.iterdir()))

    capture = run(subject, more_exports=more, observe=observe)
    assert len(capture.exports) == 2
    assert capture.run.observed == {"asked": 1, "left": []}


def test_a_session_can_be_launched_by_another_command(subject: Binary) -> None:
    capture = run(subject, launch=lambda stage: ("env", f"LAUNCHED_BY={stage.protocol}"))
    assert capture.run.argv[:2] == ("env", "LAUNCHED_BY=http/json")
    assert capture.run.stdout.endswith("done http/json\n")


def test_endpoints_go_by_protocol_and_collector() -> None:
    with opened({"a": Backend(), "b": Backend()}, Protocol.GRPC) as stage:
        urls = [stage.endpoint(name, each) for name in "ab" for each in (None, *Protocol)]
        assert urls[0] == urls[1]
        assert urls[2] == urls[3]
        assert len(set(urls)) == 4


def test_what_cannot_be_run_here_is_told_and_not_run(subject: Binary) -> None:
    able = Scenario("able", "Can be run.", prompt="Go.", skip_reason=lambda: None)
    unable = Scenario("unable", "Cannot.", prompt="Go.", skip_reason=lambda: "no such machine")
    recorded = record(
        subject,
        scenarios=[unable, able],
        protocols=[Protocol.HTTP_JSON],
        progress=lambda line: None,
    )
    assert [capture.run.scenario for capture in recorded.captures] == ["able"]
    assert recorded.skipped == {"unable over http/json": "no such machine"}
    assert recorded.faults == {}


def test_a_waiting_run_has_a_longer_deadline(subject: Binary) -> None:
    waiting = Scenario(
        "waiting",
        "Waits.",
        prompt="Go.",
        script=(Until(UseTool("Bash", {"command": "x"}), lambda stage: False, at_most=3),),
        waits_s=300.0,
    )
    capture = drive(subject, waiting, Protocol.HTTP_JSON, 1e-3, ProcessGroups())
    assert capture.run.exit_code == 0


def test_an_answer_may_be_made_up_for_each_collector(subject: Binary) -> None:
    def teapot() -> Any:
        return lambda export: CollectorResponse(http_status=418, message="short and stout")

    capture = run(subject, backends={"main": Backend(responder=teapot)})
    assert [(each.status, each.rejected) for each in capture.exports] == [(418, "short and stout")]
