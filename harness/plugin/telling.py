"""Tell how far a session is: a bar on a terminal, a line from time to time elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..clock import monotonic_s
from ..errors import printable
from ..progress import PROGRESS_S, SoFar
from .xdist import is_worker

#: What workers of pytest-xdist have told, in the folder that they share: a line of JSON each.
_FILE_NAME = "told.jsonl"

_PREFIX = "cc-otel: "


class Teller:
    """What progress is told to; ``shared`` gives the folder of a distributed session.

    A worker has no terminal: what it tells is written there, for :class:`Listener` to read.
    """

    #: So often it wants to be told how far the runs are.
    every_s = 0.5

    def __init__(self, config: pytest.Config, shared: Callable[[], Path | None]) -> None:
        self._config = config
        self._shared = shared
        self._told_s: float | None = None
        self._bar = False

    def __call__(self, text: str) -> None:
        """Print a line of progress, unless pytest was told to be quiet."""
        if is_worker(self._config):
            self._pass_on(text)
            return
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._config.get_verbosity() < 0:
            return
        so_far = text if isinstance(text, SoFar) else None
        a_terminal = reporter.isatty and os.environ.get("TERM") != "dumb"
        if so_far is not None and not a_terminal and not self._is_due():
            return
        with self._shown():
            if so_far is not None and a_terminal:
                self._draw(reporter, so_far)
            else:
                self._erase(reporter)
                reporter.ensure_newline()
                reporter.write_line(f"{_PREFIX}{printable(text)}")
            reporter.flush()

    def done(self) -> None:
        """Take the bar away, if there is one: what was told of has ended."""
        if is_worker(self._config):
            self._pass_on("")
            return
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._bar and reporter is not None:
            with self._shown():
                self._erase(reporter)
                reporter.flush()

    def _draw(self, reporter: Any, so_far: SoFar) -> None:
        if not self._bar:
            reporter.ensure_newline()
        self._bar = True
        # The last column stays free: some terminals begin a new line there.
        width = reporter._tw.fullwidth - len(_PREFIX) - 1
        reporter.rewrite(f"{_PREFIX}{printable(so_far.bar(width))}", erase=True)

    def _erase(self, reporter: Any) -> None:
        if self._bar:
            reporter.rewrite("", erase=True)
            reporter.rewrite("")
            self._bar = False

    def _is_due(self) -> bool:
        """Say whether enough time has passed for another line."""
        now = monotonic_s()
        if self._told_s is not None and now - self._told_s < PROGRESS_S:
            return False
        self._told_s = now
        return True

    def _shown(self) -> contextlib.AbstractContextManager[None]:
        capturing = self._config.pluginmanager.get_plugin("capturemanager")
        if capturing is None:
            return contextlib.nullcontext()
        shown: contextlib.AbstractContextManager[None] = capturing.global_and_fixture_disabled()
        return shown

    def _pass_on(self, text: str) -> None:
        folder = self._shared()
        if folder is None:
            return
        plain = text.as_plain() if isinstance(text, SoFar) else str(text)
        with open(folder / _FILE_NAME, "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(plain)}\n")


class Listener:
    """A thread of the controller that tells what the workers tell, until it is stopped."""

    def __init__(self, folder: Path, teller: Teller) -> None:
        self._path = folder / _FILE_NAME
        self._teller = teller
        self._read = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="cc-otel-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; what was told up to now has been told."""
        self._stopped.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stopped.wait(Teller.every_s):
            self._tell()
        self._tell()
        self._teller.done()

    def _tell(self) -> None:
        for text in self._lines():
            if text:
                self._teller(text)
            else:
                self._teller.done()

    def _lines(self) -> list[str]:
        """Return what was told since the last time; a line that is not whole yet waits."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        found = map(json.loads, whole.splitlines())
        return [SoFar.from_plain(each) if isinstance(each, dict) else each for each in found]
