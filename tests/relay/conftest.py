"""An endpoint for scrapes that speaks TLS and wants a token."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from prometheus_client import CollectorRegistry, Gauge, make_wsgi_app

from harness.relay import certificates


@pytest.fixture
def guarded_url() -> Iterator[str]:
    """The URL of an endpoint at which `up` is 1 for whoever sends `Bearer right`."""
    registry = CollectorRegistry()
    Gauge("up", "", registry=registry).set(1)
    metrics = make_wsgi_app(registry)

    def app(environ: Any, start_response: Any) -> Any:
        if environ.get("HTTP_AUTHORIZATION") != "Bearer right":
            start_response("401 Unauthorized", [])
            return [b""]
        return metrics(environ, start_response)

    with make_server("127.0.0.1", 0, app) as server:
        server.socket = certificates.server().context().wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/metrics"
        finally:
            server.shutdown()
            thread.join()
