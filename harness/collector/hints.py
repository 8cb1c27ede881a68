"""Say what may be wrong where a wait was in vain and nobody but this process can know."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ..clock import time_ns

#: The variables by which HTTP clients and gRPC find a proxy; both read them in small letters, too.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY")

#: How long an exporter gives a request, if nobody says otherwise.
_GIVEN_S = 10.0


def hints(nothing_seen: bool) -> Iterator[str]:
    """Give a sentence for each thing that may be why a wait in this thread was in vain."""
    if nothing_seen:
        yield from _proxies()
        yield from _clock()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    yield (
        "this wait blocked the event loop of its thread, so whatever runs in that loop sent nothing"
        " meanwhile: await asyncio.to_thread(collector.wait_for_event, ...)"
    )


def _proxies() -> Iterator[str]:
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    if proxy_bypass_environment("127.0.0.1"):
        return
    for name in (each for upper in _PROXIES for each in (upper, upper.lower())):
        if os.environ.get(name):
            yield (
                f"{name} names the proxy {_address(os.environ[name])}, which exporters in this"
                " process send to instead of 127.0.0.1: set NO_PROXY=127.0.0.1"
            )


def _clock() -> Iterator[str]:
    """Tell of a clock that a library has set back; it is its own, which everybody else reads."""
    told, now = time.time(), time_ns() / 1e9
    if told < now - _GIVEN_S:
        yield (
            f"the clock of this process says {datetime.fromtimestamp(told, UTC):%Y-%m-%d %H:%M},"
            " which is long ago: gRPC clients count their deadlines from it, and give up before"
            ' they send. freezegun leaves them the true time: freeze_time(..., ignore=["grpc"])'
        )


def _address(url: str) -> str:
    """Leave user and password out."""
    return urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2]
