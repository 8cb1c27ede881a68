"""Notice what others have replaced in the standard library: threads and sockets."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from .errors import UsageError


def _by_gevent() -> bool:
    return bool(sys.modules["gevent.monkey"].is_module_patched("_thread"))


def _by_eventlet() -> bool:
    return bool(sys.modules["eventlet.patcher"].is_monkey_patched("thread"))


#: The module that replaces threads, and what says whether it did.
_PATCHERS: Mapping[str, Callable[[], bool]] = {
    "gevent.monkey": _by_gevent,
    "eventlet.patcher": _by_eventlet,
}


def require_real_threads(what: str) -> None:
    """Raise UsageError if threads are replaced: a server in one would never get its turn."""
    for module, has_replaced in _PATCHERS.items():
        if module in sys.modules and has_replaced():
            library = module.partition(".")[0]
            raise UsageError(
                what,
                seen=f"threads that {library} has replaced, in which a server gets no turn",
                expected=f"real ones: leave threads out of what {library} patches (thread=False),"
                " or start it in a process without the patch",
            )


@contextmanager
def true_sockets() -> Iterator[None]:
    """Let ``socket.socket`` be Python's own class while the block runs, and not one made of it."""
    before = socket.socket
    true = next((each for each in before.__mro__ if each.__module__ == "socket"), before)
    vars(socket)["socket"] = true
    try:
        yield
    finally:
        vars(socket)["socket"] = before
