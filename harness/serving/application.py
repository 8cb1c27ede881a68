"""What a server and its application know of each other, beside ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

#: In ``scope["state"]`` of a request whose body turned out not to be HTTP.
MALFORMED = "malformed"

#: In ``scope["state"]`` of every request: a function that closes its connection once
#: what was sent is out.  The application must then wait for ``http.disconnect``.
HANG_UP = "hang_up"

#: In ``scope["state"]`` of every request over TLS: its connection's ``ssl.SSLObject``.
TLS = "tls"

#: In ``scope["state"]`` of every request: its :class:`Connection`.
CONNECTION = "connection"


class Malformed(Protocol):
    """A function that answers malformed HTTP requests, for a server."""

    def __call__(
        self, scope: HTTPScope, status: int, reason: str, *, handled: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the headers and the body of a response with ``status``: 400 or 431.

        ``scope`` holds what could be parsed. ``handled`` means that the application has received
        the request already: its body will end early, and ``scope["state"]`` says why
        under :data:`MALFORMED`.
        """


#: Makes of a body the whole response, whose connection stays open; None leaves it to the app.
AnswerAtOnce = Callable[[bytes], bytes | None]


class AtOnce(Protocol):
    """A function that answers requests which arrive whole, for a connection."""

    def __call__(self, scope: HTTPScope) -> AnswerAtOnce | None:
        """Return what answers requests with this head; None leaves them to the application.

        It may be kept for further requests of the connection with the same head. Of ``scope``,
        ``path`` is not filled in.
        """


class Connection:
    """A client's connection: when it ended, in Unix nanoseconds; 0 while it lasts."""

    __slots__ = ("ended_unix_nano",)

    def __init__(self) -> None:
        self.ended_unix_nano = 0
