"""Let pages of other origins export from a browser (the Fetch standard: CORS)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveCallable,
        ASGISendCallable,
        ASGISendEvent,
        HTTPScope,
    )

    _Application = Callable[[HTTPScope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]

_ANY = b"*"


class Cors:
    """An ASGI application that answers preflights itself, and marks the answers of another one.

    ``origins`` are those that are allowed; ``*`` allows all. A preflight is no export: it is not
    stored, and no responder is asked.
    """

    def __init__(self, app: _Application, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(each.encode() for each in origins)

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Handle one request."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        if not origin or not {origin, _ANY} & self._origins:
            await self._app(scope, receive, send)
            return
        allowed = ((b"access-control-allow-origin", origin), (b"vary", b"origin"))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            asked = headers.get(b"access-control-request-headers", b"content-type")
            pairs = (
                *allowed,
                (b"access-control-allow-methods", b"POST"),
                (b"access-control-allow-headers", asked),
            )
            await send({"type": "http.response.start", "status": 204, "headers": pairs})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def marked(message: ASGISendEvent) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": (*message["headers"], *allowed)}
            await send(message)

        await self._app(scope, receive, marked)
