"""Make the subject's work tree, and count what changes in it."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..capture.run import ToolRun
from ..errors import HarnessError, UsageError

_FIRST_FILE = "README.md"


class WorkTree:
    """A git repository that is made in the empty folder ``path``: one commit on branch ``main``.

    git runs with ``env``, which must exclude the user's git configuration.
    """

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path = path
        self._env = dict(env)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", self._env["USER"])
        self._git("config", "user.email", f"{self._env['USER']}@example.com")
        (path / _FIRST_FILE).write_text("# Example project\n", encoding="utf-8")
        self._git("add", _FIRST_FILE)
        self._git("commit", "--quiet", "--message=Start")

    def commits(self) -> int:
        """Count the commits made since the first one, on any branch."""
        return int(self._git("rev-list", "--count", "--all")) - 1

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self.path,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise UsageError(
                "PATH", seen="no git on it", expected="git, for the subject's work tree"
            ) from error
        if done.returncode != 0:
            raise HarnessError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout


class LineLedger:
    """A count of lines that file-editing tools added and removed, like ``git diff --numstat``.

    A :class:`harness.fakes.messages_api.ToolObserver`: it compares the file that a
    tool names (``file_path`` or ``notebook_path``) before the tool is requested with
    the file after it ran. Lines changed in another way, by Bash say, are not counted.
    """

    def __init__(self) -> None:
        self.added = 0
        self.removed = 0
        self._before: dict[Path, list[bytes]] = {}

    def tool_asked(self, name: str, tool_input: Mapping[str, object]) -> None:
        if (path := _named_file(tool_input)) is not None:
            self._before[path] = _lines(path)

    def tool_ran(self, run: ToolRun) -> None:
        if (path := _named_file(run.input)) is None:
            return
        added, removed = count_changed_lines(self._before.pop(path, []), _lines(path))
        self.added += added
        self.removed += removed


def count_changed_lines(before: list[bytes], after: list[bytes]) -> tuple[int, int]:
    """Count added and removed lines; a changed line is one of each. Line ends count, too."""
    added = removed = 0
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, before_from, before_to, after_from, after_to in matcher.get_opcodes():
        if tag != "equal":
            removed += before_to - before_from
            added += after_to - after_from
    return added, removed


def _named_file(tool_input: Mapping[str, object]) -> Path | None:
    name = tool_input.get("file_path", tool_input.get("notebook_path"))
    return Path(name) if isinstance(name, str) else None


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except OSError:  # not there (yet)
        return []
