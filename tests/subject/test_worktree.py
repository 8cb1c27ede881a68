from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.capture.run import ToolRun
from harness.subject.sandbox import Sandbox
from harness.subject.worktree import LineLedger

#: (before, after); None is a file that is not there.
CHANGES = [
    (None, "x = 1\ny = 2\n"),
    (None, "no newline at the end"),
    (None, ""),
    ("x = 1\ny = 2\n", "x = 1\ny = 3\nz = 4\n"),
    ("a\nb\nc\n", "a\nc\n"),
    ("a\nb", "a\nb\n"),
    ("k\n" + "line\n" * 20 + "k\n", "m\nn\n" + "line\n" * 20 + "m\nn\n"),
    ("same\n", "same\n"),
    ("gone\n", ""),
    ("form\ffeed\n", "form\ffeed\nmore\n"),
]


def numstat(sandbox: Sandbox, before: str | None, after: str) -> tuple[int, int]:
    """What git says, told apart from the ledger's own way of counting."""
    old, new = sandbox.root / "old", sandbox.root / "new"
    old.write_text(before or "")
    new.write_text(after)
    answer = subprocess.run(
        ["git", "diff", "--no-index", "--numstat", str(old), str(new)],
        env=sandbox.env(),
        capture_output=True,
        text=True,
    ).stdout
    added, removed = answer.split()[:2] if answer else (0, 0)
    return int(added), int(removed)


@pytest.mark.parametrize(("before", "after"), CHANGES)
@pytest.mark.parametrize("key", ["file_path", "notebook_path"])
def test_the_ledger_counts_as_git_does(
    sandbox: Sandbox, before: str | None, after: str, key: str
) -> None:
    path = sandbox.work / "a.py"
    if before is not None:
        path.write_text(before)
    ledger = LineLedger()
    tool_input = {key: str(path)}

    ledger.tool_asked("Edit", tool_input)
    path.write_text(after)
    ledger.tool_ran(ToolRun("Edit", "toolu_1", tool_input, ok=True))

    assert (ledger.added, ledger.removed) == numstat(sandbox, before, after)


def test_the_ledger_sums_up_and_ignores_tools_without_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    ledger = LineLedger()
    for text in ("a\n", "a\nb\n", "a\n"):
        tool_input: dict[str, object] = {"file_path": str(path)}
        ledger.tool_asked("Write", tool_input)
        path.write_text(text)
        ledger.tool_ran(ToolRun("Write", "toolu_1", tool_input, ok=True))
    without_a_file: tuple[dict[str, object], ...] = ({"command": "true"}, {"file_path": 3})
    for other in without_a_file:
        ledger.tool_asked("Bash", other)
        ledger.tool_ran(ToolRun("Bash", "toolu_2", other, ok=True))
    assert (ledger.added, ledger.removed) == (2, 1)
