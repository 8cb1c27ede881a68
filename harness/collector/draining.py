"""Read what is left of a body that is refused, so that its client can read the refusal."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ..http_heads import closes

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, HTTPScope

#: How much of a refused body is read, in bytes and in seconds, before the connection is closed.
_DRAIN_BYTES, _DRAIN_S = 256 * 1024 * 1024, 30.0


async def drain(scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
    """Read the rest of a body that is refused, where the connection ends with the answer.

    Else whoever still sends would be reset, and might not read the answer: a reset is tried again,
    and a refusal is not. Where the connection goes on, the server throws the rest away itself.
    """
    headers = list(scope["headers"])
    if scope["http_version"] != "1.0" and not closes(headers):
        return
    if any(name == b"expect" for name, _ in headers):
        return  # reading would ask for the body
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while size <= _DRAIN_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message["more_body"]:
                    return
                size += len(message["body"])
