"""The recorder with small subjects of our own; real ones are judged in tests/suite."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.files import load
from harness.errors import SubjectError, UsageError
from harness.otlp.model import Protocol, Signal
from harness.running.recorder import RunDrawn, record, run_session
from harness.running.scenario import Scenario
from harness.running.stage import Stage
from harness.subject.binary import Binary
from harness.subject.interactive import Type
from harness.subject.process import Completed
from harness.themes.session.working_day import WORKING_DAY
from tests.hanging import Hang

EXPORTING = """
import json, os, sys, urllib.request
def post(url, body):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request).read()
prompt = sys.argv[sys.argv.index("-p") + 1]
post(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", {
    "model": "m", "max_tokens": 1, "tools": [{"name": "Bash", "input_schema": {}}],
    "messages": [{"role": "user", "content": prompt}],
})
if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/json":
    post(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/logs", {"resourceLogs": [
        {"scopeLogs": [{"logRecords": [{"body": {"stringValue": "claude_code.user_prompt"}}]}]}
    ]})
print(os.getcwd(), sorted(os.listdir()))
"""

Maker = Callable[[str], Binary]


@pytest.fixture
def subject(tmp_path: Path) -> Maker:
    """Make a subject of a few lines of Python."""

    def make(code: str) -> Binary:
        path = tmp_path / "subject.py"
        path.write_text(code, encoding="utf-8")
        return Binary("test", (sys.executable, str(path)), str(path), "2.1.31")

    return make


def silent(line: str) -> None:
    """Take progress and say nothing."""


def test_every_protocol_is_run_and_kept(subject: Maker, tmp_path: Path) -> None:
    progress: list[str] = []
    recorded = record(
        subject(EXPORTING),
        scenarios=[WORKING_DAY],
        progress=progress.append,
        keep=tmp_path / "kept",
    )
    captures = recorded.captures
    assert recorded.faults == {}
    assert [capture.run.protocol for capture in captures] == list(Protocol)
    (line,) = [line for line in progress if line.startswith("running")]
    assert line == "running claude 2.1.31 3 times over grpc, http/protobuf, http/json: working_day"
    by_protocol = {capture.run.protocol: capture for capture in captures}
    seen = by_protocol[Protocol.HTTP_JSON]
    (export,) = seen.exports
    assert export.signal is Signal.LOGS
    assert [event.body for event in export.events] == ["claude_code.user_prompt"]
    assert seen.run.exit_code == 0
    (prompt,) = seen.run.truth.prompts
    assert prompt.startswith(f"{WORKING_DAY.prompt} (zq")
    assert by_protocol[Protocol.GRPC].exports == ()
    for capture in captures:
        folder = tmp_path / "kept" / f"working_day-{capture.run.protocol.replace('/', '-')}"
        assert load(folder) == capture


def test_a_session_of_ones_own(subject: Maker) -> None:
    capture = run_session(
        subject(EXPORTING),
        prompt="hello",
        script=(),
        protocol=Protocol.HTTP_JSON,
        env={"OTEL_LOG_USER_PROMPTS": "1"},
        files={"docs/note.txt": "x"},
    )
    assert capture.run.environment["OTEL_LOG_USER_PROMPTS"] == "1"
    assert capture.run.truth.prompts == ("hello",)
    assert "'docs'" in capture.run.stdout
    assert not Path(capture.run.stdout.split()[0]).exists(), "the sandbox is gone"


def test_files_stay_in_the_work_tree(subject: Maker) -> None:
    with pytest.raises(UsageError, match=r"files\['\.\./x'\]"):
        run_session(
            subject(EXPORTING),
            prompt="hello",
            script=(),
            protocol=Protocol.GRPC,
            files={"../x": ""},
        )


def test_a_subject_that_hangs_is_ended_and_quoted(subject: Maker, hang: Hang) -> None:
    hanging = subject(
        f"print('last words', flush=True)\n{hang.in_python}\nimport signal\nsignal.pause()"
    )
    recorded = record(hanging, scenarios=[WORKING_DAY], progress=silent, deadline_s=1)
    assert recorded.captures == ()
    assert list(recorded.faults) == [f"working_day over {protocol}" for protocol in Protocol]
    for label, fault in recorded.faults.items():
        assert f"did not end {label} within 1 s" in fault
        assert "last words" in fault


def test_what_came_too_late_is_run_once_more(subject: Maker, tmp_path: Path, hang: Hang) -> None:
    """A slow machine says nothing of the subject; that there was a second run is told."""
    late = subject(
        "import os, pathlib, signal\n"
        "protocol = os.environ['OTEL_EXPORTER_OTLP_PROTOCOL'].replace('/', '-')\n"
        f"mark = pathlib.Path({str(tmp_path)!r}, protocol)\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        f"    {hang.in_python}\n"
        "    signal.pause()\n"
    )
    keep = tmp_path / "kept"
    recorded = record(late, scenarios=[WORKING_DAY], progress=silent, deadline_s=6, keep=keep)
    assert recorded.faults == {}
    assert [capture.run.protocol for capture in recorded.captures] == list(Protocol)
    assert len(list(keep.iterdir())) == 3
    labels = [f"working_day over {protocol}" for protocol in Protocol]
    assert recorded.again == {
        label: f"claude 2.1.31 did not end {label} within 6 s" for label in labels
    }


def test_a_subject_that_hangs_everywhere_is_not_run_again(
    subject: Maker, tmp_path: Path, hang: Hang
) -> None:
    starts = tmp_path / "starts"
    hanging = subject(
        f"import signal\nopen({str(starts)!r}, 'a').write('x')\n{hang.in_python}\nsignal.pause()"
    )
    four = [replace(WORKING_DAY, name=name) for name in ("a", "b", "c", "d")]
    grpc = [Protocol.GRPC]
    recorded = record(hanging, scenarios=four, protocols=grpc, progress=silent, deadline_s=1)
    assert len(recorded.faults) == 4
    assert recorded.again == {}
    assert starts.read_text(encoding="utf-8") == "xxxx"


def test_a_subject_that_dies_at_once_is_quoted(subject: Maker) -> None:
    dying = subject("print('no licence')\nraise SystemExit(3)")
    recorded = record(dying, scenarios=[WORKING_DAY], protocols=[Protocol.GRPC], progress=silent)
    assert recorded.captures == ()
    (fault,) = recorded.faults.values()
    assert "exit code 3 before it asked the model" in fault
    assert "no licence" in fault


def test_a_subject_that_does_nothing_is_a_run(subject: Maker) -> None:
    captures = record(subject(""), scenarios=[WORKING_DAY], progress=silent).captures
    assert [capture.exports for capture in captures] == [(), (), ()]
    assert all(capture.run.truth.prompts == () for capture in captures)


def one(name: str, **fields: Any) -> Scenario:
    """A scenario over one protocol, with its name for a prompt."""
    return Scenario(
        name,
        f"Is {name}.",
        **{"prompt": name, "protocols": (Protocol.GRPC,), **fields},
    )


def test_a_scenario_that_cannot_be_driven_costs_no_other(subject: Maker, tmp_path: Path) -> None:
    """Whatever its kind: at a terminal, in a conversation, or headless."""
    refusing = subject(
        "import sys\nif 'well' not in ' '.join(sys.argv): sys.exit('I do not ' + sys.argv[-1])"
    )
    kept = tmp_path / "kept"
    recorded = record(
        refusing,
        scenarios=[
            one("screen", prompt="", acts=(Type("hello"),), args=("show",)),
            one("first", prompt="well"),
            one("talk", prompt="", prompts=("hello", "again"), args=("talk",)),
            one("single", args=("work",)),
            one("second", prompt="well"),
        ],
        progress=silent,
        keep=kept,
    )
    assert [capture.run.scenario for capture in recorded.captures] == ["first", "second"]
    assert sorted(path.name for path in kept.iterdir()) == ["first-grpc", "second-grpc"]
    assert list(recorded.faults) == ["screen over grpc", "talk over grpc", "single over grpc"]
    for label, verb in [("screen", "show"), ("talk", "talk"), ("single", "work")]:
        assert f"I do not {verb}" in recorded.faults[f"{label} over grpc"]
    for label in ("screen", "talk"):
        expected = f"claude 2.1.31 could not be driven through {label} over grpc: the session ended"
        assert recorded.faults[f"{label} over grpc"].startswith(expected)


def test_only_the_protocols_that_are_asked_for_are_run(subject: Maker) -> None:
    progress: list[str] = []
    recorded = record(
        subject(""),
        scenarios=[one("first"), one("second", protocols=(Protocol.HTTP_JSON, Protocol.GRPC))],
        protocols=[Protocol.HTTP_JSON],
        progress=progress.append,
    )
    assert [capture.run.label for capture in recorded.captures] == ["second over http/json"]
    assert progress[0].startswith("running claude 2.1.31 1 times over http/json")


def test_what_waits_begins_first_and_takes_nobodys_turn(subject: Maker) -> None:
    """All others end while it waits: it could not wait for them if it held them up."""
    waits = threading.Event()

    def others_first(stage: Stage) -> None:
        assert waits.wait(60)

    def note(stage: Stage, completed: Completed) -> None:
        ended.append(stage.protocol)
        if len(ended) == many:
            waits.set()

    ended: list[Protocol] = []
    many = 3 * 2 * (os.cpu_count() or 1)
    others = [
        Scenario(f"other_{n}", "Is quick.", prompt="Go.", observe=note) for n in range(many // 3)
    ]
    waiting = Scenario(
        "waiting",
        "Waits.",
        prompt="Go.",
        protocols=(Protocol.GRPC,),
        meanwhile=others_first,
        waits_s=1.0,
    )
    recorded = record(subject("print(1)"), scenarios=[*others, waiting], progress=silent)
    assert recorded.faults == {}
    assert len(ended) == many
    labels = [capture.run.label for capture in recorded.captures]
    assert labels[-1] == "waiting over grpc", "in the order of the scenarios"
    began = {each.run.label: each.run.started_unix_nano for each in recorded.captures}
    assert sorted(began, key=lambda label: began[label]).index("waiting over grpc") < many


def test_what_waited_leaves_no_room_for_more_at_once(subject: Maker) -> None:
    """A core that is shared by more subjects does more work for each of them."""
    waited, changed = threading.Event(), threading.Condition()
    now, most = 0, 0

    def begins(stage: Stage) -> None:
        nonlocal now, most
        assert waited.wait(60)
        with changed:
            now += 1
            most = max(most, now)
            changed.notify_all()
            # Nothing tells that no more will come: a machine too slow for one too many within
            # this time proves less, and fails nothing.
            changed.wait_for(lambda: now > limit, timeout=0.5)

    def ends(stage: Stage, completed: Completed) -> None:
        nonlocal now
        with changed:
            now -= 1

    def over(stage: Stage, completed: Completed) -> None:
        waited.set()

    limit = 2 * (os.cpu_count() or 1)
    waiting = [one(f"waiting_{n}", waits_s=1.0, observe=over) for n in range(2 * limit)]
    others = [one(f"other_{n}", meanwhile=begins, observe=ends) for n in range(3 * limit)]
    recorded = record(subject("print(1)"), scenarios=[*waiting, *others], progress=silent)
    assert recorded.faults == {}
    assert 1 < most <= limit


DRAWN = Scenario("drawn", "Is drawn.", prompt="Go.", drawn=True)


def test_drawn_runs_are_made_beside_others(subject: Maker, tmp_path: Path) -> None:
    explored = threading.Event()

    def until_explored(stage: Stage) -> None:
        assert explored.wait(60)

    def explore(run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        assert others_wait()
        made = [run_drawn(DRAWN, Protocol.HTTP_JSON) for _ in range(2)]
        explored.set()
        return made[1:]

    waiting = one("waiting", meanwhile=until_explored, waits_s=1.0)
    busy = [one(f"busy_{n}", meanwhile=until_explored) for n in range(3)]
    recorded = record(
        subject("print(1)"),
        scenarios=[DRAWN, waiting, *busy],
        progress=silent,
        keep=tmp_path,
        explore=explore,
    )
    assert recorded.faults == {}
    labels = [capture.run.label for capture in recorded.captures]
    assert labels[0] == "waiting over grpc"
    assert labels[-1] == "drawn over http/json"
    assert len(labels) == 5
    # Which drawn runs are judged is known when all have been made: they are kept then.
    kept = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert kept == {"waiting-grpc", *(f"busy_{n}-grpc" for n in range(3))}


def test_a_fault_of_ours_ends_the_exploration(subject: Maker) -> None:
    ended = threading.Event()

    def explore(run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        try:
            while True:
                run_drawn(DRAWN, Protocol.GRPC)
        finally:
            ended.set()

    outside = one("outside", files={"../x": ""})
    with pytest.raises(UsageError, match=r"files\['\.\./x'\]"):
        record(subject("print(1)"), scenarios=[DRAWN, outside], progress=silent, explore=explore)
    assert ended.wait(60)


def test_a_drawn_scenario_is_not_run_by_itself(subject: Maker) -> None:
    recorded = record(subject("print(1)"), scenarios=[DRAWN, one("busy")], progress=silent)
    assert [capture.run.scenario for capture in recorded.captures] == ["busy"]
    assert recorded.faults == {}


def test_without_drawn_scenarios_nobody_explores(subject: Maker) -> None:
    def explore(run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        raise AssertionError("it was called")

    recorded = record(
        subject("print(1)"), scenarios=[one("busy")], progress=silent, explore=explore
    )
    assert [capture.run.scenario for capture in recorded.captures] == ["busy"]


def test_a_subject_that_cannot_be_explored_is_told_of(subject: Maker) -> None:
    def explore(run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        raise SubjectError("it does not work")

    recorded = record(
        subject("print(1)"), scenarios=[DRAWN, one("busy")], progress=silent, explore=explore
    )
    assert recorded.faults == {f"drawn over {each}": "it does not work" for each in Protocol}
    assert [capture.run.scenario for capture in recorded.captures] == ["busy"]


def test_a_drawn_run_is_judged_however_it_ends(subject: Maker) -> None:
    hanging, failing = replace(DRAWN, limit_s=0.5), replace(DRAWN, environment={"FAIL": "1"})
    binary = subject(
        "import os, sys, time\nsys.exit(3) if os.environ.get('FAIL') else time.sleep(600)"
    )
    recorded = record(
        binary,
        scenarios=[DRAWN],
        progress=silent,
        explore=lambda run_drawn, _: [
            run_drawn(each, Protocol.GRPC) for each in (hanging, failing)
        ],
    )
    killed, failed = recorded.captures
    assert killed.run.exit_code < 0
    assert failed.run.exit_code == 3


def test_no_run_at_all_leaves_nothing(subject: Maker) -> None:
    recorded = record(
        subject(""), scenarios=[one("first")], protocols=[Protocol.HTTP_JSON], progress=silent
    )
    assert (recorded.captures, recorded.faults) == ((), {})


def test_a_fault_of_ours_is_raised(subject: Maker) -> None:
    outside = one("outside", files={"../x": ""})
    with pytest.raises(UsageError, match=r"files\['\.\./x'\]"):
        record(subject(""), scenarios=[one("first"), outside], progress=silent)


@pytest.mark.parametrize(
    "kind", [{}, {"prompt": "", "prompts": ("hello",)}, {"prompt": "", "acts": (Type("hello"),)}]
)
@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_the_subjects_and_keeps_what_is_done(
    subject: Maker, tmp_path: Path, kind: dict[str, Any]
) -> None:
    """One scenario ends, the other hangs; then comes Ctrl-C."""
    fifo = tmp_path / "hanging"
    os.mkfifo(fifo)
    both = subject(
        "import sys\n"
        "if 'hang' in sys.argv:\n"
        f"    pipe = open({str(fifo)!r}, 'w')\n"
        "    print('hanging', file=pipe, flush=True)\n"
        "    import signal; signal.pause()\n"
    )
    kept = tmp_path / "kept"
    quick, slow = one("quick"), one("slow", args=("hang",), **kind)
    saved = kept / "quick-grpc" / "capture.json"
    ended = threading.Event()

    def watch() -> None:
        # The other end of the pipe is the hanging subject's: it closes when that dies.
        with fifo.open() as pipe:
            assert pipe.readline() == "hanging\n"
            deadline = time.monotonic() + 120
            while not saved.exists() and time.monotonic() < deadline:
                ended.wait(0.01)  # the file is the only sign that a run is over
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            signal.pthread_kill(main_thread, signal.SIGINT)
            pipe.read()
        ended.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        record(
            both,
            scenarios=(quick, slow),
            progress=silent,
            keep=kept,
        )
    assert ended.wait(60), "the hanging subject is still there"
    watcher.join()
    assert load(kept / "quick-grpc").run.scenario == "quick"


def test_all_runs_together_are_kept_up_to_one_limit(
    subject: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sessions that send twenty requests of 10 KB each, over every protocol."""
    monkeypatch.setattr("harness.collector.store.Budget.__init__.__defaults__", (400_000,))
    flooding = EXPORTING + (
        "for _ in range(20):\n"
        '    post(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"].replace("4317", "4318") + "/v1/logs",\n'
        '         {"resourceLogs": [], "x": "y" * 10_000})\n'
    )
    over = [Protocol.HTTP_JSON, Protocol.HTTP_PROTOBUF]
    scenarios = [WORKING_DAY, replace(WORKING_DAY, name="another_day")]
    recorded = record(subject(flooding), scenarios=scenarios, protocols=over, progress=silent)
    assert recorded.faults == {}
    kept = sum(len(export.body) for each in recorded.captures for export in each.exports)
    assert 300_000 < kept < 400_000
    assert sum(capture.forgotten for capture in recorded.captures) >= 40
