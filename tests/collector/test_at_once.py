"""Requests that are answered at once, in the midst of others that are not."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from harness import Collector
from harness.collector.http_app import HttpApp
from harness.serving.connection import HttpConnection
from tests.collector.test_http_connections import GOOD, LAST, address, talk

#: The head of a request over whose body the client takes its time.
SLOW = GOOD.removesuffix(b"{}")


class Transport(asyncio.Transport):
    """Keeps what is written, and is full after so many answers."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.room = room
        self.connection: HttpConnection

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        if len(self.written) == self.room:
            self.connection.pause_writing()

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways that requests to later collectors take, in their order."""
    ways: list[str] = []
    at_once, by_task = HttpApp._answer_at_once, HttpApp.__call__

    def count(self: HttpApp, *arguments: Any) -> bytes | None:
        ways.append("at once")
        return at_once(self, *arguments)

    async def task(self: HttpApp, scope: Any, receive: Any, send: Any) -> None:
        ways.append("task")
        await by_task(self, scope, receive, send)

    monkeypatch.setattr(HttpApp, "_answer_at_once", count)
    monkeypatch.setattr(HttpApp, "__call__", task)
    return ways


def test_whoever_does_not_read_answers_is_not_read_from() -> None:
    """What is written without being read is bounded, as it is where each request has its task."""

    async def feed() -> tuple[Transport, int]:
        answered = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("never comes to its turn")

        def answer(body: bytes) -> bytes:
            answered.append(body)
            return b"answer"

        config = Config(app, ws="none", lifespan="off", log_config=None)
        config.load()
        connection = HttpConnection(config, ServerState(), None, lambda: None, lambda scope: answer)
        transport = Transport(room=3)
        transport.connection = connection
        connection.connection_made(transport)
        connection.data_received(GOOD * 100)
        for task in connection.tasks:
            task.cancel()
        return transport, len(answered)

    transport, answered = asyncio.run(feed())
    # Each time so many as are put off at most.
    assert (len(transport.written), answered) == (3, 3 * 16)
    assert not transport.reading


def test_a_request_in_parts_takes_the_way_of_the_app(ways: list[str], collector: Collector) -> None:
    with socket.create_connection(address(collector), timeout=60) as client:
        for part in (GOOD, SLOW, b"{", b"}" + GOOD):
            client.sendall(part)
            if part is not SLOW and part != b"{":
                assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        client.sendall(LAST)
        while client.recv(65536):
            pass
    assert len(collector.exports) == 4
    assert all(export.body == b"{}" and not export.rejected for export in collector.exports)
    assert ways[0] == "at once"
    assert "task" in ways


def test_each_answer_stands_for_its_request(ways: list[str], collector: Collector) -> None:
    """In one packet: answered at once, refused at once, by a task, and what is no HTTP."""
    bad = GOOD.replace(b"{}", b"{]")
    unknown = GOOD.replace(b"/v1/logs", b"/v1/nothing")
    old = GOOD.replace(b"HTTP/1.1", b"HTTP/1.0").replace(
        b"Host: x", b"Host: x\r\nConnection: keep-alive"
    )
    answers = talk(collector, GOOD + bad + unknown + LAST)
    assert [part[:4] for part in answers.split(b"HTTP/1.1 ")[1:]] == [
        b"200 ",
        b"400 ",
        b"404 ",
        b"200 ",
    ]
    assert ways == ["at once"] * 3 + ["task"]
    assert [export.status for export in collector.exports] == [200, 400, 404, 200]
    assert talk(collector, old).startswith(b"HTTP/1.1 200")
    assert collector.exports[-1].http_version == "1.0"


def test_what_is_no_http_is_not_of_the_request_before_it(collector: Collector) -> None:
    answers = talk(collector, GOOD + b"\0\0\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200") == answers.count(b"HTTP/1.1 400") == 1
    good, broken = collector.exports
    assert (good.status, good.path) == (200, "/v1/logs")
    assert (broken.status, broken.path, broken.headers) == (400, "", ())


def test_broken_chunks_are_of_their_own_request(collector: Collector) -> None:
    chunked = GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")
    answers = talk(collector, GOOD + chunked.replace(b"{}", b"2\r\n{}\r\nnonsense\r\n"))
    assert answers.count(b"HTTP/1.1 200") == answers.count(b"HTTP/1.1 400") == 1
    collector.wait_for(lambda exports: len(exports) == 2, 60)
    assert [export.status for export in collector.exports] == [200, 400]
    assert collector.exports[1].path == "/v1/logs"


def test_each_request_has_the_head_of_its_own(collector: Collector) -> None:
    """What was found for a head is used for others of the same head only."""
    heads = [
        GOOD,
        GOOD.replace(b"Host: x", b"Host: x\r\nX-One: 1"),
        GOOD,
        GOOD.replace(b"/v1/logs", b"/v1/logs?two"),
        GOOD.replace(b"POST", b"PUT"),
        GOOD.replace(b"{}", b'{"resourceLogs":[]}').replace(b"Length: 2", b"Length: 19"),
    ]
    talk(collector, b"".join(heads) + LAST)
    seen = [(export.method, export.path, len(export.headers)) for export in collector.exports]
    assert seen == [
        ("POST", "/v1/logs", 3),
        ("POST", "/v1/logs", 4),
        ("POST", "/v1/logs", 3),
        ("POST", "/v1/logs?two", 3),
        ("PUT", "/v1/logs", 3),
        ("POST", "/v1/logs", 3),
        ("POST", "/v1/logs", 4),
    ]


def test_a_trailer_is_no_header_and_loses_no_export(collector: Collector) -> None:
    chunked = LAST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(
        b"Connection: close", b"X-First: 1"
    )
    trailed = chunked.replace(b"{}", b"2\r\n{}\r\n0\r\nX-Trailer: 2\r\n\r\n")
    talk(collector, GOOD + trailed + GOOD + LAST)
    assert [export.header("x-trailer") for export in collector.exports] == [None] * 4
