"""Responses of the collector other than full success, as a test can script them."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..capture.export import Export
from ..errors import HarnessError
from ..otlp.model import Protocol

#: What both HTTP and gRPC take as the name of a header.
_NAME = re.compile(r"[0-9a-z_.-]+")

#: What both take as its value; gRPC has other bytes only under names that end in ``-bin``.
_VALUE = re.compile(r"[\x20-\x7e]*")

_BINARY = "-bin"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CollectorResponse:
    """A scripted response to one export request, for OTLP/HTTP and OTLP/gRPC.

    ``http_status`` is the status over OTLP/HTTP (200 to 599), ``grpc_code`` (a number from 0, OK,
    to 16) the one over OTLP/gRPC. ``called`` is the response's name in the capture. ``message``
    goes into the ``google.rpc.Status`` body of an HTTP error or is the gRPC status message.
    ``headers`` are added to the response headers (HTTP) or sent as trailing metadata (gRPC); a
    ``content-type`` replaces that of the request and is for HTTP only. Their names are in lower
    case, their values printable ASCII, or bytes where the name ends in ``-bin`` (which are
    base64 over HTTP). ``body`` replaces the response body or response message. The response is
    sent after ``hold_s`` seconds, unless the client gives up before that.

    Raises ValueError for anything that could not be sent as it is given.
    """

    http_status: int = 200
    grpc_code: int = 0
    message: str = ""
    headers: tuple[tuple[str, str | bytes], ...] = ()
    body: bytes | None = None
    called: str = ""
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        status, code, seconds = self.http_status, self.grpc_code, self.hold_s
        _expect(
            isinstance(status, int) and 200 <= status <= 599,
            "http_status: expected a number from 200 to 599",
            status,
        )
        _expect(
            isinstance(code, int) and 0 <= code <= 16,
            "grpc_code: expected a number from 0 to 16",
            code,
        )
        _expect(
            # Surrogates are what str can hold and no encoding can send.
            isinstance(self.message, str) and not _SURROGATE.search(self.message),
            "message: expected text that UTF-8 can encode",
            self.message,
        )
        _expect(
            self.body is None or isinstance(self.body, bytes),
            "body: expected bytes or None",
            self.body,
        )
        _expect(
            isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0,
            "hold_s: expected a finite number of seconds, 0 or more",
            seconds,
        )
        for name, value in self.headers:
            _expect(_is_name(name), "headers: expected a name of a-z, 0-9, '_', '-', '.'", name)
            wanted = "bytes" if name.endswith(_BINARY) else "printable ASCII"
            _expect(can_be_sent(name, value), f"the header {name!r}: expected {wanted}", value)


def _expect(holds: bool, what: str, seen: object) -> None:
    if not holds:
        raise ValueError(f"CollectorResponse: {what}, saw {seen!r}")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def can_be_sent(name: str, value: object) -> bool:
    """Return whether a header can be sent over both protocols, as :class:`CollectorResponse` says.

    HTTP alone would take more of them.
    """
    if not _is_name(name):
        return False
    if name.endswith(_BINARY):
        return isinstance(value, bytes)
    return isinstance(value, str) and _VALUE.fullmatch(value) is not None


def encoded(headers: Iterable[tuple[str, str | bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Return headers as HTTP sends them: bytes as base64, which gRPC does by itself."""
    return tuple(
        (name.encode(), value.encode() if isinstance(value, str) else base64.b64encode(value))
        for name, value in headers
    )


#: Asked for every well-formed export, after it arrived and before it is stored and
#: answered; ``None`` means full success.  Runs on the server's own thread: it must not
#: block, unless the collector was told that it does.  An answer that is an error marks the
#: export as rejected.  What it raises is answered as an internal error, and raised again when the
#: collector's ``with`` block ends.
Responder = Callable[[Export], CollectorResponse | None]


class Asking:
    """Asks a responder how to answer exports, and keeps the first thing that it raised.

    May be asked from several threads.
    """

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._raised: tuple[Export, BaseException] | None = None

    def ask(self, export: Export) -> tuple[Export, CollectorResponse | None]:
        """Return ``export`` with the status that it is answered with, and the answer.

        If the responder raises, the client gets an internal error, and the export's ``rejected``
        says why. Nothing is raised here: that must not cost us the export.
        """
        try:
            answer = self._responder(export)
            if answer is not None and not isinstance(answer, CollectorResponse):
                raise TypeError(f"expected a CollectorResponse or None, saw {answer!r}")
        except BaseException as error:  # pytest.fail() is no Exception
            self._raised = self._raised or (export, error)
            said = f"responder raised {error!r}".encode("utf-8", "backslashreplace").decode()
            answer = CollectorResponse(http_status=500, grpc_code=13, message=said)
        if answer is None:
            return export, None
        if export.protocol is Protocol.GRPC:
            status, refused = answer.grpc_code, answer.grpc_code != 0
        else:
            status, refused = answer.http_status, answer.http_status >= 400
        reason = (answer.message or "refused by the responder") if refused else export.rejected
        return replace(export, answered=answer.called, status=status, rejected=reason), answer

    def check(self) -> None:
        """Raise HarnessError if the responder raised anything, from that."""
        if self._raised is not None:
            export, error = self._raised
            raise HarnessError(
                f"the responder of the collector raised {error!r} for {export.method} {export.path}"
            ) from error
