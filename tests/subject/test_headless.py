"""A working day of real releases against the scripted Messages API."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.subject.binary import Binary
from harness.subject.headless import run_headless
from harness.subject.sandbox import Sandbox
from harness.subject.worktree import LineLedger
from tests.hanging import Hang

PROMPT = "Please do the day's work"
#: Python for a background process that no signal to a process group will reach.
HIDE = "import os, time; os.setsid(); time.sleep(600)"
Release = Callable[[str], Binary]


def day(sandbox: Sandbox) -> list[Step]:
    path = str(sandbox.work / "a.py")
    return [
        UseTool("Write", {"file_path": path, "content": "x = 1\ny = 2\n"}),
        UseTool(
            "Edit", {"file_path": path, "old_string": "y = 2\n", "new_string": "y = 3\nz = 4\n"}
        ),
        UseTool("Bash", {"command": "git add a.py && git commit -qm 'Add a'"}),
        UseTool("Bash", {"command": "gh pr create --title t --body b"}),
        UseTool(
            "Bash", {"command": f"env >env.txt; {sys.executable} -c '{HIDE}' >/dev/null 2>&1 &"}
        ),
        UseTool("Bash", {"command": "echo oops >&2; exit 3"}),
        UseTool("Read", {"file_path": str(sandbox.work / "missing.txt")}),
        Fail(529, "Overloaded", "overloaded_error", retry_after=0),
        Say("That was the day."),
    ]


@pytest.mark.parametrize("version", ["2.1.31", "latest"])
def test_a_working_day(
    release: Release,
    version: str,
    monkeypatch: pytest.MonkeyPatch,
    processes_of: Callable[[Sandbox], list[int]],
) -> None:
    binary = release(version)
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "ANTHROPIC_AUTH_TOKEN", "GH_TOKEN", "ODD_ONE"):
        monkeypatch.setenv(name, "foreign-canary")
    ledger = LineLedger()

    with Sandbox() as sandbox:
        with MessagesApi(day(sandbox), prompts=[PROMPT], observer=ledger) as api:
            done = run_headless(binary, sandbox, PROMPT, api_url=api.base_url)

        assert (done.exit_code, done.timed_out) == (0, False), done.last_output
        assert done.stdout.strip() == "That was the day."
        assert api.prompts == (PROMPT,)
        assert api.unexpected == ()
        assert [(run.name, run.ok) for run in api.tool_runs] == [
            ("Write", True),
            ("Edit", True),
            ("Bash", True),
            ("Bash", True),
            ("Bash", True),
            ("Bash", False),
            ("Read", False),
        ]
        main = [call for call in api.calls if not call.auxiliary]
        assert [call.status for call in main] == [200] * 7 + [529, 200]
        assert (sandbox.commits(), sandbox.pull_requests()) == (1, 1)
        assert (ledger.added, ledger.removed) == (4, 1)
        assert (sandbox.work / "a.py").read_text() == "x = 1\ny = 3\nz = 4\n"
        environment = (sandbox.work / "env.txt").read_text()
        assert f"HOME={sandbox.home}\n" in environment
        assert "foreign-canary" not in environment
        assert processes_of(sandbox) != []
    assert processes_of(sandbox) == []
    assert not sandbox.root.exists()


@pytest.mark.parametrize("version", ["2.1.31", "latest"])
def test_an_error_for_good_ends_the_run(release: Release, sandbox: Sandbox, version: str) -> None:
    script = [Fail(400, "the scripted API says no", times=None)]
    with MessagesApi(script, prompts=[PROMPT]) as api:
        done = run_headless(release(version), sandbox, PROMPT, api_url=api.base_url)
    assert done.exit_code == 1
    assert "the scripted API says no" in done.stdout
    assert {call.status for call in api.calls if not call.auxiliary} == {400}
    assert api.prompts == (PROMPT,)


def test_a_subject_that_hangs_comes_back_with_what_it_said(
    sandbox: Sandbox, script: Callable[..., object], hang: Hang
) -> None:
    path = str(script(f'echo "$2"; {hang.in_shell}; sleep 600'))
    binary = Binary(path, (path,), path, "2.1.31")
    done = run_headless(binary, sandbox, PROMPT, api_url="http://127.0.0.1:9", deadline_s=1.5)
    assert done.timed_out
    assert done.stdout == f"{PROMPT}\n"
