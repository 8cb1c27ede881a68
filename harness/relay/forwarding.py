"""Pass the requests of a live CLI on to a collector under test, and its answers back to the CLI."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable
from dataclasses import replace

import grpc

from ..capture.export import SENT, Export
from ..collector.answer import CollectorResponse, can_be_sent
from ..otlp.messages import ENCODINGS
from ..otlp.model import Protocol
from .answer import Answer
from .client import TIMEOUT_S, GrpcClient, HttpClient
from .closing import Closing
from .endpoint import Endpoint, shown
from .sending import partial, refusal, status_of

#: What belongs to one connection and not to the message, and what each side writes itself.
_OF_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"),
        *("host", "content-length", "proxy-connection", "date", "server"),
    }
)
#: Metadata that grpcio writes itself; it takes none of that name, but for the details of a status.
_OF_GRPC = ("grpc-", ":")
_STATUS_DETAILS = "grpc-status-details-bin"
_WRITTEN_BY_GRPC = frozenset({"user-agent", "content-type", "te"})
_BINARY = "-bin"

#: What a CLI is told where the collector gave no answer: as good as none, it may send again.
_NO_ANSWER = 502


class Forwarder(Closing):
    """A responder that asks a collector under test; a context manager.

    The request has the same path, headers and bytes, and is chunked if it was; so does the answer.
    Each connection of the CLI has one of its own to the collector. TLS ends here: the CLI speaks
    plain text to us. Where the collector gives no answer, the CLI is told that it may try again.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float = TIMEOUT_S) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._clients: dict[str, HttpClient | GrpcClient] = {}
        self._lock = threading.Lock()

    def respond(self, export: Export) -> CollectorResponse:
        """Send a request on, and return the answer. To be called from any thread."""
        with self._lock:
            client = self._clients.get(export.peer)
            if client is None:
                over_grpc = export.protocol is Protocol.GRPC
                client = GrpcClient(self._endpoint) if over_grpc else HttpClient(self._endpoint)
                self._clients[export.peer] = client
        answer = (
            self._call(client, export)
            if isinstance(client, GrpcClient)
            else self._send(client, export)
        )
        assert export.signal is not None, "only what is well-formed is asked about"
        assert export.protocol is not None, "only what is well-formed is asked about"
        said = partial(answer, export.signal, ENCODINGS[export.protocol])
        if isinstance(client, GrpcClient):
            return CollectorResponse(
                grpc_code=status_of(answer),
                message=answer.error or answer.details,
                headers=_sayable(filter(_is_metadata, answer.trailers)),
                body=answer.body,
                called=said,
            )
        if answer.status is None:
            return CollectorResponse(http_status=_NO_ANSWER, message=answer.error)
        if not 200 <= answer.status <= 599:
            odd = f"the collector answered with the status {answer.status}"
            return CollectorResponse(http_status=_NO_ANSWER, message=odd)
        return CollectorResponse(
            http_status=answer.status,
            message=refusal(answer),
            headers=_sayable((name.lower(), value) for name, value in _lasting(answer.headers)),
            body=answer.body,
            called=said,
        )

    def _send(self, client: HttpClient, export: Export) -> Answer:
        chunked = (export.header("transfer-encoding") or "").lower() == "chunked"
        return client.send(
            export.path,
            export.body,
            _lasting(export.headers),
            chunk_bytes=len(export.body) if chunked else 0,
            timeout_s=self._timeout_s,
            # The CLI was told the headers of the endpoint, and sends them itself.
            anonymous=True,
        )

    def _call(self, client: GrpcClient, export: Export) -> Answer:
        metadata = [
            (name, base64.b64decode(value) if name.endswith(_BINARY) else value)
            for name, value in filter(_is_metadata, export.headers)
        ]
        return client.call(
            export.path, export.body, metadata, timeout_s=self._timeout_s, anonymous=True
        )

    def close(self) -> None:
        """Close the connections to the collector."""
        for client in self._clients.values():
            client.close()


def as_sent(export: Export) -> Export:
    """Return a request of the CLI as one that was sent to the collector, without credentials."""
    rejected = export.rejected
    if export.protocol is Protocol.GRPC and export.status:
        (name,) = (code.name for code in grpc.StatusCode if code.value[0] == export.status)
        rejected = f"{name}: {rejected}"
    elif export.protocol is not Protocol.GRPC and not rejected and not 200 <= export.status < 300:
        rejected = f"HTTP {export.status}"
    headers = tuple(map(shown, export.headers))
    return replace(export, collector=SENT, rejected=rejected, headers=headers)


def _sayable(
    headers: Iterable[tuple[str, str | bytes]],
) -> tuple[tuple[str, str | bytes], ...]:
    """Return what can be said again of a collector's headers; the CLI reads none of the others."""
    return tuple(pair for pair in headers if can_be_sent(*pair))


def _lasting(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_CONNECTION]


def _is_metadata(pair: tuple[str, object]) -> bool:
    name, _ = pair
    if name == _STATUS_DETAILS:
        return True
    return not name.startswith(_OF_GRPC) and name not in _WRITTEN_BY_GRPC
