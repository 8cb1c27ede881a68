"""One export request as it arrived, decoded once and only when asked."""

from __future__ import annotations

from dataclasses import dataclass

from harness.otlp.model import Protocol, Signal


@dataclass(slots=True, eq=False)
class Export:
    """The raw request and the transport facts.

    ``body`` is as received: HTTP bodies keep their content encoding (chunked
    framing removed), gRPC messages come decompressed from grpcio.  ``status``
    is the HTTP status, or the gRPC status code, that was answered; ``rejected``
    says why a request was refused and is empty for an accepted one.
    ``protocol`` and ``signal`` are ``None`` where the request names neither.
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
