"""What the probes saw: each request, and how it was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent. ``size`` counts the bytes of the body; ``framing`` says how its end is told.

    ``path`` is the method over gRPC, where the rest of HTTP is empty.
    """

    method: str
    path: str
    content_type: str
    content_encoding: str
    framing: str
    size: int


@dataclass(frozen=True, slots=True)
class Probed:
    """One request of a probe and its answer.

    ``number`` counts the requests of the probe from 1. ``marker`` is the word that its item
    carries, empty where none is to come out. ``odd`` is that of an odd item beside it, which a
    server may reject by itself.

    ``status`` is the HTTP status, or gRPC's code by its name; empty without an answer, and then
    ``error`` says why. ``content_type`` is that of the answer. ``body`` is its content, read in the
    encoding of the request: that of an ``Export…ServiceResponse`` after a success, of a
    ``google.rpc.Status`` after an error; ``body_error`` says why it cannot be read. Over gRPC a
    Status is made of the message and the details. ``content_encoding`` and ``retry_after`` are the
    headers of the answer by these names, empty without them.
    ``reused``: the request went over a connection that had carried another one.
    """

    probe: str
    group: str
    number: int
    signal: str
    marker: str
    odd: str
    request: Request
    status: str
    content_type: str
    content_encoding: str
    retry_after: str
    body: object
    body_error: str
    error: str
    seconds: float
    reused: bool


@dataclass(frozen=True, slots=True)
class Probes(Observation):
    """All requests of a run, in the order of the probes."""

    NAME: ClassVar[str] = "receiving"

    probed: tuple[Probed, ...]
