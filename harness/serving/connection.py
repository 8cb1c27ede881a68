"""uvicorn's HTTP protocol for one connection, with bounds, and without a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ..clock import time_ns
from ..http_heads import no_request, without_offer
from .application import (
    CONNECTION,
    HANG_UP,
    MALFORMED,
    TLS,
    AnswerAtOnce,
    AtOnce,
    Connection,
    Malformed,
)
from .writing import ToWrite

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

_LOGGER = logging.getLogger("harness.serving")

#: The most bytes of a request's line and headers together; more is answered with 431. Some releases
#: send two megabytes of what their headers helper printed: that must come through.
HEAD_BYTES = 4 * 1024 * 1024

#: What a header weighs beside its text, so that many empty ones do not pass.
_PAIR_BYTES = 160

#: How long we read on, in seconds and in bytes, after a refusal that ends the connection: who still
#: sends would otherwise be reset, and might not read the answer.
_LINGER_S = 10.0
_LINGER_BYTES = 1024 * 1024

#: The longest target of a request that is answered at once: the parts of many are kept. And the
#: largest head of which a connection keeps what answers it.
_TARGET_BYTES = 512
_KEPT_BYTES = 8192

#: So many answers are put off at most: then they are written, so that back-pressure is felt.
_MOST_UNWRITTEN = 16

_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class _HeadTooLargeError(Exception):
    """A request's line and headers are larger than :data:`HEAD_BYTES`."""


class HttpConnection(HttpToolsProtocol):
    """uvicorn's protocol, with bounded heads, a configurable answer to what is no HTTP, and no log.

    A request that cannot be read is answered after those before it, and ends the connection.

    ``at_once`` is asked first about a request that came in one piece, while no other waits for its
    answer. uvicorn makes a task, an event and a cycle of messages for each request; without them
    a request costs half as much. All others take uvicorn's way from their first byte on.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        malformed: Malformed | None,
        on_end: Callable[[], None],
        at_once: AtOnce | None = None,
        to_write: ToWrite | None = None,
    ) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self.access_log = False
        self.logger = _LOGGER
        self._malformed = malformed
        self._on_end = on_end
        self._at_once = at_once
        self._to_write = to_write or ToWrite(self.loop)
        #: The body so far of a request that may be answered at once; None while there is none.
        self._parts: list[bytes] | None = None
        #: Answers that are not yet written, and when the client was last heard of.
        self._unwritten: list[bytes] = []
        self._heard_s = 0.0
        #: What answers it.
        self._answer: AnswerAtOnce | None = None
        #: What answered the one before, and the head that it was made for: clients repeat theirs.
        self._kept: AnswerAtOnce | None = None
        self._answers: tuple[bytes, bytes, list[tuple[bytes, bytes]]] | None = None
        self._life = Connection()
        #: Whether a request's line or headers are being read, whether they began with the data
        #: that came last, and about how many bytes of them came before that.
        self._in_head = self._began = False
        self._head = 0
        #: What the headers weigh so far that were read to their ends.
        self._weight = 0
        #: The headers of a request that offers another protocol, until it is read without that.
        self._offered: list[tuple[bytes, bytes]] = []
        #: Status and reason of the refusal that is due when all before it is answered.
        self._due: tuple[int, str] | None = None
        #: How many more bytes are read, and thrown away, after a refusal.
        self._lingers: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {HANG_UP: transport.close, CONNECTION: self._life}
        if self.scheme == "https":
            self.app_state[TLS] = transport.get_extra_info("ssl_object")

    def data_received(self, data: bytes) -> None:
        if self._due is not None:
            self._throw_away(len(data))
            return
        self._heard_s = self.loop.time()
        self._began = False
        try:
            if self._in_head and self._head > HEAD_BYTES:
                # The parser joins the parts of an unfinished header anew with each of them.
                raise _HeadTooLargeError
            self.parser.feed_data(data)
        except (_HeadTooLargeError, httptools.HttpParserError) as error:
            self._leave_to_app()
            if isinstance(error, _HeadTooLargeError) or isinstance(
                error.__context__, _HeadTooLargeError
            ):
                self._refuse(431, f"request line and headers of more than {HEAD_BYTES} bytes")
            else:
                self._refuse(400, no_request(error, data))
        except httptools.HttpParserUpgrade as stopped:
            if self._offered:
                self._decline(data[stopped.args[0] :])
            # A tunnel (CONNECT) is not made here: the request was answered as one of HTTP.
        self._leave_to_app()
        if self._in_head and not self._began:
            self._head += len(data)

    def on_message_begin(self) -> None:
        # As uvicorn's, which makes a scope besides: that is made when there is need of one.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self.scope = None  # type: ignore[assignment]
        self._in_head = self._began = True
        self._head = self._weight = 0

    def on_url(self, url: bytes) -> None:
        self._weight += len(url)
        if self._weight > HEAD_BYTES:
            raise _HeadTooLargeError
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # As uvicorn's, which is not called: there are several headers in each request.
        self._weight += len(name) + len(value) + _PAIR_BYTES
        if self._weight > HEAD_BYTES:
            raise _HeadTooLargeError
        if not self._in_head:
            return  # a trailer, which follows the body, is no header of the request
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def _make_scope(self) -> None:
        """Let uvicorn make the scope of the request that is being read."""
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = read
        self.scope["headers"] = self.headers

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            # The parser takes what follows for another protocol: read again without the offer.
            self._offered, self._in_head = self.headers, False
            return
        if self._offered:
            # As they were sent, the offer among them.
            self.headers[:], self._offered = self._offered, []
        if self._at_once is not None and self._is_simple():
            self._find_answer(self._at_once)
        if self._answer is None:
            self._make_scope()
            super().on_headers_complete()
        else:
            self._parts = []
        self._in_head = False

    def _find_answer(self, at_once: AtOnce) -> None:
        """Set what answers the request whose head has been read."""
        method = self.parser.get_method()
        if self._answers == (method, self.url, self.headers):
            self._answer = self._kept
            return
        self._make_scope()
        self.scope["method"] = method.decode("ascii")
        self.scope["raw_path"], self.scope["query_string"] = _target(self.url)
        self._answer = self._kept = at_once(self.scope)
        small = self._weight <= _KEPT_BYTES
        self._answers = (method, self.url, self.headers.copy()) if small else None

    def _is_simple(self) -> bool:
        """Say whether the request may be answered without regard to others, or to its client."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and len(self.url) <= _TARGET_BYTES
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _leave_to_app(self) -> None:
        """Let uvicorn go on with a request that could not be answered at once."""
        parts, self._parts, self._answer = self._parts, None, None
        if parts is not None:
            self._make_scope()
            super().on_headers_complete()
            for part in parts:
                self.on_body(part)

    def on_body(self, body: bytes) -> None:
        if self._parts is not None:
            self._parts.append(body)
            return
        cycle = self.cycle
        if not cycle.body and not cycle.response_complete:
            # uvicorn collects in a bytearray and hands out a copy of it.  Most bodies
            # come in one part: handed out as it is, that saves both copies.
            cycle.body = body  # type: ignore[assignment]
            body = b""
        super().on_body(body)

    def _decline(self, rest: bytes) -> None:
        """Read a request anew that offers to go on in another protocol, as if it did not.

        A server may ignore such an offer (RFC 9110, 7.8); the body belongs to the request then.
        """
        old = self.parser
        head = without_offer(old.get_method(), self.url, old.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def on_message_complete(self) -> None:
        if self._offered:
            return
        parts = self._parts
        if parts is not None:
            assert self._answer is not None
            answer = self._answer(parts[0] if len(parts) == 1 else b"".join(parts))
            if answer is not None:
                self._parts = self._answer = None
                # Done with: what cannot be read after it is no part of it.
                self.scope = None  # type: ignore[assignment]
                self._put_off(answer)
                return
            self._leave_to_app()
        super().on_message_complete()

    def _put_off(self, answer: bytes) -> None:
        """Write an answer when what the other connections sent meanwhile has been read, too.

        Written at once, each would wake its client for itself: a sixth of what a request costs.
        """
        self._unwritten.append(answer)
        if len(self._unwritten) == 1:
            self._to_write.add(self)
            if self.timeout_keep_alive_task is None:
                self._await_next(self.timeout_keep_alive)
        elif len(self._unwritten) >= _MOST_UNWRITTEN:
            self.write_answers()

    def write_answers(self) -> None:
        """Write the answers that were put off."""
        unwritten, self._unwritten = self._unwritten, []
        if unwritten and not self.transport.is_closing():
            self.transport.write(b"".join(unwritten))

    def _await_next(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        # Answers that are given at once do not wind the clock up anew.
        self.timeout_keep_alive_task = None
        if self.cycle is not None and not self.cycle.response_complete:
            return
        left_s = self._heard_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._await_next(left_s)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        self.write_answers()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._life.ended_unix_nano = time_ns()
        self._on_end()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline:
            # uvicorn reads on after each response, however many requests wait for theirs.
            self.flow.pause_reading()
        self._answer_what_is_due()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what cannot be read, once what came before it is answered."""
        self._due = (status, reason)
        self.flow.pause_reading()
        self._answer_what_is_due()

    def _answer_what_is_due(self) -> None:
        if self._due is None or self._lingers is not None or self.transport.is_closing():
            return
        cycle = self.cycle
        broken = cycle is not None and cycle.more_body and not cycle.response_complete
        if self.pipeline or not (broken or cycle is None or cycle.response_complete):
            return
        self.write_answers()
        status, reason = self._due
        scope: dict[str, object] = {
            "method": "",
            "raw_path": b"",
            "headers": [],
            "http_version": "",
            "client": self.client,
            "scheme": self.scheme,
            "state": self.app_state,
        }
        if self.scope is None and self._in_head:
            self._make_scope()
        if self.scope is not None and (broken or cycle is None or cycle.scope is not self.scope):
            # The parser had come as far as the request line.
            scope |= {**self.scope, "raw_path": self.url}
        if broken:
            cycle.scope["state"][MALFORMED] = reason
        if self._malformed is None:
            body = reason.encode("utf-8", "backslashreplace")
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            headers.append((b"content-length", b"%d" % len(body)))
        else:
            headers, body = self._malformed(
                cast("HTTPScope", scope), status, reason, handled=broken
            )
        lines = b"".join([b"%s: %s\r\n" % header for header in headers])
        self.transport.write(
            b"HTTP/1.1 %d %s\r\n%sconnection: close\r\n\r\n%s"
            % (status, _REASONS[status], lines, body)
        )
        if broken:
            cycle.disconnected = True
            cycle.message_event.set()
        self._linger()

    def _linger(self) -> None:
        """Close the connection when the client has, or has had the time to read the answer."""
        self._lingers = _LINGER_BYTES
        if not self.transport.can_write_eof():
            self.transport.close()  # TLS
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _throw_away(self, size: int) -> None:
        if self._lingers is not None:
            self._lingers -= size
            if self._lingers < 0:
                self.transport.close()


@lru_cache(maxsize=256)  # a client sends to a handful
def _target(url: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request's target; raises what uvicorn would for a bad one."""
    parsed = httptools.parse_url(url)
    parsed.path.decode("ascii")
    return parsed.path, parsed.query or b""
