"""The forward proxy: tunnels, requests in absolute form, and what it refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection

import pytest

from harness import Collector
from harness.fakes.http_proxy import HttpProxy, ProxyRequest

PLACE = "collector.invalid:4318"
HEADERS = {"content-type": "application/json"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def proxy(collector: Collector) -> Iterator[HttpProxy]:
    with HttpProxy({PLACE: collector.http_port}) as proxy:
        yield proxy


def port_of(proxy: HttpProxy) -> int:
    return int(proxy.url.rpartition(":")[2])


def in_absolute_form(proxy: HttpProxy, place: str, **headers: str) -> tuple[int, str | None]:
    with closing(HTTPConnection("127.0.0.1", port_of(proxy), timeout=30)) as client:
        client.request("POST", f"http://{place}/v1/logs?x=1", b"{}", {**HEADERS, **headers})
        answer = client.getresponse()
        answer.read()
        return answer.status, answer.getheader("connection")


def test_a_request_in_absolute_form_arrives_in_origin_form(
    collector: Collector, proxy: HttpProxy
) -> None:
    assert in_absolute_form(proxy, PLACE, **{"Proxy-Authorization": "Basic eA=="}) == (200, "close")
    (export,) = collector.exports
    assert export.path == "/v1/logs?x=1"
    assert export.header("host") == PLACE
    assert export.header("proxy-authorization") is None
    assert proxy.requests == (ProxyRequest(False, PLACE, "Basic eA==", True),)


def test_a_tunnel_carries_several_requests(collector: Collector, proxy: HttpProxy) -> None:
    with closing(HTTPConnection("127.0.0.1", port_of(proxy), timeout=30)) as client:
        client.set_tunnel("collector.invalid", 4318)
        for _ in range(2):
            client.request("POST", "/v1/logs", b"{}", HEADERS)
            answer = client.getresponse()
            answer.read()
            assert answer.status == 200
    assert len(collector.exports) == 2
    assert proxy.requests == (ProxyRequest(True, PLACE, "", True),)


def test_it_leads_nowhere_else(proxy: HttpProxy, collector: Collector) -> None:
    assert in_absolute_form(proxy, "example.org")[0] == 403
    with closing(HTTPConnection("127.0.0.1", port_of(proxy), timeout=30)) as client:
        client.set_tunnel("127.0.0.1", collector.http_port)
        with pytest.raises(OSError, match="403"):
            client.request("GET", "/")
    assert [(r.target, r.passed_on) for r in proxy.requests] == [
        ("example.org:80", False),
        (f"127.0.0.1:{collector.http_port}", False),
    ]
    assert collector.exports == ()


def test_a_way_with_nothing_at_its_end_is_no_good(proxy: HttpProxy) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        proxy.lead("nobody.invalid:80", bound.getsockname()[1])
        assert in_absolute_form(proxy, "nobody.invalid")[0] == 502


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_what_is_no_request_to_a_proxy_is_refused(proxy: HttpProxy, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port_of(proxy)), timeout=30) as client:
        client.sendall(sent)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    assert proxy.requests == ()


def test_it_ends_with_a_tunnel_open_and_with_an_unfinished_request(collector: Collector) -> None:
    with ExitStack() as clients:
        with HttpProxy({PLACE: collector.http_port}) as proxy:
            place = ("127.0.0.1", port_of(proxy))
            tunnel = clients.enter_context(socket.create_connection(place, timeout=30))
            tunnel.sendall(f"CONNECT {PLACE} HTTP/1.1\r\n\r\n".encode())
            assert b" 200 " in tunnel.recv(100)
            unfinished = clients.enter_context(socket.create_connection(place, timeout=30))
            unfinished.sendall(b"CONNECT ")
        assert tunnel.recv(100) == b""
        with suppress(ConnectionResetError):
            assert unfinished.recv(100) == b""


def test_what_it_neither_leads_to_nor_was_to_refuse_is_elsewhere(proxy: HttpProxy) -> None:
    proxy.refuse("refused.invalid:80")
    for place in (PLACE, "refused.invalid:80", "unforeseen.invalid:80", "unforeseen.invalid:80"):
        in_absolute_form(proxy, place)
    assert proxy.elsewhere == ("unforeseen.invalid:80",)
