"""Choose ports for programs that we start, which bind them only a while later."""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
import threading
from pathlib import Path

#: Ports below are for services that have a name.
_LOWEST = 15_000
#: The first port that systems give out by themselves, unless they say otherwise.
_FIRST_GIVEN_OUT = 32_768
_LINUX_SAYS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 1_000

_chosen: set[int] = set()
_turn = threading.Lock()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of ``host`` that nothing is bound to now, none twice.

    It is below those that the system gives out by itself, to every outgoing connection above all:
    one of these would be taken now and then before the program that is to have it has started.
    On Linux, another process that asks at the same time is not given the same port either.
    """
    with _turn:
        for _ in range(_TRIES):
            port = _LOWEST + secrets.randbelow(_first_given_out() - _LOWEST)
            if port not in _chosen and _is_free(host, port) and _reserve(port):
                _chosen.add(port)
                return port
    with socket.socket() as bound:  # a machine that keeps its ports for others
        bound.bind((host, 0))
        given: int = bound.getsockname()[1]
        return given


def _reserve(port: int) -> bool:
    """Reserve a port among all processes that choose as we do, until this one ends."""
    # An abstract name leaves no file behind, whatever becomes of its owner.
    with socket.socket(socket.AF_UNIX) as owner:
        try:
            owner.bind(f"\0pytest-cc-otel-port-{port}")
        except OSError as error:
            # Only Linux has such names: elsewhere, chance alone keeps processes apart.
            return error.errno != errno.EADDRINUSE
        owner.detach()
        return True


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as bound:
        try:
            bound.bind((host, port))
        except OSError:
            return False
        return True


def _first_given_out() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        first = int(_LINUX_SAYS.read_text().split()[0])
        if first > _LOWEST + _TRIES:
            return first
    return _FIRST_GIVEN_OUT
