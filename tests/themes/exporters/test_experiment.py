"""The schemas of exporters and the experiments behind them say the same.

A bound of the schemas is a constant of the experiment, so that neither can be changed
alone, and a lie breaks its bound whatever a machine did to the run that it is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.otlp.model import Protocol
from harness.running.stage import opened
from harness.themes.catalogue import SCENARIOS
from harness.themes.exporters import experiment as e

SchemaOf = Callable[[str], Mapping[str, Any]]


def variables(name: str, protocol: Protocol) -> Mapping[str, str]:
    """The telemetry settings of a scenario."""
    scenario = SCENARIOS[name]
    assert scenario.configure is not None
    with opened(scenario.backends, protocol) as stage:
        return dict(scenario.configure(stage))


def test_the_console_prints_once_an_interval(schema_of: SchemaOf) -> None:
    schema = schema_of("examples.console")
    printed = schema["properties"]["console"]["properties"]
    gap = {"type": "number", "minimum": e.GAP_LEAST_S, "maximum": e.GAP_MOST_S}
    assert printed["usual_gap_s"] == gap
    assert f"({e.GAP_LEAST_S:g} to {e.GAP_MOST_S:g} s)" in schema["title"]
    set_ms = variables("example_console", Protocol.HTTP_JSON)["OTEL_METRIC_EXPORT_INTERVAL"]
    assert set_ms == str(e.CONSOLE_INTERVAL_MS)
    # Neither half of the interval nor twice as much.
    interval_s = e.CONSOLE_INTERVAL_MS / 1000
    assert interval_s / 2 < e.GAP_LEAST_S < interval_s < e.GAP_MOST_S < 2 * interval_s


def test_as_many_times_are_printed_as_a_usual_gap_takes(schema_of: SchemaOf) -> None:
    printed = schema_of("examples.console")["properties"]["console"]["properties"]
    # The measure knows a usual gap from the third batch on.
    assert printed["batches"]["minimum"] == e.BATCHES >= 3


def test_the_lies_about_the_console_are_lies_on_any_machine() -> None:
    assert e.GAP_LEAST_S * e.SLOWLY > e.GAP_MOST_S
    assert e.GAP_MOST_S * e.HASTILY < e.GAP_LEAST_S


def test_the_documented_port_is_the_one_that_is_scraped(schema_of: SchemaOf) -> None:
    scraped = schema_of("examples.prometheus")["properties"]["scraped"]
    assert scraped == {"const": f"http://localhost:{e.DEFAULT_PORT}/metrics"}
    # The example does not name it: it is the default.
    set_names = variables("example_prometheus", Protocol.HTTP_JSON)
    assert not any(name.endswith("_PORT") for name in set_names)


def test_the_header_of_the_quick_start_is_the_one_that_is_set(schema_of: SchemaOf) -> None:
    main = schema_of("examples.quick_start")["properties"]["main"]["properties"]
    assert main["authorization"] == {"const": [e.AUTHORIZATION]}
    headers = variables("example_quick_start", Protocol.GRPC)["OTEL_EXPORTER_OTLP_HEADERS"]
    assert headers == f"Authorization={e.AUTHORIZATION}"


def test_a_silent_session_lasts_for_longer_than_it_would_take_to_speak() -> None:
    assert 2 * max(e.SILENT_INTERVAL_S, e.GLANCE_S) < e.SILENT_WORK_S
    set_ms = variables("no_exporters", Protocol.HTTP_PROTOBUF)
    for name in ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_LOGS_EXPORT_INTERVAL"):
        assert float(set_ms[name]) == e.SILENT_INTERVAL_S * 1000
