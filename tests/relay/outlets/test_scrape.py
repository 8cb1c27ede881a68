"""The endpoint that is scraped is served by Prometheus' own client library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIServer

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)

from harness.capture.export import Export
from harness.errors import DeadlineExceeded
from harness.otlp.model import Signal
from harness.relay import certificates
from harness.relay.endpoint import ClientTls
from harness.relay.outlets.scrape import ScrapeOutlet

DEADLINE_S = 120.0


@contextmanager
def served(outlet: ScrapeOutlet, registry: CollectorRegistry) -> Iterator[WSGIServer]:
    port = int(outlet.placeholders()["scrape"].rpartition(":")[2])
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def value(name: str, wanted: float) -> Callable[[tuple[Export, ...]], Any]:
    def find(exports: tuple[Export, ...]) -> Any:
        last = exports[-1] if exports else None
        points = [p for p in last.data_points if p.metric.name == name] if last else []
        return [point for point in points if point.value == wanted]

    return find


@pytest.mark.parametrize("openmetrics", [True, False])
def test_a_counter_is_followed_under_the_name_that_is_served(openmetrics: bool) -> None:
    registry = CollectorRegistry()
    counter = Counter("tokens", "Tokens used", ["type"], registry=registry)
    outlet = ScrapeOutlet(openmetrics=openmetrics, interval_s=0.02)
    with outlet, served(outlet, registry):
        counter.labels("input").inc(3)
        outlet.wait_for(value("tokens_total", 3), DEADLINE_S, "three tokens")
        counter.labels("input").inc(2)
        [point] = outlet.wait_for(value("tokens_total", 5), DEADLINE_S, "five tokens")
    assert dict(point.attributes) == {"type": "input"}
    assert (point.metric.type, point.metric.monotonic) == ("sum", True)
    assert point.metric.temporality == "cumulative"
    assert point.metric.description == "Tokens used"
    if openmetrics:
        assert 0 < point.start_time_unix_nano <= point.time_unix_nano
    first = next(scrape for scrape in outlet.scrapes if not scrape.problem)
    assert first.url.endswith("/metrics")
    assert ("openmetrics" in first.content_type) is openmetrics
    for export in outlet.exports():
        assert (export.collector, export.signal, export.rejected) == ("scrape", Signal.METRICS, "")
        assert export.decode_error is None


def test_over_tls_with_credentials(guarded_url: str) -> None:
    trusting = certificates.client(certified=False)
    known = {"authorization": "Bearer right"}

    def scraped(**facts: Any) -> ScrapeOutlet:
        with ScrapeOutlet(url=guarded_url, interval_s=DEADLINE_S, **facts) as outlet:
            outlet.exports()
        return outlet

    assert value("up", 1)(scraped(headers=known, tls=trusting).exports())
    stranger, doubting = scraped(tls=trusting), scraped(headers=known, tls=ClientTls())
    assert "401" in stranger.scrapes[0].problem
    assert "CERTIFICATE_VERIFY_FAILED" in doubting.scrapes[0].problem
    assert stranger.exports() == doubting.exports() == ()


def test_equal_scrapes_in_a_row_are_told_once() -> None:
    registry = CollectorRegistry()
    Gauge("up", "", registry=registry).set(1)
    outlet = ScrapeOutlet(interval_s=0.02)
    with outlet, served(outlet, registry):
        outlet.wait_for(value("up", 1), DEADLINE_S)
        assert len(outlet.exports()) == len(outlet.exports()) == 1


def test_parts_of_a_histogram_are_series_of_their_own() -> None:
    registry = CollectorRegistry()
    Histogram("took", "", buckets=(1.0,), registry=registry).observe(0.5)
    outlet = ScrapeOutlet(interval_s=0.02)
    with outlet, served(outlet, registry):
        outlet.wait_for(value("took_count", 1), DEADLINE_S)
    points = {
        (point.metric.name, point.attributes.get("le")): (point.metric.type, point.value)
        for point in outlet.exports()[-1].data_points
    }
    assert points == {
        ("took_bucket", "1.0"): ("sum", 1.0),
        ("took_bucket", "+Inf"): ("sum", 1.0),
        ("took_count", None): ("sum", 1.0),
        ("took_sum", None): ("sum", 0.5),
    }


def test_that_nothing_listens_is_told_and_waited_out() -> None:
    registry = CollectorRegistry()
    Gauge("up", "", registry=registry).set(1)
    outlet = ScrapeOutlet(interval_s=0.02)
    with outlet:
        with pytest.raises(DeadlineExceeded, match="scrape: any"):
            outlet.wait_for(lambda exports: exports, 0.1, "any")
        with served(outlet, registry):
            outlet.wait_for(value("up", 1), DEADLINE_S)
    assert outlet.scrapes[0].problem
    assert not outlet.scrapes[1].problem
    assert outlet.scrapes[-1].problem  # the last look, when it was gone again
