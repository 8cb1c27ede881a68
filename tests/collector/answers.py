"""Read answers from a socket."""

from __future__ import annotations

import http.client
import socket


def whole_answer(client: socket.socket) -> tuple[int, bytes]:
    """Read one answer to its end, in however many pieces it comes; return its status and body."""
    with http.client.HTTPResponse(client) as answer:
        answer.begin()
        return answer.status, answer.read()
