"""Start processes through the keeper, so that none of them outlives this process or its cell."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import HarnessError
from . import keeper
from .reached import all_reached

#: How long a cell may take to end everything in it, in seconds.
_ENDED_S = keeper.GONE_S + 5.0

#: What a process counts as whose cell was killed: as killed, too.
_LOST = -9


_PACKAGE = Path(__file__).parents[1]

#: Without site-packages, for it is to start quickly; with the folder that holds us, by whose name
#: we are called there.
_COMMAND = (
    *(sys.executable, "-I", "-S", "-c"),
    f"import sys; sys.path.append({str(_PACKAGE.parent)!r})\n"
    f"from {_PACKAGE.name}.keeping import keeper; keeper.main()",
)


class BrokenOffError(HarnessError):
    """This process is to end: nothing more is started."""


class _Keeper:
    """The keeper of this process, started when it is first needed."""

    def __init__(self) -> None:
        # A signal may come while its own thread holds the lock.
        self._lock = threading.RLock()
        self._control: socket.socket | None = None
        self._owner = 0
        self._cells: set[Cell] = set()
        self._broken_off = False

    def open(self, cell: Cell) -> socket.socket:
        """Ask for a cell; return the link to it."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            if self._broken_off:
                ours.close()
                raise BrokenOffError("broken off: no more processes are started")
            kind = keeper.CELL_APART if cell.apart else keeper.CELL
            socket.send_fds(self._started(), [kind], [theirs.fileno()])
            self._cells.add(cell)
        return ours

    def closed(self, cell: Cell) -> None:
        with self._lock:
            self._cells.discard(cell)

    def say(self, kind: bytes, folder: Path) -> None:
        """Let the keeper remember or forget a folder that it removes if we cannot."""
        with self._lock:
            if kind == keeper.REMEMBER or self._runs():
                self._started().sendall(kind + keeper.framed(str(folder)))

    def end_all(self) -> None:
        """Let all cells end, without waiting for it, and open no more."""
        with self._lock:
            self._broken_off = True
            for cell in tuple(self._cells):
                cell.let_go()

    def begin_again(self) -> None:
        with self._lock:
            self._broken_off = False

    def _runs(self) -> bool:
        # A fork of this process has a keeper of its own: the other one keeps our parent's.
        return self._control is not None and self._owner == os.getpid()

    def _started(self) -> socket.socket:
        if self._control is not None and self._runs() and not _at_end(self._control):
            return self._control
        ours, theirs = socket.socketpair()
        with theirs:
            # Not to be waited for: it ends after us.  Warnings about that are for others.
            process = subprocess.Popen(
                [*_COMMAND, str(theirs.fileno()), tempfile.gettempdir()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            process.returncode = 0
        if self._control is None:
            atexit.register(self._close)
        else:
            self._control.close()
        self._control, self._owner = ours, os.getpid()
        return ours

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()


def _at_end(link: socket.socket) -> bool:
    """Say whether the other end, which says nothing, has been closed."""
    return bool(select.select([link], [], [], 0)[0])


_KEEPER = _Keeper()

remember = _KEEPER.say
end_all = _KEEPER.end_all
begin_again = _KEEPER.begin_again


class Cell:
    """Processes that are started one by one, and end together with all that they started.

    When its block ends, or :meth:`end` is called, everything in it is killed: on Linux also what
    called setsid or changed its environment, elsewhere what is still known by its parents.

    ``apart``: it has a network of its own, in which there is only loopback, where the machine
    allows that. Who is to be reached from it listens on a :meth:`new_socket` of it.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self.apart = apart
        self._lock = threading.RLock()
        self._link: socket.socket | None = None
        self._watching: tuple[socket.socket, ...] = ()
        self._not_apart = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        terminal: bool = False,
    ) -> Kept:
        """Start a process in a session of its own; what is not given is the null device.

        ``terminal``: its input is its controlling terminal. Raises OSError if it cannot be
        started, BrokenOffError if this process is about to end.
        """
        order = {"argv": [*map(str, argv)], "cwd": str(cwd), "env": dict(env), "terminal": terminal}
        for text in (str(cwd), *argv, *env, *env.values()):
            if "\0" in text:
                raise ValueError("embedded null byte")
        told, telling = socket.socketpair()
        with contextlib.ExitStack() as stack:
            stack.callback(telling.close)
            null = os.open(os.devnull, os.O_RDWR)
            stack.callback(os.close, null)
            standard = [null if each is None else each for each in (stdin, stdout, stderr)]
            try:
                with self._lock:
                    link = self._opened()
                    socket.send_fds(link, [keeper.START], [telling.fileno(), *standard])
                    link.sendall(keeper.framed(json.dumps(order)))
            except BaseException:
                told.close()
                raise
        return Kept(tuple(argv), told)

    def new_socket(self, family: int = socket.AF_INET) -> socket.socket:
        """Make a socket (TCP) in its network, which may listen or connect there.

        Raises OSError if it cannot be made: there need not be IPv6.
        """
        if not self.apart:
            return socket.socket(family)
        with self._lock:
            link = self._opened()
            link.sendall(keeper.SOCKET if family == socket.AF_INET else keeper.SOCKET6)
            said, descriptors, _, _ = socket.recv_fds(link, 1, 1)
            if not said:
                raise BrokenOffError("broken off: no more sockets are made")
            if not descriptors:
                (number,) = keeper.LENGTH.unpack(link.recv(keeper.LENGTH.size, socket.MSG_WAITALL))
                raise OSError(number, os.strerror(number))
        return socket.socket(fileno=descriptors[0])

    @property
    def why_not_apart(self) -> str:
        """Why it has no network of its own; empty if it has, or was not asked for one."""
        if self.apart:
            with self._lock:
                self._opened()
        return self._not_apart

    def reached(self) -> tuple[str, ...]:
        """Return what was tried to be reached beside loopback since the last call, each once."""
        return all_reached(self._watching)

    def _opened(self) -> socket.socket:
        if self._link is None:
            self._link = _KEEPER.open(self)
            if self.apart:
                self._go_apart(self._link)
        return self._link

    def _go_apart(self, link: socket.socket) -> None:
        # Its length, with which the sockets come, and then the text.
        length, descriptors, _, _ = socket.recv_fds(link, keeper.LENGTH.size, 2)
        self._watching = tuple(socket.socket(fileno=each) for each in descriptors)
        if len(length) < keeper.LENGTH.size:
            raise BrokenOffError("broken off: no more processes are started")
        size = keeper.LENGTH.unpack(length)[0]
        self._not_apart = link.recv(size, socket.MSG_WAITALL).decode() if size else ""

    def let_go(self) -> None:
        """Let everything in it be killed, without waiting for that."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_WR)

    def end(self) -> bool:
        """Kill everything in it, and wait for that; say whether all of it is gone."""
        with self._lock:
            link, self._link = self._link, None
        if link is None:
            return True
        for watch in self._watching:
            watch.close()
        self._watching = ()
        _KEEPER.closed(self)
        with link:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_WR)
            link.settimeout(_ENDED_S)
            try:
                return link.recv(1) == b""
            except OSError as error:
                return not isinstance(error, TimeoutError)


def why_not_apart() -> str:
    """Return why no cell has a network of its own on this machine; empty if they have."""
    with Cell(apart=True) as cell:
        return cell.why_not_apart


class Kept:
    """A process in a cell, much like ``subprocess.Popen``.

    It leads a process group, and its number is nobody else's until :meth:`close`.
    """

    def __init__(self, argv: tuple[str, ...], told: socket.socket) -> None:
        self.argv = argv
        self._told = told
        # Unbuffered: what has been read is no longer told by a poll.
        self._lines = told.makefile("rb", buffering=0)
        self._code: int | None = None
        try:
            said = self._next()
        except BaseException:
            self.close()
            raise
        if "pid" not in said:
            self.close()
            if "errno" not in said:
                raise OSError(f"the process that was to start {argv[0]} has ended")
            raise OSError(said["errno"], said["strerror"], said["of"])
        self.pid: int = said["pid"]

    def ended(self, seconds: float | None = 0) -> bool:
        """Wait so long (None: however long it takes) for its end; say whether it has ended."""
        if self._code is None and (seconds is None or self._is_told(seconds)):
            self._code = self._next().get("code", _LOST)
        return self._code is not None

    @property
    def returncode(self) -> int:
        """The exit code, negative for a signal, once it has ended."""
        assert self._code is not None, "it has not ended"
        return self._code

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._told.fileno() < 0

    def poll(self) -> int | None:
        """Return the exit code, or None if it has not ended."""
        return self.returncode if self.ended() else None

    def close(self) -> None:
        """Ask nothing about it any more; it is still ended with its cell."""
        self._lines.close()
        self._told.close()

    def _is_told(self, seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._told, select.POLLIN)
        return bool(poller.poll(max(seconds, 0) * 1000))

    def _next(self) -> dict[str, int]:
        try:
            line = self._lines.readline() or b""
        except OSError:
            line = b""
        said: dict[str, int] = json.loads(line) if line else {}
        return said
