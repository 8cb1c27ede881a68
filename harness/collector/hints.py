"""Say what may be wrong where a wait was in vain and nobody but this process can know."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

#: The variables by which HTTP clients and gRPC find a proxy; both read them in small letters, too.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY")


def hints(nothing_seen: bool) -> Iterator[str]:
    """Give a sentence for each thing that may be why a wait in this thread was in vain."""
    if nothing_seen:
        yield from _proxies()
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


def _address(url: str) -> str:
    """Leave user and password out."""
    return urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2]
