from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.assessment.recording import RecordingPlan, read_shared, record_shared
from harness.capture.capture import Capture
from harness.otlp.model import Protocol
from harness.reference.versions import DEFAULT
from harness.running import runner
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS
from tests.processes import leave_workers

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]

#: Further plugins of others that are there for test_neighbours.py, which starts sessions with them.
#: Here each process of a nested session would spend a quarter of its start on them.
IDLE = ("anyio", "fakefs", "locust", "pytest_fakefs", "socket", "time_machine")

#: Every nested session must be free of warnings that are ours.
STRICT = (
    *("-W", "error", "--strict-config", "--strict-markers"),
    *(part for name in IDLE for part in ("-p", f"no:{name}")),
)

_TELLS_VERSION = """\
import sys
if "--version" in sys.argv:
    print("2.1.240 (Claude Code)")
    sys.exit()
"""


@pytest.fixture(autouse=True)
def _no_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nested session must not take itself for a worker of the outer one."""
    leave_workers(monkeypatch)


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest as a process of its own, in an empty folder."""

    def make(*arguments: str | Path, timeout: float = 400) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*STRICT, *map(str, arguments), timeout=timeout)

    return make


@pytest.fixture
def run_here(pytester: pytest.Pytester) -> Run:
    """As ``run``, within this process: for a session that is refused, or only collects.

    It drives no subject and so leaves nothing behind; a process of its own would spend its time
    on imports.
    """

    def make(*arguments: str | Path) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*STRICT, *map(str, arguments))

    return make


#: One session over each protocol instead of all scenarios: for what is the same with any.
ONE_SCENARIO = "--cc-scenarios=working_day"


@pytest.fixture
def run_one(run: Run) -> Run:
    """As ``run``, with the suite cut down to one scenario."""

    def make(*arguments: str | Path) -> pytest.RunResult:
        return run(ONE_SCENARIO, *arguments)

    return make


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Make a ``claude`` of a few lines of Python; by itself it says only its version."""

    def make(code: str = "", *, name: str = "claude", before: str = _TELLS_VERSION) -> Path:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\n{before}{code}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def emitter(tmp_path: Path) -> Subject:
    """Make the conforming emitter under another name, after some lines of shell."""

    def make(before: str = "", *, name: str = "emitter") -> Path:
        path = tmp_path / name
        path.write_text(
            f'#!/bin/sh\n{before}\nexec {sys.executable} -m harness.themes.emitter "$@"\n'
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


#: Takes the sessions that have been recorded from their folder; others are driven as ever.
RECORDED_SESSIONS = """
import pathlib
from harness.running import runner
from harness.themes.free_form.scenarios import Input
from harness.assessment.recording import read_shared

INPUT = Input("", "attributes", "headers", labels=False).environment

def key(name, protocol, environment, prompts, drawn):
    given = (prompts, *map(environment.get, INPUT)) if drawn else ()
    return (name, str(protocol), *given)

def key_of(run):
    drawn = "drawn" in run.traits
    return key(run.scenario, run.protocol, run.environment, run.truth.prompts, drawn)

recorded = {{key_of(each.run): each for each in read_shared(pathlib.Path({folder!r})).captures}}
drive = runner.drive

def recorded_or_driven(binary, scenario, protocol, *others, **options):
    wanted = (scenario.name, protocol, scenario.environment, scenario.all_prompts, scenario.drawn)
    return recorded.get(key(*wanted)) or drive(binary, scenario, protocol, *others, **options)

runner.drive = recorded_or_driven
"""


@pytest.fixture
def recorded_sessions(
    recorded_in: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Name a plugin (option ``-p``) that spares a run of ``reference`` its sessions.

    They are taken from the recording that other tests need anyway; what is drawn beyond the
    inputs that are always tried is driven.
    """
    folder = tmp_path_factory.mktemp("plugin")
    code = RECORDED_SESSIONS.format(folder=str(recorded_in(f"reference:{DEFAULT}")))
    (folder / "recorded_sessions.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    return "recorded_sessions"


@pytest.fixture(scope="session")
def one_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a session of ``reference`` over http/json, once for all tests and workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    folder = shared / "one-session"
    folder.mkdir(exist_ok=True)
    binary, protocols = resolve("reference", progress=print), (Protocol.HTTP_JSON,)
    plan = RecordingPlan(binary, (SCENARIOS["working_day"],), 300.0, None, protocols=protocols)
    record_shared(plan, print, folder)
    return folder


#: Runs pytest on one session that has been recorded; ``told``: it tells the prompt, too, which
#: nobody allowed.
JudgeAgain = Callable[..., pytest.RunResult]

_NARROWED = ("--cc-binary=reference", ONE_SCENARIO, "--cc-protocols=http/json", "-k", "user_prompt")


@pytest.fixture
def judge_again(run_here: Run, one_session: Path, monkeypatch: pytest.MonkeyPatch) -> JudgeAgain:
    """Judge ``one_session`` again in this process, and nothing that it has no part in."""

    def make(*arguments: str | Path, told: bool = False) -> pytest.RunResult:
        recording = read_shared(one_session)
        assert recording is not None
        (capture,) = recording.captures
        shown = _telling_the_prompt(capture) if told else capture
        with monkeypatch.context() as patched:
            patched.setattr(runner, "drive", lambda *_, **__: shown)
            return run_here(*_NARROWED, *arguments)

    return make


def _telling_the_prompt(capture: Capture) -> Capture:
    exports = (
        replace(export, body=export.body.replace(b"<REDACTED>", b"Fix it"))
        for export in capture.exports
    )
    return replace(capture, exports=tuple(exports))


@pytest.fixture
def judge_apart(
    run: Run,
    one_session: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """As ``judge_again``, in processes of their own, with these plugins beside ours alone.

    Five processes that import all that is installed take twice as long.
    """
    folder = tmp_path_factory.mktemp("plugin")
    code = RECORDED_SESSIONS.format(folder=str(one_session))
    (folder / "one_session.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)

    def make(*arguments: str | Path, beside: tuple[str, ...] = ()) -> pytest.RunResult:
        monkeypatch.delenv("PYTEST_ADDOPTS")
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        plugins = (f"-p{name}" for name in ("cc-otel", "one_session", *beside))
        return run(*plugins, *_NARROWED, *arguments, timeout=550)

    return make
