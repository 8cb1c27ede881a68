"""The proxy before a collector: it relays, counts, shuts and opens again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from harness import Collector
from harness.fakes.fault_proxy import FaultProxy


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
    with FaultProxy((collector.http_port, collector.grpc_port)) as proxy:
        assert proxy.port(collector.http_port) not in (collector.http_port, collector.grpc_port)
        assert [post(proxy.port(collector.http_port)) for _ in range(2)] == [200, 200]
        with socket.create_connection(("127.0.0.1", proxy.port(collector.grpc_port))) as client:
            assert client.recv(1)  # the server's settings: HTTP/2 speaks first
        assert len(proxy.connections) == 3
    assert len(collector.exports) == 2


def test_a_shut_door_refuses_and_an_opened_one_relays(collector: Collector) -> None:
    with FaultProxy((collector.http_port,), is_open=False) as proxy:
        port = proxy.port(collector.http_port)
        with pytest.raises(ConnectionRefusedError):
            post(port)
        proxy.open()
        proxy.open()
        assert post(port) == 200
        assert post(port) == 200
        assert len(proxy.connections) == 2
        assert len(proxy.openings) == 1
    with pytest.raises(ConnectionRefusedError):
        post(port)


def test_a_request_may_be_cut_off_in_the_middle(collector: Collector) -> None:
    with FaultProxy((collector.http_port,)) as proxy:
        port = proxy.port(collector.http_port)
        assert (proxy.cuts, proxy.openings) == ((), ())
        proxy.cut()
        with pytest.raises(ConnectionError):
            post(port, b'{"resourceLogs": []}' + b" " * 1000)
        assert post(port) == 200
        assert len(proxy.cuts) == 1
    assert [export.status for export in collector.exports if not export.rejected] == [200]


def test_what_is_shorter_than_a_request_is_not_cut_off(collector: Collector) -> None:
    with FaultProxy((collector.http_port,)) as proxy:
        proxy.cut()
        assert post(proxy.port(collector.http_port)) == 200
        assert proxy.cuts == ()


def test_a_connection_with_nothing_behind_is_counted_and_cut_off() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        behind = bound.getsockname()[1]
        with (
            FaultProxy((behind,)) as proxy,
            pytest.raises(ConnectionError),
        ):
            post(proxy.port(behind))
        assert len(proxy.connections) == 1
