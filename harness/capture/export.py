"""One export request as it arrived; it is decoded once, when its content is first asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ..otlp import flatten
from ..otlp.codec import decode_request
from ..otlp.content import content_decode
from ..otlp.errors import DecodeError
from ..otlp.json_decode import Note
from ..otlp.messages import (
    ENCODINGS,
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from ..otlp.model import DataPoint, Event, Protocol, Signal, Span

#: The collector of a run that has no other.
MAIN = "main"

#: Stands for the collector in exports that we sent ourselves, to a collector under test.
SENT = "sent"

#: One lock for all exports: decoding is bound to the interpreter lock anyway, and
#: a lock in each export would cost the request path more than it gives.
_DECODING = threading.RLock()


@dataclass(frozen=True, slots=True)
class _Read:
    """The outcome of decoding an export: its content, or the reason why there is none."""

    content: bytes | None = None
    message: Request | None = None
    notes: tuple[Note, ...] = ()
    data_points: tuple[DataPoint, ...] = ()
    events: tuple[Event, ...] = ()
    spans: tuple[Span, ...] = ()
    error: DecodeError | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """One export request: its raw body and the transport facts.

    ``sequence`` is given by the store (see :func:`number`), or by the file it is read from.
    ``body`` is as received: HTTP bodies keep their content encoding (chunked
    framing removed), gRPC messages come decompressed from grpcio.  ``status``
    is the HTTP status, or the gRPC status code, that was answered; ``rejected``
    says why a request was refused and is empty for an accepted one.
    ``collector`` is the name of the collector that got it, where a run has several.
    ``answered`` is what a scripted answer is called, and ``given_up_unix_nano`` when the
    client would no longer wait for it (0: it got its answer).
    ``protocol`` and ``signal`` are ``None`` where the request names neither.
    ``peer_certificate`` is the common name in the certificate that the client showed
    (its fingerprint, ``sha256:…``, where it has none); empty without one.
    ``over_limit`` marks a request that was refused because it was larger than the collector
    takes, before or after decompression: a limit of ours, which no document names.
    What was shown rather than sent (see :mod:`harness.exposition`) has no protocol and no
    method: its body is OTLP/JSON.

    What is decoded is kept: each property costs its work once, from whatever
    thread it is asked first.  A body that cannot be decoded has no message and
    no items, and says why in ``decode_error``; it never raises.
    """

    sequence: int
    protocol: Protocol | None
    signal: Signal | None
    method: str
    path: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrived_unix_nano: int
    peer: str
    status: int
    rejected: str = ""
    collector: str = MAIN
    answered: str = ""
    given_up_unix_nano: int = 0
    peer_certificate: str = ""
    over_limit: bool = False
    _read: _Read | None = field(default=None, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        # Cheap, and without the number, which a new export does not have yet.
        return hash((self.arrived_unix_nano, self.peer, self.path))

    def header(self, name: str) -> str | None:
        """Return the first value of a header or gRPC metadata key (in any case), or None.

        ``name`` is the name of either.
        """
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def joined_headers(self) -> dict[str, str]:
        """Headers by name in lower case; distinct values of a repeated name are joined by ", "."""
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name.lower(), []).append(value)
        return {name: ", ".join(dict.fromkeys(several)) for name, several in values.items()}

    @property
    def encoding(self) -> Encoding | None:
        """The encoding that the protocol implies; ``None`` if the protocol is unknown."""
        if self.protocol is not None:
            return ENCODINGS[self.protocol]
        return None if self.method else Encoding.JSON

    @property
    def content(self) -> bytes | None:
        """The body without its content encoding; ``None`` if that cannot be undone."""
        return self._reading().content

    @property
    def message(self) -> Request | None:
        """The decoded request; ``None`` if there is a ``decode_error``."""
        return self._reading().message

    @property
    def notes(self) -> tuple[Note, ...]:
        """Deviations from the canonical form that were tolerated in decoding."""
        return self._reading().notes

    @property
    def data_points(self) -> tuple[DataPoint, ...]:
        """The data points of all metrics, in the order of the request."""
        return self._reading().data_points

    @property
    def events(self) -> tuple[Event, ...]:
        """The log records, in the order of the request."""
        return self._reading().events

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans, in the order of the request."""
        return self._reading().spans

    @property
    def items(self) -> tuple[DataPoint, ...] | tuple[Event, ...] | tuple[Span, ...]:
        """The data points, events or spans: whichever the signal has."""
        read = self._reading()
        return read.data_points or read.events or read.spans

    @property
    def decode_error(self) -> DecodeError | None:
        """Why there is no message; ``None`` when there is one."""
        return self._reading().error

    @property
    def counts(self) -> bool:
        """Whether it was accepted and can be decoded, as any collector would see it."""
        return not self.rejected and self.decode_error is None

    def _reading(self) -> _Read:
        read = self._read
        if read is None:
            with _DECODING:
                read = self._read
                if read is None:
                    read = _read_export(self)
                    object.__setattr__(self, "_read", read)
        return read


def number(export: Export, sequence: int) -> None:
    """Set the number of a new export in place; only the store may, before others can see it.

    A copy with the number would cost the request path more than all the rest of the store.
    """
    object.__setattr__(export, "sequence", sequence)


def _read_export(export: Export) -> _Read:
    content: bytes | None = None
    try:
        # grpcio has undone the compression of gRPC messages already.
        coding = "" if export.protocol is Protocol.GRPC else export.header("content-encoding")
        content = content_decode(export.body, coding or "")
        if export.signal is None:
            raise DecodeError("", "the request names no signal")
        encoding = export.encoding
        if encoding is None:
            raise DecodeError("", "the request names no OTLP encoding")
        decoded = decode_request(export.signal, encoding, content)
    except DecodeError as error:
        # The traceback would keep the decoder's frames, and so the body, alive.
        return _Read(content=content, error=error.with_traceback(None))
    message = decoded.message
    return _Read(
        content=content,
        message=message,
        notes=decoded.notes,
        data_points=flatten.data_points(message)
        if isinstance(message, ExportMetricsServiceRequest)
        else (),
        events=flatten.events(message) if isinstance(message, ExportLogsServiceRequest) else (),
        spans=flatten.spans(message) if isinstance(message, ExportTraceServiceRequest) else (),
    )
