"""Start processes for another process, and end them and all that they started when it is gone.

The socket that it is started with leads to the harness, which alone has the other end: when it
closes, the harness has ended, in whatever way. A *cell* is a child of the keeper for one sandbox.
It starts the processes, and as their subreaper (Linux) it inherits whatever they leave behind, also
what called setsid or changed its environment. It ends when its own socket closes; by then none of
them is left.

Only the standard library is imported: this runs beside every session, and must start quickly.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from . import network, sweeping
from .descendants import all_processes, await_children, end_descendants

#: What the keeper is asked for: a cell (in a network of its own), to remember or forget a folder.
CELL, CELL_APART, REMEMBER, FORGET = b"c", b"a", b"+", b"-"
#: What a cell is asked for: to start a process, to make a socket over TCP (IPv4, IPv6).
START, SOCKET, SOCKET6 = b"p", b"s", b"6"
_FAMILIES = {SOCKET: socket.AF_INET, SOCKET6: socket.AF_INET6}

#: How long it may take until killed processes are gone, and until all cells are, in seconds.
GONE_S = 8.0
_CELLS_S = 10.0

LENGTH = struct.Struct("!I")
_PR_SET_CHILD_SUBREAPER = 36
#: Python ignores these, and what it starts is not to.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_LINUX = sys.platform == "linux"


def keep(control: socket.socket) -> None:
    """Serve requests until the harness has ended; then end all cells and remove its folders."""
    os.chdir("/")
    _survive_signals()
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    adopt_orphans()
    folders: set[str] = set()
    while request := _received(control):
        kind, descriptors = request
        if kind in (CELL, CELL_APART):
            why_not = _why_not_apart() if kind == CELL_APART else None
            _fork_cell(control, descriptors[0], why_not)
        else:
            path = text_of(control)
            if path is None:
                break
            (folders.add if kind == REMEMBER else folders.discard)(path)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    await_children(_CELLS_S)
    end_descendants(GONE_S)
    for folder in folders:
        sweeping.remove(Path(folder))


def _received(control: socket.socket) -> tuple[bytes, list[int]] | None:
    """Return the next byte, with the descriptors that came with it; None at the end."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 4)
    except OSError:
        return None
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return (message, descriptors) if message else None


def text_of(source: socket.socket) -> str | None:
    """Return a text that its length precedes; None if it is cut off."""
    try:
        (length,) = LENGTH.unpack(source.recv(LENGTH.size, socket.MSG_WAITALL))
        data = source.recv(length, socket.MSG_WAITALL)
    except (OSError, struct.error):
        return None
    return data.decode("utf-8", "surrogateescape") if len(data) == length else None


def framed(text: str) -> bytes:
    """Return the bytes of a text, with their length before them."""
    data = text.encode("utf-8", "surrogateescape")
    return LENGTH.pack(len(data)) + data


@cache
def _why_not_apart() -> str:
    """Return why no cell can have a network of its own here; empty if it can.

    It is tried, not guessed, by a process that is not needed afterwards: there is no way back.
    """
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        why = "it cannot be entered"
        try:
            network.enter()
            network.check_loopback()
            why = ""
        except OSError as error:
            why = str(error)
        finally:
            os.write(telling, why.encode())
            os._exit(0)
    os.close(telling)
    with open(told, encoding="utf-8") as stream:
        return stream.read()


def _fork_cell(control: socket.socket, link: int, why_not: str | None) -> None:
    if os.fork():
        os.close(link)
        return
    code = 1
    try:
        control.close()
        cell = _Cell(socket.socket(fileno=link))
        if why_not is not None:
            cell.go_apart(why_not)
        cell.serve()
        code = 0
    finally:
        os._exit(code)


class _Cell:
    """The processes of one sandbox; ``link`` leads to the harness."""

    def __init__(self, link: socket.socket) -> None:
        os.setsid()
        adopt_orphans()
        self._link = link
        #: pid -> where to tell its end.
        self._started: dict[int, socket.socket] = {}
        self._told: set[int] = set()
        self._wakes, waking = socket.socketpair()
        for end in (self._wakes, waking):
            end.setblocking(False)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        self._waking = waking
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._leave)

    def go_apart(self, why: str) -> None:
        """Enter a network of its own, unless there is a reason ``why`` that cannot be.

        The harness is told, and handed where is seen what is tried.
        """
        watching: list[int] = []
        if not why:
            watching = [watch.detach() for watch in network.enter()]
        socket.send_fds(self._link, [framed(why)], watching)
        for descriptor in watching:
            os.close(descriptor)

    def serve(self) -> None:
        """Start what is asked for until the link closes; then end all of it."""
        with contextlib.suppress(_LeaveError):
            while self._serve_one():
                pass
        end_descendants(GONE_S)

    def _leave(self, *_: object) -> NoReturn:
        raise _LeaveError

    def _serve_one(self) -> bool:
        """Wait for a request or the end of a process; return False once the link is closed."""
        readable, _, _ = select.select([self._link, self._wakes, *self._started.values()], [], [])
        if self._wakes in readable:
            with contextlib.suppress(BlockingIOError):
                self._wakes.recv(4096)
            self._tell_ends()
        for pid, told in tuple(self._started.items()):
            # Nobody asks about it any more: its number may be given to another process.
            if told in readable and not _peek(told):
                self._forget(pid, told)
        return self._link not in readable or self._answer()

    def _answer(self) -> bool:
        """Do what the harness asks for; return False once it has let the cell go."""
        request = _received(self._link)
        if request and request[0] in _FAMILIES:
            self._hand_over_socket(request[0])
            return True
        text = text_of(self._link) if request else None
        if request is None or text is None:
            return False
        told, *standard = request[1]
        link = socket.socket(fileno=told)
        try:
            pid = _forked(json.loads(text), standard)
        except OSError as error:
            _tell(link, {"errno": error.errno, "strerror": error.strerror, "of": error.filename})
            link.close()
        else:
            self._started[pid] = link
            _tell(link, {"pid": pid})
            # It may have ended before it was known.
            self._tell_ends()
        finally:
            for descriptor in standard:
                os.close(descriptor)
        return True

    def _hand_over_socket(self, kind: bytes) -> None:
        """Send a socket of this network, or the number of the error: there need not be IPv6."""
        try:
            with socket.socket(_FAMILIES[kind]) as made:
                socket.send_fds(self._link, [kind], [made.fileno()])
        except OSError as error:
            self._link.sendall(kind + LENGTH.pack(error.errno or 0))

    def _tell_ends(self) -> None:
        """Tell who has ended, without letting go of its number, and bury adopted orphans."""
        for pid, link in self._started.items():
            if pid not in self._told and (code := _exit_code(pid)) is not None:
                self._told.add(pid)
                _tell(link, {"code": code})
        if not _LINUX:
            return
        for pid in all_processes().children(os.getpid()):
            if pid not in self._started:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def _forget(self, pid: int, link: socket.socket) -> None:
        del self._started[pid]
        self._told.discard(pid)
        link.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


class _LeaveError(Exception):
    """The machine asks to end."""


def _exit_code(pid: int) -> int | None:
    """Return how a child has ended, negative for a signal; None if it has not.

    It stays a zombie where the system allows to look without burying it, so that nobody else gets
    its number while the harness may still send signals to it.
    """
    try:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except AttributeError:  # macOS, before Python 3.13
        buried, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if buried else None
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _peek(link: socket.socket) -> bytes:
    try:
        return link.recv(1)
    except OSError:
        return b""


def _tell(link: socket.socket, what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        link.sendall(json.dumps(what).encode() + b"\n")


def _forked(order: dict[str, Any], standard: list[int]) -> int:
    """Start the command of an order in a session of its own; return its pid.

    Raises OSError if it cannot be started.
    """
    failed, failing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become(order, standard)
        except OSError as error:
            told = [error.errno, error.strerror, error.filename]
            os.write(failing, json.dumps(told).encode())
        finally:
            os._exit(127)
    os.close(failing)
    with open(failed, "rb") as stream:
        said = stream.read()
    if said:
        os.waitpid(pid, 0)
        number, strerror, of = json.loads(said)
        raise OSError(number, strerror, of)
    return pid


def _become(order: dict[str, Any], standard: list[int]) -> NoReturn:
    os.setsid()
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    if order["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for signalled in _IGNORED_BY_PYTHON:
        signal.signal(signalled, signal.SIG_DFL)
    os.chdir(order["cwd"])
    argv = order["argv"]
    try:
        os.execvpe(argv[0], argv, order["env"])
    except OSError as error:
        raise OSError(error.errno, error.strerror, argv[0]) from None


def _reap() -> None:
    """Bury cells that have ended; what one leaves behind that was killed itself is killed, too."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if _LINUX and os.WIFSIGNALED(ended[1]):
                _end_orphans()


def _end_orphans() -> None:
    # A cell leads a session, and is a child that does; so does a subject, in its own.
    tree = all_processes()
    for pid in tree.children(os.getpid()):
        if not _is_cell(pid):
            for below in (pid, *tree.descendants(pid)):
                with contextlib.suppress(OSError):
                    os.kill(below, signal.SIGKILL)


def _is_cell(pid: int) -> bool:
    """Say whether a child runs this program: it was forked, and has executed nothing since."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes()
    except OSError:
        return True


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended, where Linux can do that."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _survive_signals() -> None:
    """Let signals that end the harness pass by: its end tells us what to do.

    What was ignored stays ignored, also for those that are started; what is handled is not.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def main() -> None:
    """Keep what the harness asks for, whose socket and temporary folder ``sys.argv`` names."""
    _, descriptor, parent = sys.argv
    control = socket.socket(fileno=int(descriptor))
    if os.fork() == 0:
        try:
            control.close()
            sweeping.sweep(Path(parent))
        finally:
            os._exit(0)
    keep(control)
