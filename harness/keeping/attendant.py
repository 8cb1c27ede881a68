"""Run a command for another process, in its terminal, and leave nothing of it behind.

It runs as a process of its own between the harness and the command: the command stays in the
process group and the terminal of whoever called, and what it leaves behind is inherited here
(Linux) and ended. The socket that it is started with leads to the harness: each byte is a signal
for the command; when it closes, the harness has ended, and so must the command.

Only the standard library is imported: this must start quickly.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from .descendants import all_processes, await_children, end_descendants
from .keeper import GONE_S, adopt_orphans

#: What a terminal, or whoever ends a process group, sends to all in it; the harness decides.
_OF_THE_GROUP = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
#: How long what is about to end with the command may take to do so.
_ENDING_S = 0.5
#: Python ignores these, and what it starts is not to.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def main() -> None:
    """Run the command that ``sys.argv`` holds after the number of the socket."""
    number, *argv = sys.argv[1:]
    link = socket.socket(fileno=int(number))
    link.set_inheritable(False)
    adopt_orphans()
    wakes, waking = socket.socketpair()
    for end in (wakes, waking):
        end.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    # What is ignored (nohup) stays so; a handler of ours is not inherited by the command.
    for each in (signal.SIGCHLD, *_OF_THE_GROUP):
        if signal.getsignal(each) != signal.SIG_IGN or each == signal.SIGCHLD:
            signal.signal(each, lambda *_: None)
    try:
        pid = _started(argv)
    except OSError as error:
        _tell(link, {"errno": error.errno, "strerror": error.strerror})
        return
    code = _attended(pid, link, wakes)
    await_children(_ENDING_S)
    left = len(all_processes().descendants(os.getpid()))
    end_descendants(GONE_S)
    if code is not None:
        _tell(link, {"code": code, "left": left})


def _started(argv: list[str]) -> int:
    """Start the command; return its pid. Raises OSError if it cannot be started."""
    failed, failing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become(argv)
        except OSError as error:
            os.write(failing, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(failing)
    with open(failed, "rb") as stream:
        said = stream.read()
    if said:
        os.waitpid(pid, 0)
        raise OSError(int(said), os.strerror(int(said)))
    return pid


def _become(argv: list[str]) -> NoReturn:
    for each in _IGNORED_BY_PYTHON:
        signal.signal(each, signal.SIG_DFL)
    os.execvp(argv[0], argv)


def _attended(pid: int, link: socket.socket, wakes: socket.socket) -> int | None:
    """Pass signals on until the command has ended; return its code.

    It is None if the harness has ended before.
    """
    while True:
        if (code := _buried(pid)) is not None:
            return code
        readable, _, _ = select.select([link, wakes], [], [])
        if wakes in readable:
            with contextlib.suppress(BlockingIOError):
                wakes.recv(4096)
        if link in readable:
            asked = link.recv(1)
            if not asked:
                return None
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, asked[0])


def _buried(pid: int) -> int | None:
    """Bury all that has ended, orphans too; return the code of the command if it is among them."""
    while (ended := os.waitpid(-1, os.WNOHANG))[0]:
        if ended[0] == pid:
            return os.waitstatus_to_exitcode(ended[1])
    return None


def _tell(link: socket.socket, what: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        link.sendall(json.dumps(what).encode() + b"\n")
