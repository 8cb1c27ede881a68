"""Send export requests to a collector under test, and keep each with its answer as an export."""

from __future__ import annotations

import grpc

from ..capture.export import SENT, Export
from ..clock import time_ns
from ..errors import UsageError
from ..otlp.messages import ENCODINGS, Encoding
from ..otlp.model import Protocol, Signal
from .answer import Answer
from .answer_bodies import partial_success, rejected, success
from .client import EXPORT_METHODS, GrpcClient, HttpClient
from .closing import Closing
from .endpoint import Endpoint

#: Bodies that say nothing of rejected items, in either encoding.
_FULL_SUCCESS = (b"", b"{}")


class Sender(Closing):
    """A client that exports over one protocol on one connection; a context manager."""

    def __init__(self, endpoint: Endpoint, protocol: Protocol) -> None:
        if not endpoint.speaks(protocol):
            raise UsageError("--cc-collector", seen=endpoint.url, expected=f"a URL for {protocol}")
        self._protocol = protocol
        self._endpoint = endpoint
        grpc_spoken = protocol is Protocol.GRPC
        self._client = GrpcClient(endpoint) if grpc_spoken else HttpClient(endpoint)

    def send(self, signal: Signal, body: bytes) -> Export:
        """Send one request, and return it with what was answered."""
        sent_unix_nano = time_ns()
        headers: tuple[tuple[str, str], ...] = ()
        if isinstance(self._client, GrpcClient):
            path = EXPORT_METHODS[signal]
            answer = self._client.call(path, body)
        else:
            path = f"/v1/{signal}"
            headers = (("content-type", ENCODINGS[self._protocol].value),)
            answer = self._client.send(path, body, headers)
        return Export(
            sequence=1,
            protocol=self._protocol,
            signal=signal,
            method="POST",
            path=path,
            http_version="2" if self._protocol is Protocol.GRPC else "1.1",
            headers=(*headers, *self._endpoint.shown_headers),
            body=body,
            arrived_unix_nano=sent_unix_nano,
            peer=self._endpoint.authority,
            status=status_of(answer),
            rejected=refusal(answer),
            answered=partial(answer, signal, ENCODINGS[self._protocol]),
            collector=SENT,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def status_of(answer: Answer) -> int:
    """Return the HTTP status or the number of the gRPC code; 0 over HTTP without an answer."""
    if answer.status is not None:
        return answer.status
    if not answer.code:
        return 0 if not answer.error else grpc.StatusCode.UNAVAILABLE.value[0]
    number: int = grpc.StatusCode[answer.code].value[0]
    return number


def refusal(answer: Answer) -> str:
    """Return why a request was not accepted; empty if it was."""
    if answer.error:
        return answer.error
    if answer.status is not None:
        return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
    return "" if answer.code == "OK" else f"{answer.code}: {answer.details}".removesuffix(": ")


def partial(answer: Answer, signal: Signal, encoding: Encoding) -> str:
    """Return what the answer says of items that were rejected; empty if nothing was."""
    count, told = rejected_items(answer, signal, encoding)
    return f"{count} items rejected{f': {told}' if told else ''}" if count else ""


def rejected_items(answer: Answer, signal: Signal, encoding: Encoding) -> tuple[int, str]:
    """Return how many items of an accepted request were rejected, and what is said about it."""
    if answer.body in _FULL_SUCCESS or refusal(answer):
        return 0, ""
    coding = answer.header("content-encoding") or ""
    told = partial_success(success(signal, encoding, answer.body, coding).value)
    return rejected(told), str((told or {}).get("errorMessage", ""))


def endpoint_for(protocol: Protocol, endpoints: tuple[Endpoint, ...]) -> Endpoint | None:
    """Return the endpoint that speaks ``protocol``; None if there is none."""
    return next((endpoint for endpoint in endpoints if endpoint.speaks(protocol)), None)
