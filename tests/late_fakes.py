"""Let one of our fakes come late: it is not there until so long after it was first needed.

Also a plugin of pytest: ``CC_OTEL_LATE=messages_api:10 pytest -p tests.late_fakes --cc-binary=…``.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.collector import grpc_server, http_app
from harness.fakes import fault_proxy, helper_stub, messages_api, quick_mcp_stub

Put = Callable[[object, str, object], None]


class _Hold:
    """How long each of several servers is still to be held up, since it was first needed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._first: dict[int, float] = {}

    def left(self, server: object) -> float:
        first = self._first.setdefault(id(server), time.monotonic())
        return max(0.0, first + self._seconds - time.monotonic())


def _held(put: Put, owner: Any, name: str, seconds: float) -> None:
    """Hold up the calls of an asynchronous method of three arguments."""
    method, hold = getattr(owner, name), _Hold(seconds)

    @functools.wraps(method)
    async def late(self: object, first: Any, second: Any, third: Any) -> Any:
        await asyncio.sleep(hold.left(self))
        return await method(self, first, second, third)

    put(owner, name, late)


def _messages_api(put: Put, seconds: float) -> None:
    _held(put, messages_api.MessagesApi, "_app", seconds)


def _collector_http(put: Put, seconds: float) -> None:
    _held(put, http_app.HttpApp, "_answer", seconds)
    # None is answered at once: each has its task, which can be held up.
    put(http_app.HttpApp, "at_once", lambda self, scope: None)


def _collector_grpc(put: Put, seconds: float) -> None:
    answer, hold = grpc_server._Handlers._answer, _Hold(seconds)

    def late(self: Any, *args: Any) -> bytes:
        time.sleep(hold.left(self))
        return answer(self, *args)

    put(grpc_server._Handlers, "_answer", late)


def _proxy(put: Put, seconds: float) -> None:
    connect, hold = fault_proxy.FaultProxy._connect, _Hold(seconds)

    async def late(self: Any, target: int) -> Any:
        await asyncio.sleep(hold.left(self))
        return await connect(self, target)

    put(fault_proxy.FaultProxy, "_connect", late)


def _mcp(put: Put, seconds: float) -> None:
    configuration = quick_mcp_stub.configuration
    put(quick_mcp_stub, "configuration", _slow_command(configuration, seconds))


def _slow_command(configuration: Callable[..., str], seconds: float) -> Callable[..., str]:
    def late(*args: Any, **options: Any) -> str:
        made = json.loads(configuration(*args, **options))
        for server in made["mcpServers"].values():
            command = [server["command"], *server["args"]]
            server["command"] = "/bin/sh"
            server["args"] = ["-c", f"sleep {seconds}; exec {shlex.join(command)}"]
        return json.dumps(made)

    return late


def _helper(put: Put, seconds: float) -> None:
    install = helper_stub.install

    def late(launcher: Path, folder: Path, *args: Any, **options: Any) -> None:
        install(launcher, folder, *args, **options)
        shebang, mark, *rest = launcher.read_text(encoding="utf-8").splitlines()
        waits = f"mkdir {shlex.quote(str(folder / 'late'))} 2>/dev/null && sleep {seconds}"
        launcher.write_text("\n".join([shebang, mark, waits, *rest, ""]), encoding="utf-8")

    put(helper_stub, "install", late)


#: What may come late, and how it is held up.
LATE: dict[str, Callable[[Put, float], None]] = {
    "messages_api": _messages_api,
    "collector_http": _collector_http,
    "collector_grpc": _collector_grpc,
    "proxy": _proxy,
    "mcp": _mcp,
    "helper": _helper,
}

for _each in filter(None, os.environ.get("CC_OTEL_LATE", "").split(",")):
    _name, _, _seconds = _each.partition(":")
    LATE[_name](setattr, float(_seconds))
