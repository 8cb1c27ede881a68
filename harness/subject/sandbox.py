"""Make a temporary environment for one subject: home, work tree, stub programs, variables."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import UsageError
from ..keeping import folders
from ..keeping.cells import Cell
from . import leftovers
from .worktree import WorkTree

#: Looks like a key, opens nothing.  The CLI asks for one before it talks to any API.
FAKE_API_KEY = "sk-ant-api03-not-a-real-key-KvWqzTmxYRhLjNgP"

#: What the variables of the shell call the person and the machine; nobody else is called so.
USER_NAME = "zqhtkjmqqppzgq"
HOST_NAME = "zqvwrvznjusmpt"

#: The command lines of forges: what opens a pull request, as each calls it, and where one is then.
_FORGES = {
    "gh": ("pr create", "https://github.com/example/project/pull"),
    "glab": ("mr create", "https://gitlab.com/example/project/-/merge_requests"),
}

_FORGE_STUB = """#!/bin/sh
# Stands in for the command line of a forge: opens pull requests on paper only.
created={created}
if [ "$1 $2" = "{opens}" ]; then
  echo "$*" | tr '\\n' ' ' >>"$created"
  echo >>"$created"
  echo "{url}/$(wc -l <"$created" | tr -d ' ')"
else
  echo "{name}: this stub knows only '{opens}', not '$*'" >&2
  exit 1
fi
"""

#: OpenSSH reads the configuration and the keys of the account, whatever HOME says.
_SSH_STUB = """#!/bin/sh
echo "$0: a sandbox reaches no other machine and has no keys" >&2
exit 255
"""


class Sandbox:
    """A temporary folder with all that a subject may read or write, removed when the block ends.

    ``root/home`` (HOME and the XDG folders), ``root/work`` (a git repository, see
    :class:`WorkTree`), ``root/bin`` (stubs, first on PATH), ``root/tmp`` (TMPDIR) and
    ``root/output`` (what the process printed). ``repository=False`` leaves ``work``
    an empty folder. What runs in ``cell`` (None: one of its own) is killed at the end of the block,
    with all that it started.
    """

    def __init__(self, *, repository: bool = True, cell: Cell | None = None) -> None:
        self._repository = repository
        self.cell = cell or Cell()

    def __enter__(self) -> Self:
        try:
            self.root = folders.make()
        except OSError as error:
            raise UsageError(
                "environment variable TMPDIR", seen=str(error), expected="a writable folder"
            ) from error
        try:
            self._fill()
        except BaseException:
            folders.remove(self.root)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cell.end()
        if sys.platform != "linux":
            leftovers.end_all(self.home)
        folders.remove(self.root)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def output(self) -> Path:
        return self.root / "output"

    def commits(self) -> int:
        """Count the commits that the subject made."""
        return self._work_tree.commits()

    def pull_requests(self) -> int:
        """Count the pull requests that were created through the stubs ``gh`` and ``glab``."""
        if not self._pull_request_log.exists():
            return 0
        return len(self._pull_request_log.read_text(encoding="utf-8").splitlines())

    def env(
        self,
        extra: Mapping[str, str] | None = None,
        *,
        api_url: str | None = None,
        path_entries: Iterable[str] = (),
    ) -> dict[str, str]:
        """Return the whole environment of a subject, which inherits nothing but PATH.

        ``path_entries`` come after the stubs and before the inherited PATH (a packaged Node,
        say). ``extra`` is laid over the rest.
        """
        inherited = [p for p in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(p)]
        environment = {
            "PATH": os.pathsep.join([str(self.root / "bin"), *path_entries, *inherited]),
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "TZ": "UTC",
            "USER": USER_NAME,
            "LOGNAME": USER_NAME,
            "HOSTNAME": HOST_NAME,
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
            "XDG_STATE_HOME": str(self.home / ".local" / "state"),
            # /etc/gitconfig may sign commits, run hooks or ask for passwords.
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_SSH_COMMAND": str(self.root / "bin" / "ssh"),
            # No other machine is reached, over whichever protocol.
            "GIT_ALLOW_PROTOCOL": "file",
            "GH_CONFIG_DIR": str(self.home / ".config" / "gh"),
            "ANTHROPIC_API_KEY": FAKE_API_KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            # A session at a terminal would clone a repository of plugins, over ssh and https.
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "CLAUDE_CODE_MAX_RETRIES": "2",
            "DISABLE_AUTOUPDATER": "1",
        }
        if api_url is not None:
            environment["ANTHROPIC_BASE_URL"] = api_url
        environment.update(extra or {})
        return environment

    @property
    def _pull_request_log(self) -> Path:
        return self.root / "pull-requests"

    def _fill(self) -> None:
        for folder in ("home", "work", "bin", "tmp", "output"):
            (self.root / folder).mkdir()
        created = shlex.quote(str(self._pull_request_log))
        stubs = {
            **{
                name: _FORGE_STUB.format(created=created, name=name, opens=opens, url=url)
                for name, (opens, url) in _FORGES.items()
            },
            **dict.fromkeys(("ssh", "scp", "sftp"), _SSH_STUB),
        }
        for name, script in stubs.items():
            stub = self.root / "bin" / name
            stub.write_text(script, encoding="utf-8")
            stub.chmod(0o755)
        if self._repository:
            self._work_tree = WorkTree(self.work, self.env())
