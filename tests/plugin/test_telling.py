"""Progress: a bar on a terminal, a line every ten seconds elsewhere, and what workers tell."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyte
import pytest
from _pytest.terminal import TerminalReporter

from harness.plugin import telling
from harness.plugin.telling import Listener, Teller
from harness.progress import SoFar
from tests.processes import until

COLUMNS = 60


class Shown:
    """What is to be seen of a session's output, on a terminal or in a file."""

    def __init__(self, config: pytest.Config, *, a_terminal: bool) -> None:
        self._file = io.StringIO()
        self._file.isatty = lambda: a_terminal  # type: ignore[method-assign]
        self.reporter = TerminalReporter(config, self._file)
        self.reporter._tw.fullwidth = COLUMNS
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self.reporter, "terminalreporter")

    @property
    def text(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, as a terminal has them."""
        screen = pyte.Screen(COLUMNS, 24)
        stream = pyte.Stream(screen)
        stream.feed(self.text.replace("\n", "\r\n"))
        return [line.rstrip() for line in screen.display if line.strip()]


Show = Callable[..., tuple[Teller, Shown]]


@pytest.fixture
def show(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Show:
    monkeypatch.setenv("TERM", "xterm")

    def make(*arguments: str, a_terminal: bool = True) -> tuple[Teller, Shown]:
        config = pytester.parseconfigure(*arguments)
        return Teller(config, lambda: None), Shown(config, a_terminal=a_terminal)

    return make


def so_far(done: int) -> SoFar:
    return SoFar.of(8, done, [f"day {done} over grpc"], 10.0)


def test_a_terminal_has_one_line_that_is_rewritten_and_goes(show: Show) -> None:
    teller, shown = show()
    teller("running claude")
    for done in (1, 2, 3):
        teller(so_far(done))
        assert shown.lines == [
            "cc-otel: running claude",
            f"cc-otel: {so_far(done).bar(COLUMNS - 10)}",
        ]
    teller("a line of its own")
    teller(so_far(4))
    teller.done()
    shown.reporter.write_line("what pytest prints")
    assert shown.lines == [
        "cc-otel: running claude",
        "cc-otel: a line of its own",
        "what pytest prints",
    ]


def test_elsewhere_it_is_a_line_every_ten_seconds(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller, shown = show(a_terminal=False)
    now = iter([0.0, 4.0, 9.9, 10.0, 12.0, 20.0])
    monkeypatch.setattr(telling, "monotonic_s", lambda: next(now))
    for done in range(1, 7):
        teller(so_far(done))
    teller.done()
    assert shown.text.splitlines() == [f"cc-otel: {so_far(done)}" for done in (1, 4, 6)]


def test_a_dumb_terminal_gets_lines(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    teller, shown = show()
    teller(so_far(1))
    assert shown.text == f"cc-otel: {so_far(1)}\n"


def test_quiet_says_nothing(show: Show) -> None:
    teller, shown = show("-q")
    teller("running claude")
    teller(so_far(1))
    teller.done()
    assert shown.text == ""


def test_what_a_worker_tells_is_told_by_the_controller(show: Show, tmp_path: Path) -> None:
    here, shown = show()
    worker: Any = SimpleNamespace(workerinput={})
    there = Teller(worker, lambda: tmp_path)
    listener = Listener(tmp_path, here)
    there("running claude")
    there(so_far(2))
    until(lambda: len(shown.lines) == 2, "what the worker has told")
    assert shown.lines == ["cc-otel: running claude", f"cc-otel: {so_far(2).bar(COLUMNS - 10)}"]
    there.done()
    there("and at last")
    listener.stop()
    assert shown.lines == ["cc-otel: running claude", "cc-otel: and at last"]
