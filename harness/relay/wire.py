"""One connection to an OTLP/HTTP port, byte by byte: what is sent, and when, is up to the caller.

h11 reads the answers, and nothing else does more than move bytes. ``http.client`` would send and
receive by itself: then a deadline could only bound each step, an answer that comes before the
body is out would be lost, and nobody could send in pieces, ahead of the answer, or half-closed.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
from collections.abc import Iterable

import h11

from .answer import Answer, Deadline
from .closing import Closing
from .endpoint import Endpoint

_PIECE = 256 * 1024
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE

#: The longest body of an answer that is read; OTLP asks clients to have such a limit.
LONGEST_ANSWER = 16 * 1024 * 1024

#: How long a peer that has answered already may stop reading before we stop sending, in seconds.
_ANSWERED_ALREADY_S = 0.5


def request_bytes(
    endpoint: Endpoint,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | None,
    chunk_bytes: int = 0,
) -> bytes:
    """Write a request as HTTP/1.1, with its Host and the length of its body.

    ``path`` follows the base path of the endpoint; its headers are not added. ``chunk_bytes``
    says how many bytes go in a chunk, 0 that a Content-Length stands instead of chunks. A body
    that is None is none at all, without any length.
    """
    lines = [f"{method} {endpoint.base_path}{path} HTTP/1.1", f"Host: {endpoint.authority}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(
            "Transfer-Encoding: chunked" if chunk_bytes else f"Content-Length: {len(body)}"
        )
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if not body or not chunk_bytes:
        return head + (body or b"") + (b"0\r\n\r\n" if chunk_bytes and body is not None else b"")
    parts = [head]
    for start in range(0, len(body), chunk_bytes):
        part = body[start : start + chunk_bytes]
        parts += [b"%x\r\n" % len(part), part, b"\r\n"]
    return b"".join([*parts, b"0\r\n\r\n"])


class _Reading:
    """One answer as far as it has come; ``error`` says why it never will be whole."""

    def __init__(self, method: str) -> None:
        self._parser = h11.Connection(h11.CLIENT)
        self._parser.send(h11.Request(method=method, target="/", headers=[("Host", "-")]))
        self._parser.send(h11.EndOfMessage())
        self._whole = False
        self._size = 0
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body: list[bytes] = []
        self.error = ""

    @property
    def rest(self) -> bytes:
        """What came behind the answer."""
        return b"" if self.error else bytes(self._parser.trailing_data[0])

    @property
    def is_last(self) -> bool:
        """Whether no other answer can come over this connection."""
        return bool(self.error) or self._parser.their_state is h11.MUST_CLOSE

    def feed(self, data: bytes) -> None:
        """Take bytes that came; none at all stand for the end of the connection."""
        if not data and self.status is None:
            self.error = "closed without an answer"
            return
        try:
            self._parser.receive_data(data)
        except h11.RemoteProtocolError as fault:
            self.error = f"the answer is no HTTP/1.1: {fault}"

    def wants_more(self) -> bool:
        """Read on; return whether the answer is neither whole nor lost."""
        while not self.error and not self._whole:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as fault:
                self.error = f"the answer is no HTTP/1.1: {fault}"
                break
            if event is h11.NEED_DATA:
                return True
            self._take(event)
        return False

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Response):
            self.status = event.status_code
            self.headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers
            )
        elif isinstance(event, h11.Data):
            self.body.append(bytes(event.data))
            self._size += len(event.data)
            if self._size > LONGEST_ANSWER:
                self.error = f"the answer is longer than {LONGEST_ANSWER} bytes"
        elif isinstance(event, h11.EndOfMessage):
            self._whole = True


class Connection(Closing):
    """A connection for one thread at a time, to send bytes and to read answers.

    Only the constructor raises (OSError): whatever the peer does later is told by the answer.
    """

    def __init__(self, endpoint: Endpoint, deadline: Deadline) -> None:
        self._secured = endpoint.tls is not None
        self._socket = socket.create_connection((endpoint.host, endpoint.port), deadline.left)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.tls is not None:
                self._socket = endpoint.tls.context().wrap_socket(
                    self._socket, server_hostname=endpoint.host
                )
            self._socket.setblocking(False)
            self._selector = selectors.DefaultSelector()
            self._selector.register(self._socket, selectors.EVENT_READ)
        except BaseException:
            self._socket.close()
            raise
        self._received = b""
        self._ended = False
        self._trouble = ""
        self._broken: Answer | None = None
        self.answers = 0

    def close(self) -> None:
        """Close the connection; may be called again."""
        with contextlib.suppress(KeyError, RuntimeError):
            self._selector.unregister(self._socket)
        self._selector.close()
        self._socket.close()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: the peer has neither closed nor said more."""
        if not self._ended:
            self._pull()
        return not self._ended and not self._received

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send bytes until they are out, the peer closes or breaks off, or the time is over.

        What the peer sends meanwhile is kept for :meth:`answer`.
        """
        rest = memoryview(data)
        while rest and not self._ended and deadline.left:
            try:
                rest = rest[self._socket.send(rest[:_PIECE]) :]
                continue
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                patience = _ANSWERED_ALREADY_S if self._received else deadline.left
            except OSError as error:
                # An answer may have come before the peer stopped reading.
                self._trouble = f"broken off while sending: {_told(error)}"
                return
            ready = self._wait(_BOTH, min(patience, deadline.left))
            if ready & selectors.EVENT_READ:
                self._pull()
            elif not ready and self._received:
                return

    def shut_writing(self) -> None:
        """Say that nothing more will be sent, and keep on reading. Not for TLS."""
        if self._secured:
            raise ValueError("half of a TLS connection cannot be closed")
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def answer(self, deadline: Deadline, method: str = "POST") -> Answer:
        """Read the next answer; ``method`` is that of its request.

        After one that was not whole, no other can be read: they all have its error.
        """
        if self._broken is not None:
            return self._broken
        reading = _Reading(method)
        reused = self.answers > 0
        self.answers += 1
        timed_out = False
        while reading.wants_more():
            if self._received:
                data, self._received = self._received, b""
                reading.feed(data)
            elif self._ended:
                reading.feed(b"")
            elif not self._more(deadline):
                timed_out = True
                reading.error = f"no whole answer {deadline}"
        if reading.error and self._trouble:
            reading.error = self._trouble
        self._received = reading.rest
        self._ended = self._ended or reading.is_last
        answer = Answer(
            None if reading.error else reading.status,
            reading.headers,
            b"".join(reading.body),
            error=reading.error,
            timed_out=timed_out,
            seconds=deadline.passed,
            reused=reused,
        )
        self._broken = answer if reading.error else None
        return answer

    def _more(self, deadline: Deadline) -> bool:
        """Wait for bytes or the end of the connection; return whether either came in time."""
        while deadline.left and not self._received and not self._ended:
            self._pull()
            if not self._received and not self._ended:
                self._wait(selectors.EVENT_READ, deadline.left)
        return bool(self._received) or self._ended

    def _pull(self) -> None:
        """Take what has come, without waiting."""
        try:
            data = self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._trouble = self._trouble or f"broken off without an answer: {_told(error)}"
            data = b""
        self._received += data
        self._ended = self._ended or not data

    def _wait(self, events: int, seconds: float) -> int:
        self._selector.modify(self._socket, events)
        return next((ready for _, ready in self._selector.select(seconds)), 0)


def _told(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
