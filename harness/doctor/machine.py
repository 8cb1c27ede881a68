"""Look at what the machine allows: its network, terminals, limits and room."""

from __future__ import annotations

import os
import pty
import resource
import shutil
import socket
import tempfile
from pathlib import Path

from ..errors import UsageError
from ..keeping import network
from ..keeping.cells import why_not_apart
from ..shortage import LEAST_FREE, check_descriptors, free_in
from .probe import Found, Part, State

#: So many sessions are made side by side on a small machine, each with a handful of threads.
_RUNS = 12
_PROCESSES = 512
_PER_MIB = 2**20

_DEFAULT_PORTS = (4317, 4318)
_LOOK_S = 1.0


def parts() -> list[Part]:
    """Return the parts."""
    return [
        Part("loopback", _loopback, needed=True),
        Part("open files", _descriptors, needed=True),
        Part("processes", _processes),
        Part("room", _room, needed=True),
        Part("terminal", _terminal),
        Part("network namespace", _network_namespace),
        Part("usual ports", _ports),
    ]


def _loopback() -> Found:
    try:
        network.check_loopback()
    except OSError as error:
        return Found(
            State.STOPS,
            f"127.0.0.1 cannot be reached: {error}",
            "all sessions: collectors and the model's API listen there",
            "let processes listen on 127.0.0.1: ip link set lo up, and no sandbox that forbids it",
        )
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return Found(State.OK, "127.0.0.1 and ::1")
    except OSError as error:
        return Found(
            State.LESS,
            f"127.0.0.1, and no ::1: {error}",
            "endpoints that are IPv6 addresses",
            "IPv6 on the loopback interface",
        )


def _descriptors() -> Found:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        check_descriptors(_RUNS)
    except UsageError as error:
        return Found(
            State.STOPS,
            error.seen,
            f"{_RUNS} sessions side by side",
            f"ulimit -n: {error.expected}",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return Found(State.OK, f"{_number(soft)} (ulimit -n), which may be raised to {_number(hard)}")


def _processes() -> Found:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != resource.RLIM_INFINITY and soft < _PROCESSES and os.geteuid() != 0:
        return Found(
            State.LESS,
            f"{soft} (ulimit -u)",
            f"{_RUNS} sessions side by side: some will fail for want of threads",
            f"ulimit -u {_PROCESSES}, or more",
        )
    return Found(State.OK, f"{_number(soft)} (ulimit -u), {os.cpu_count()} cores")


def _number(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def _room() -> Found:
    folder = Path(tempfile.gettempdir())
    free = free_in(folder)
    seen = f"{free / _PER_MIB:,.0f} MiB in {folder}"
    if free < LEAST_FREE:
        return Found(
            State.STOPS,
            seen,
            "sessions: they work there",
            f"{LEAST_FREE // _PER_MIB} MiB at least; TMPDIR names another folder",
        )
    with tempfile.TemporaryFile():
        return Found(State.OK, seen)


def _terminal() -> Found:
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
    except OSError as error:
        return Found(
            State.LESS,
            f"no pseudo-terminal can be opened: {error}",
            "interactive sessions: permissions, slash commands, hooks, dialogs",
            "mount devpts at /dev/pts; in containers, a newer runtime or --tty",
        )
    size = shutil.get_terminal_size()
    return Found(State.OK, f"pseudo-terminals can be opened; this one has {size.columns} columns")


def _network_namespace() -> Found:
    why_not = why_not_apart()
    if why_not:
        return Found(
            State.LESS,
            why_not,
            "what sessions try to reach beside loopback is not seen, and sessions that need the "
            "documented ports of one machine wait for one another or are left out",
            "Linux that allows unshare --net: kernel.unprivileged_userns_clone=1, "
            "kernel.apparmor_restrict_unprivileged_userns=0, or in containers "
            "--cap-add=SYS_ADMIN or --security-opt seccomp=unconfined",
        )
    return Found(State.OK, "each session gets a network of its own")


def _ports() -> Found:
    taken = [str(port) for port in _DEFAULT_PORTS if _listens(port)]
    if taken and why_not_apart():
        return Found(
            State.LESS,
            f"something listens at {', '.join(taken)}",
            "sessions without an endpoint, whose telemetry would go there",
            "end what listens there, or see 'network namespace'",
        )
    return Found(State.OK, f"taken by others: {', '.join(taken)}" if taken else "free")


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        asking.settimeout(_LOOK_S)
        return asking.connect_ex(("127.0.0.1", port)) == 0
