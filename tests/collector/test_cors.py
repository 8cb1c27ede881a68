"""A browser asks before it exports to another origin than that of its page."""

from __future__ import annotations

import http.client
from contextlib import closing

import pytest

from harness import Collector
from tests.collector.test_http_connections import address

PREFLIGHT = {
    "Origin": "http://page.test",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-tenant",
}
EXPORT = {"Origin": "http://page.test", "Content-Type": "application/json"}


def answer(
    collector: Collector, method: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str]]:
    with closing(http.client.HTTPConnection(*address(collector), timeout=60)) as client:
        client.request(method, "/v1/logs", body, headers)
        got = client.getresponse()
        got.read()
        return got.status, {name.lower(): value for name, value in got.getheaders()}


@pytest.mark.parametrize("allowed", ["http://page.test", "*"])
def test_an_origin_that_is_allowed_may_export(allowed: str) -> None:
    with Collector(allow_origins=("http://other.test", allowed)) as collector:
        status, headers = answer(collector, "OPTIONS", PREFLIGHT)
        assert status == 204
        assert headers["access-control-allow-origin"] == "http://page.test"
        assert headers["access-control-allow-methods"] == "POST"
        assert headers["access-control-allow-headers"] == "content-type,x-tenant"
        assert not collector.exports
        status, headers = answer(collector, "POST", EXPORT, b"{}")
        assert (status, headers["access-control-allow-origin"]) == (200, "http://page.test")
        refused, headers = answer(collector, "POST", EXPORT, b"no JSON")
        assert (refused, headers["access-control-allow-origin"]) == (400, "http://page.test")
        assert [each.status for each in collector.exports] == [200, 400]


@pytest.mark.parametrize("origins", [(), ("http://other.test",)])
def test_nobody_else_may(origins: tuple[str, ...]) -> None:
    """By default nobody, as before."""
    with Collector(allow_origins=origins) as collector:
        status, headers = answer(collector, "OPTIONS", PREFLIGHT)
        assert (status, headers.get("allow")) == (405, "POST")
        assert "access-control-allow-origin" not in headers
        _, headers = answer(collector, "POST", EXPORT, b"{}")
        assert "access-control-allow-origin" not in headers
