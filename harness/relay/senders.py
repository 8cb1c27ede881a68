"""Send requests over HTTP as few clients do: in pieces, half-closed, ahead of the answers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .answer import Answer, Deadline
from .client import TIMEOUT_S, unreachable
from .endpoint import Endpoint
from .wire import Connection


def send_slowly(
    endpoint: Endpoint,
    request: bytes,
    *,
    pieces: int = 5,
    pause_s: float = 0.1,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """Send the bytes of a request in ``pieces`` with a pause after each but the last."""
    deadline = Deadline(timeout_s)
    try:
        connection = Connection(endpoint, deadline)
    except OSError as error:
        return unreachable(error, deadline)
    step = -(-len(request) // pieces)
    with connection:
        for start in range(0, len(request), step):
            if start:
                time.sleep(pause_s)
            connection.send(request[start : start + step], deadline)
        return connection.answer(deadline)


def send_half_closed(endpoint: Endpoint, request: bytes, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Send the bytes of a request, close the writing side, and wait for the answer. Not for TLS."""
    deadline = Deadline(timeout_s)
    try:
        connection = Connection(endpoint, deadline)
    except OSError as error:
        return unreachable(error, deadline)
    with connection:
        connection.send(request, deadline)
        connection.shut_writing()
        return connection.answer(deadline)


def send_pipelined(
    endpoint: Endpoint, requests: Sequence[bytes], *, timeout_s: float = TIMEOUT_S
) -> tuple[Answer, ...]:
    """Send the bytes of all requests at once, then read as many answers."""
    deadline = Deadline(timeout_s)
    try:
        connection = Connection(endpoint, deadline)
    except OSError as error:
        return (unreachable(error, deadline),) * len(requests)
    with connection:
        connection.send(b"".join(requests), deadline)
        return tuple(connection.answer(deadline) for _ in requests)
