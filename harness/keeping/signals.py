"""End in order when told to: by Ctrl-C, SIGTERM or SIGHUP, or because the parent has ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from . import cells

_PR_SET_PDEATHSIG = 1
_LOOK_S = 1.0


@contextmanager
def ending_in_order() -> Iterator[None]:
    """While the block lasts, let each of these signals end all cells and raise KeyboardInterrupt.

    A signal that is ignored (``nohup``) or that somebody else handles is left alone; so is
    everything outside of the main thread, which gets no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {
        number: signal.signal(number, _break_off)
        for number, usual in told.items()
        if signal.getsignal(number) == usual
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if before:
            cells.begin_again()


def _break_off(number: int, _frame: FrameType | None) -> None:
    # First: whatever becomes of the exception, and of the next one, no subject is left running.
    cells.end_all()
    if number != signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def end_with_parent() -> None:
    """Send ourselves SIGTERM when the process that started us has ended, in whatever way."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it ended just before
            os.kill(os.getpid(), signal.SIGTERM)
        return
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)  # nothing tells of it
    os.kill(os.getpid(), signal.SIGTERM)
