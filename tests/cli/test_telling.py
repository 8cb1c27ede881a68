"""What a command tells on standard error: on a terminal a bar that is rewritten, else lines."""

from __future__ import annotations

import sys

import pytest

from harness.cli.telling import Teller
from harness.progress import PROGRESS_S, SoFar, every_s, over

SO_FAR = SoFar.of(8, 4, ["day over grpc"], 10.0)


def test_elsewhere_it_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller()
    assert every_s(teller) == PROGRESS_S
    teller("first")
    teller(SO_FAR)
    over(teller)
    assert capsys.readouterr().err == f"cc-harness: first\ncc-harness: {SO_FAR}\n"


def test_a_terminal_has_a_bar_that_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "50")
    teller = Teller()
    assert every_s(teller) < PROGRESS_S
    teller(SO_FAR)
    bar = capsys.readouterr().err
    assert bar == f"\r\x1b[Kcc-harness: {SO_FAR.bar(37)}"
    teller("a line")
    assert capsys.readouterr().err == "\r\x1b[Kcc-harness: a line\n"
    over(teller)
    assert capsys.readouterr().err == "", "there is no bar any more"
    monkeypatch.setenv("TERM", "dumb")
    assert every_s(teller) == PROGRESS_S
