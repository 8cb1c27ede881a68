"""What real backends say of what the real collector passes on to them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.export import SENT
from harness.relay.ports import free_port
from harness.relay_themes.series.totals import equal
from tests.collectors import truth
from tests.collectors.backends import Prometheus
from tests.collectors.page import SUMS
from tests.collectors.sessions import BILLED, TOKENS, pipeline, tokens, witness
from tests.collectors.table import rows

if TYPE_CHECKING:
    from tests.collectors.conftest import InProcess, Warehouse

TOTAL = 'sum(claude_code_token_usage_tokens_total{session_id="s"})'
NOWHERE = "http://127.0.0.1:9"


def written(name: str) -> list[dict[str, Any]]:
    """Return what docs/collectors.md shows of a pipeline's sums."""
    found: list[dict[str, Any]] = json.loads(SUMS.read_text(encoding="utf-8"))
    return [row for row in found if row["pipeline"] == name]


@pytest.mark.parametrize("name", ["scrape", "scrape_cumulative"])
def test_prometheus_says_what_the_finding_says(
    name: str, otelcol: Path, prometheus: Path, in_process: InProcess, tmp_path: Path
) -> None:
    sums = truth.in_prometheus(name, otelcol, prometheus, in_process, tmp_path)
    assert len(sums) >= 8
    for each in sums.values():
        assert equal(each.found, each.stored), sums
    assert rows(name, "Prometheus", sums) == written(name), "run: python -m tests.collectors.table"
    tokens_of_all = sums["claude_code.token.usage"]
    assert equal(tokens_of_all.sent, tokens_of_all.stored) is (name == "scrape_cumulative")


@pytest.mark.parametrize(
    ("name", "shown", "counted"),
    [
        # Whatever does not join onto what was before replaces it, and reads as a reset.
        ("scrape", (1046, 2129, 1120, 2351), 1083 + 1120 + (2351 - 1120)),
        # The first value of a series is nothing to increase().
        ("scrape_cumulative", (1046, 2129, 3249, BILLED), BILLED - 1046),
    ],
    ids=["deltas", "cumulative"],
)
def test_prometheus_counts_an_increase(
    name: str,
    shown: Sequence[float],
    counted: float,
    otelcol: Path,
    prometheus: Path,
    tmp_path: Path,
) -> None:
    target = f"127.0.0.1:{free_port()}"
    places = {"scrape": target, "http_out": NOWHERE}
    now = time.time_ns()
    with (
        pipeline(otelcol, name, tmp_path, places) as running,
        Prometheus(prometheus, tmp_path / "prometheus", scrape=target) as backend,
    ):
        for number, value in enumerate(shown):
            running.post("metrics", tokens(number, now))
            assert backend.await_value(TOTAL, partial(math.isclose, value)) == value
        series = 'claude_code_token_usage_tokens_total{session_id="s"}'
        at = time.time()
        increase = backend.value(f"increase({series}[10m])", at)
        samples = backend.value(f"count_over_time({series}[10m])", at)
    # It extrapolates: before the first sample by half an interval, after the last one by up to 1.1
    # intervals. So it may also tell of more than was billed.
    assert counted <= increase * (1 + 1e-9)
    assert increase <= counted * (1 + 1.6 / (samples - 1)) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("remote_write", None), ("remote_write_cumulative", BILLED)],
    ids=["deltas", "cumulative"],
)
def test_prometheus_is_written_what_was_billed_or_nothing(
    name: str, shown: float | None, otelcol: Path, prometheus: Path, tmp_path: Path
) -> None:
    now = time.time_ns()
    with Prometheus(prometheus, tmp_path / "prometheus") as backend:
        places = {"write": backend.write_url, "http_out": NOWHERE}
        with pipeline(otelcol, name, tmp_path, places) as running:
            for number in range(len(TOKENS)):
                running.post("metrics", tokens(number, now))
            running.post("metrics", witness())
            assert backend.await_value("witness", lambda value: value == 1) == 1
            if shown is None:
                assert backend.query(TOTAL) == []
            else:
                assert backend.await_value(TOTAL, lambda value: value == shown) == shown


def test_clickhouse_stores_what_was_sent(
    otelcol: Path, clickhouse: Warehouse, in_process: InProcess, tmp_path: Path
) -> None:
    with clickhouse(tmp_path / "clickhouse") as backend:
        sums, capture = truth.in_clickhouse(otelcol, backend, in_process, tmp_path)
        assert len(sums) >= 8
        for each in sums.values():
            assert equal(each.sent, each.stored), sums
        assert rows("clickhouse", "ClickHouse", sums) == written("clickhouse")
        sent = [export for export in capture.exports if export.collector == SENT]
        assert backend.sql("SELECT count() FROM otel.otel_logs") == [
            [sum(len(export.events) for export in sent)]
        ]
        assert backend.sql("SELECT count() FROM otel.otel_traces") == [
            [sum(len(export.spans) for export in sent)]
        ]
        # A map of texts knows no other types, and of an empty list its form alone.
        assert backend.sql(
            "SELECT DISTINCT toTypeName(LogAttributes), LogAttributes['managed_settings.sources'] "
            "FROM otel.otel_logs WHERE LogAttributes['event.name'] = 'managed_settings_resolved'"
        ) == [["Map(LowCardinality(String), String)", "[]"]]


def test_clickhouse_says_what_is_wrong_with_a_query(clickhouse: Warehouse, tmp_path: Path) -> None:
    with (
        clickhouse(tmp_path / "clickhouse") as backend,
        pytest.raises(AssertionError, match="UNKNOWN_TABLE"),
    ):
        backend.sql("SELECT * FROM no_such_table")
