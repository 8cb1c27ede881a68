"""Run the command of a collector under test: start it, wait until it is ready, stop it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..clock import monotonic_s
from ..errors import HarnessError
from ..keeping.cells import Cell, Kept
from ..subject.outputs import tail
from ..subject.process import kill_group, wait

#: How long a collector may take to get ready, and to end after SIGTERM, in seconds.
READY_S = 30.0
STOP_S = 20.0
_POLL_S = 0.02
_QUOTED_LINES = 40
#: One call in a stack that a program in Go prints behind an error: a function, and where it is.
_STACK = re.compile(r"^\S+\n\t\S+\.(?:go|s):\d+.*\n?", re.MULTILINE)
#: Variables of ours that a collector gets besides what it needs to run at all.
_INHERITED = ("PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")


class CollectorFault(HarnessError):  # noqa: N818 - the fault is the collector's or its set-up's
    """The collector under test could not be used; the message ends with its log."""


class CollectorProcess:
    """A collector under test that runs as a process of ours, in a session of its own.

    ``log`` is the file that gets what it prints. Its environment is clean but for ``env`` and
    what any program needs.
    """

    def __init__(self, argv: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self._argv = tuple(argv)
        self._log = log
        self._env = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "HOME": str(log.parent),
            **env,
        }
        self._process: Kept | None = None
        self._cell = Cell()

    @property
    def argv(self) -> tuple[str, ...]:
        return self._argv

    def start(self) -> Self:
        """Start the process.  Raises CollectorFault if there is no such program."""
        with self._log.open("ab") as log:
            try:
                self._process = self._cell.start(
                    self._argv,
                    stdout=log.fileno(),
                    stderr=log.fileno(),
                    env=self._env,
                    cwd=self._log.parent,
                )
            except OSError as error:
                raise CollectorFault(
                    f"--cc-collector-cmd: {self._argv[0]} cannot be started: {error}"
                ) from error
        return self

    def await_ready(self, is_ready: Callable[[], str], deadline_s: float = READY_S) -> None:
        """Wait until ``is_ready`` answers with an empty text; otherwise it says what is missing.

        Raises CollectorFault, with the log, if the process ends before or ``deadline_s`` seconds
        have passed.
        """
        end = monotonic_s() + deadline_s
        while missing := is_ready():
            self.check_alive(f"before it was ready ({missing})")
            if monotonic_s() >= end:
                raise CollectorFault(
                    f"the collector is not ready after {deadline_s:g} s: {missing}{self.quoted()}"
                )
            assert self._process is not None
            # Ends at once where the process does.
            wait(self._process, _POLL_S)

    def check_alive(self, when: str) -> None:
        """Raise CollectorFault, with the log, if the process has ended; ``when`` is for it."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise CollectorFault(
                f"the collector ended by itself {when}, {_how(code)}{self.quoted()}"
            )

    @property
    def alive(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self, deadline_s: float = STOP_S) -> str:
        """Ask the process to end (SIGTERM), and say what was wrong with how it did.

        The answer is empty if it ended by itself in time. Everything that it started is killed
        afterwards. May be called again.
        """
        process, self._process = self._process, None
        if process is None:
            return ""
        try:
            died = process.poll()
            if died is not None:
                return f"it had ended before, {_how(died)}"
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            if not wait(process, deadline_s):
                return f"it did not end within {deadline_s:g} s after SIGTERM"
            return ""
        finally:
            self._end(process)

    def kill(self) -> None:
        """End the process at once, without a chance to finish anything (SIGKILL)."""
        process, self._process = self._process, None
        if process is not None:
            self._end(process)

    def _end(self, process: Kept) -> None:
        kill_group(process)
        self._cell.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """The end of what the process has printed."""
        return tail(self._log) if self._log.exists() else ""

    def log_lines(self) -> Iterator[str]:
        """Yield every line that the process has printed."""
        with self._log.open(encoding="utf-8", errors="replace") as log:
            yield from log

    def quoted(self) -> str:
        """Return the last lines of the log, for the end of a message, without stacks of Go."""
        lines = _STACK.sub("", self.log).strip().splitlines()[-_QUOTED_LINES:]
        return "\nits log:\n" + "\n".join(lines) if lines else "\n(it printed nothing)"


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def listens(host: str, port: int) -> bool:
    """Say whether somebody takes connections there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def is_healthy(url: str) -> str:
    """Return why a health URL does not answer with success, or an empty text."""
    # No proxy of the environment stands between us and a collector.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2.0) as answer:
            return "" if 200 <= answer.status < 300 else f"{url} answers {answer.status}"
    except OSError as error:
        return f"{url}: {error}"
