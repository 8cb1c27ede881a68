"""Run a command in our own terminal and process group, and leave nothing of it behind."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import HarnessError

_PACKAGE = Path(__file__).parents[1]

#: As the keeper is started; see :mod:`harness.keeping.cells`.
_COMMAND = (
    *(sys.executable, "-I", "-S", "-c"),
    f"import sys; sys.path.append({str(_PACKAGE.parent)!r})\n"
    f"from {_PACKAGE.name}.keeping import attendant; attendant.main()",
)

_STDERR = 2
_TOLD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: How long a command may take to end when it is told to, before it is killed.
_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its code (negative for a signal), after how long, what it left behind.

    ``left`` processes of it were still running, and were ended.
    """

    code: int
    seconds: float
    left: int


def attend(argv: Sequence[str], env: Mapping[str, str], *, to_stderr: bool = False) -> Ended:
    """Run a command with our standard input, output and terminal until it ends.

    ``to_stderr``: its standard output goes to ours for errors. Ctrl-C is the command's: it ends us
    when it ends. SIGTERM and SIGHUP are passed on, and raise KeyboardInterrupt when it has ended.
    Raises OSError if it cannot be started.
    """
    ours, theirs = socket.socketpair()
    begun = time.monotonic()
    with ours, _terminal_as_it_was(), _noted() as noted:
        with theirs:
            process = subprocess.Popen(
                [*_COMMAND, str(theirs.fileno()), *argv],
                env=dict(env),
                pass_fds=[theirs.fileno()],
                stdout=_STDERR if to_stderr else None,
            )
        said, told_by = _awaited(ours, noted)
        # Its end is the sign to end everything.
        ours.close()
        process.wait()
    if told_by is not None:
        raise KeyboardInterrupt(told_by.name)
    if "errno" in said:
        raise OSError(said["errno"], said["strerror"], argv[0])
    if "code" not in said:
        raise HarnessError(f"{argv[0]}: what ran it was killed, so nobody knows how it ended")
    return Ended(said["code"], time.monotonic() - begun, said["left"])


@contextlib.contextmanager
def _noted() -> Iterator[socket.socket]:
    """Let signals be noted, each as a byte that can be read, and raise nothing meanwhile.

    Those that are ignored (nohup) stay so, and only the main thread is told of any.
    """
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)

        def note(number: int, _: object) -> None:
            with contextlib.suppress(BlockingIOError):
                writing.send(bytes([number]))

        before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            chosen = [each for each in _TOLD if signal.getsignal(each) != signal.SIG_IGN]
            before = {each: signal.signal(each, note) for each in chosen}
        try:
            yield reading
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _awaited(
    link: socket.socket, noted: socket.socket
) -> tuple[dict[str, Any], signal.Signals | None]:
    """Return what is said at the end, and the signal that ends us, if one came before.

    Signals are passed on; one that ends us gives the command a while to end.
    """
    said = b""
    told_by: signal.Signals | None = None
    until: float | None = None
    while not said.endswith(b"\n"):
        left = None if until is None else max(0.0, until - time.monotonic())
        readable, _, _ = select.select([link, noted], [], [], left)
        if not readable:
            break
        for number in noted.recv(64) if noted in readable else b"":
            if number != signal.SIGINT:
                told_by = told_by or signal.Signals(number)
                until = until or time.monotonic() + _GRACE_S
            elif _reaches_all():
                continue
            with contextlib.suppress(OSError):  # it has ended
                link.sendall(bytes([number]))
        if link in readable:
            if not (part := link.recv(4096)):
                break
            said += part
    told: dict[str, Any] = json.loads(said) if said.endswith(b"\n") else {}
    return told, told_by


def _reaches_all() -> bool:
    """Say whether Ctrl-C reaches the command by itself: a terminal sends it to its whole group."""
    with contextlib.suppress(OSError):
        descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        finally:
            os.close(descriptor)
    return False


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Give the terminal back its settings, and us the foreground, however the command ended."""
    try:
        before = termios.tcgetattr(0)
        foreground = os.tcgetpgrp(0) == os.getpgrp()
    except (termios.error, OSError):
        yield
        return
    try:
        yield
    finally:
        if foreground:
            # Whoever sets a terminal from the background is stopped, unless this is ignored.
            usual = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            with contextlib.suppress(termios.error, OSError):
                os.tcsetpgrp(0, os.getpgrp())
                termios.tcsetattr(0, termios.TCSADRAIN, before)
            signal.signal(signal.SIGTTOU, usual)
