"""The door before a collector: it relays, counts, shuts and opens again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from harness.collector import Collector
from harness.fakes.fault_proxy import Door


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def post(port: int, body: bytes = b"{}") -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("POST", "/v1/logs", body, {"content-type": "application/json"})
        answer = client.getresponse()
        answer.read()
        return answer.status


def test_what_passes_is_relayed_and_every_connection_counted(collector: Collector) -> None:
    with Door((collector.http_port, collector.grpc_port)) as door:
        assert door.port(collector.http_port) not in (collector.http_port, collector.grpc_port)
        assert [post(door.port(collector.http_port)) for _ in range(2)] == [200, 200]
        with socket.create_connection(("127.0.0.1", door.port(collector.grpc_port))) as client:
            assert client.recv(1)  # the server's settings: HTTP/2 speaks first
        assert len(door.knocks) == 3
    assert len(collector.exports) == 2


def test_a_shut_door_refuses_and_an_opened_one_relays(collector: Collector) -> None:
    with Door((collector.http_port,), is_open=False) as door:
        port = door.port(collector.http_port)
        with pytest.raises(ConnectionRefusedError):
            post(port)
        door.open()
        door.open()
        assert post(port) == 200
        assert post(port) == 200
        assert len(door.knocks) == 2
        assert len(door.openings) == 1
    with pytest.raises(ConnectionRefusedError):
        post(port)


def test_a_request_may_be_cut_off_in_the_middle(collector: Collector) -> None:
    with Door((collector.http_port,)) as door:
        port = door.port(collector.http_port)
        assert (door.cuts, door.openings) == ((), ())
        door.cut()
        with pytest.raises((ConnectionResetError, RemoteDisconnected)):
            post(port, b'{"resourceLogs": []}' + b" " * 1000)
        assert post(port) == 200
        assert len(door.cuts) == 1
    assert [export.status for export in collector.exports if not export.rejected] == [200]


def test_what_is_shorter_than_a_request_is_not_cut_off(collector: Collector) -> None:
    with Door((collector.http_port,)) as door:
        door.cut()
        assert post(door.port(collector.http_port)) == 200
        assert door.cuts == ()


def test_who_knocks_where_nothing_is_behind_is_counted_and_cut_off() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        behind = bound.getsockname()[1]
        with Door((behind,)) as door, pytest.raises((ConnectionResetError, RemoteDisconnected)):
            post(door.port(behind))
        assert len(door.knocks) == 1
