from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import SubjectError
from harness.subject import outputs, process
from tests.hanging import Hang
from tests.processes import assert_gone

Script = Callable[..., Path]
ENV = {"PATH": os.environ["PATH"]}


def run(
    path: Path,
    deadline_s: float = 120.0,
    while_waiting: Callable[[float], None] | None = None,
) -> process.Completed:
    return process.run(
        [str(path)],
        cwd=path.parent,
        env=ENV,
        output_dir=path.parent,
        deadline_s=deadline_s,
        while_waiting=while_waiting,
    )


def test_a_run_is_reported_whole(script: Script) -> None:
    done = run(script("echo out; echo err >&2; exit 3"))
    assert (done.exit_code, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert not done.timed_out
    assert done.started_unix_nano < done.ended_unix_nano


def test_only_the_given_environment_is_passed_and_stdin_is_closed(script: Script) -> None:
    done = run(script("cat; env", shebang="#!/bin/sh"))
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH"}


def test_a_signal_is_a_negative_exit_code(script: Script) -> None:
    assert run(script("kill -9 $$")).exit_code == -9


def test_only_the_end_of_a_long_output_is_kept(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "OUTPUT_TAIL_BYTES", 100)
    done = run(script("i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done"))
    assert len(done.stdout) == 100
    assert done.stdout.endswith("line 998\nline 999\n")


def test_a_hang_is_ended_with_its_last_output(script: Script, hang: Hang) -> None:
    hanging = script(f"echo before $$; sleep 600 & echo $!; {hang.in_shell}; wait")
    done = run(hanging, deadline_s=1.5)
    assert done.timed_out
    assert done.exit_code == -15
    for pid in done.stdout.replace("before", "").split():
        assert_gone(int(pid))
    assert done.deadline_s == 1.5
    assert "before" in done.last_output


@pytest.mark.slow
def test_one_that_ignores_sigterm_is_killed(
    script: Script, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.1)
    ignoring = script(f"trap '' TERM; {hang.in_shell}; while :; do sleep 0.05; done")
    done = run(ignoring, deadline_s=1.5)
    assert done.timed_out
    assert done.exit_code == -9


def test_outputs_without_end_are_emptied_while_it_runs(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It prints until its output was emptied, as a look at its own file shows it."""
    monkeypatch.setattr(outputs, "MOST_BYTES", 100_000)
    monkeypatch.setattr(process, "_LOOK_S", 0.01)
    body = """
import os
printed = 0
while printed < 200_000 or os.fstat(1).st_size >= printed:
    for output in (1, 2):
        os.write(output, b"0" * 1_000)
    printed += 1_000
os.write(1, b"done")"""
    done = run(script(body, shebang=f"#!{sys.executable}"), deadline_s=300)
    assert (done.exit_code, done.timed_out) == (0, False)
    assert done.stdout.endswith("done")


def test_children_left_in_the_background_are_ended(script: Script) -> None:
    done = run(script("sleep 600 >/dev/null 2>&1 & echo $!"))
    assert done.exit_code == 0
    assert_gone(int(done.stdout))


def test_ctrl_c_leaves_nothing_running(
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "_TICK_S", 0.01)
    monkeypatch.setattr(process, "_LOOK_S", 0.01)
    pids = tmp_path / "stdout"

    def interrupt(_seconds: float) -> None:
        if len(pids.read_text().split()) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(script("echo $$; sleep 600 & echo $!; wait"), while_waiting=interrupt)
    for pid in pids.read_text().split():
        assert_gone(int(pid))


@pytest.mark.parametrize("shebang", ["#!/no/such/interpreter", "not a program"])
def test_what_cannot_start_is_the_subjects_fault(script: Script, shebang: str) -> None:
    with pytest.raises(SubjectError, match="cannot be started"):
        run(script("", shebang=shebang))


def test_silence_is_said_to_be_silence(tmp_path: Path) -> None:
    done = process.run(
        [sys.executable, "-c", ""], cwd=tmp_path, env=ENV, output_dir=tmp_path, deadline_s=120
    )
    assert done.last_output == "(it printed nothing)"
