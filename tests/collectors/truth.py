"""Send recorded sessions through a pipeline, and ask the backend behind it for the sums.

``sent`` is the ground truth, ``found`` what the plugin's finding says of the same run, ``stored``
what the backend answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.capture import files
from harness.capture.capture import Capture
from harness.relay.ports import free_port
from harness.relay_themes.series.measures import totals
from harness.relay_themes.series.totals import equal, truths
from tests.collectors import sessions
from tests.collectors.backends import DEADLINE_S, ClickHouse, Prometheus
from tests.collectors.judging import PASSING, Pytest, failing, judged
from tests.collectors.judging import pipeline as options
from tests.collectors.shapes import SHAPES
from tests.processes import ask

#: Stands in clickhouse.yaml for the address of the server.
_CLICKHOUSE = "${env:CC_OTEL_CLICKHOUSE}"


@dataclass(frozen=True, slots=True)
class Sum:
    """One metric: its sum as it was sent, as a finding has it, and as a backend answers."""

    sent: float
    found: float
    stored: float


def in_prometheus(
    name: str, otelcol: Path, prometheus: Path, pytest: Pytest, folder: Path
) -> Mapping[str, Sum]:
    """Let Prometheus scrape a pipeline that the plugin judges as it runs."""
    scrape, downstream = (f"127.0.0.1:{free_port()}" for _ in range(2))
    places = {"scrape": scrape, "http_out": f"http://{downstream}"}
    with (
        sessions.pipeline(otelcol, name, folder, places) as running,
        Prometheus(prometheus, folder / "prometheus", scrape=scrape) as backend,
    ):
        judged(
            pytest,
            folder / "report",
            f"--cc-collector=http://{running.http_in}",
            f"--cc-collector-out=scrape:http://{scrape}/metrics,http://{downstream}",
            f"--cc-captures={folder / 'kept'}",
            *PASSING,
        )
        found = _found(_capture(folder / "kept"))

        def stored() -> dict[str, float]:
            return {
                metric: backend.value(f"sum({' or '.join(each.names)})")
                for metric, each in found.items()
            }

        return _settled(found, stored)


def in_clickhouse(
    otelcol: Path, backend: ClickHouse, pytest: Pytest, folder: Path
) -> tuple[Mapping[str, Sum], Capture]:
    """Let ClickHouse store what passes through the pipeline that the plugin judges."""
    shape = SHAPES["clickhouse"]
    config = folder / "clickhouse.yaml"
    text = shape.config.read_text(encoding="utf-8")
    config.write_text(text.replace(_CLICKHOUSE, backend.url), encoding="utf-8")
    kept = f"--cc-captures={folder / 'kept'}"
    record = judged(pytest, folder / "report", *options(otelcol, config), kept, *PASSING)
    assert failing(record).keys() == shape.fails
    capture = _capture(folder / "kept")
    rows = backend.sql("SELECT MetricName, sum(Value) FROM otel.otel_metrics_sum GROUP BY 1")
    stored = {str(name): float(value) for name, value in rows}
    return {
        name: Sum(total, total, stored.get(name, 0.0)) for name, total in sent(capture).items()
    }, capture


def sent(capture: Capture) -> Mapping[str, float]:
    """Return the sum of each metric that the collector accepted."""
    return {
        name: sum(stream.total for stream in truth.streams)
        for name, truth in truths(capture.exports).items()
    }


@dataclass(slots=True)
class _Found:
    """What the plugin's items say of one metric."""

    sent: float = 0.0
    seen: float = 0.0
    names: tuple[str, ...] = ()


def _found(capture: Capture) -> Mapping[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    for item in totals(capture):
        each = found[item.view["name"]]
        each.sent += item.view["sent_total"]
        each.seen += item.view["seen_total"]
        each.names = tuple(dict.fromkeys((*each.names, *item.view["found_as"])))
    return found


def _settled(
    found: Mapping[str, _Found], stored: Callable[[], Mapping[str, float]]
) -> Mapping[str, Sum]:
    """Ask until the backend has come to what was found; it scrapes when it likes."""

    def all_there(says: Mapping[str, float]) -> bool:
        return all(equal(each.seen, says[name]) for name, each in found.items())

    says = ask(stored, all_there, DEADLINE_S)
    return {name: Sum(each.sent, each.seen, says[name]) for name, each in found.items()}


def _capture(folder: Path) -> Capture:
    (sidecar,) = folder.glob(f"*/{files.SIDECAR}")
    return files.load(sidecar.parent)
