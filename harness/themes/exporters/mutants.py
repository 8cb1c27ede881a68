"""Lies about which exporters were used, and about what they showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from ...capture.capture import Capture, Connection
from ...capture.export import Export
from ...capture.observed import edit_observed, with_observed
from ...contract.requirement import Requirement
from ...exposition import CONSOLE, PROMETHEUS, exposed, is_exposed
from ...judging.items.item import Kind
from ...mutants import editing
from ...mutants.rewriting import copy_message, rewritten, with_body
from ...otlp.codec import encode
from ...otlp.messages import (
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from ...otlp.model import Signal
from .experiment import DEFAULT_PORT, HASTILY, SLOWLY
from .observed import Endpoint, Scrape

_GRPC_PATHS = {
    Signal.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}


def connects(capture: Capture, requirement: Requirement) -> Capture:
    """Open a connection to the collector, and send nothing."""
    connection = Connection("main", capture.run.ended_unix_nano)
    return replace(capture, connections=(*capture.connections, connection))


def phones_home(capture: Capture, requirement: Requirement) -> Capture:
    """Look up the name of a machine of the publisher's."""
    truth = replace(capture.run.truth, reached=("api.anthropic.com",))
    return replace(capture, run=replace(capture.run, truth=truth))


def prints(capture: Capture, requirement: Requirement) -> Capture:
    """Print one more object to the console."""
    body = b'{"resourceMetrics": []}'
    shown = exposed(CONSOLE, Signal.METRICS, body, "standard output, line 1", 1, 1)
    return replace(capture, exports=(*capture.exports, shown))


def serves(capture: Capture, requirement: Requirement) -> Capture:
    """Serve a Prometheus endpoint."""
    return with_observed(capture, Endpoint(served=True))


def events_besides(capture: Capture, requirement: Requirement) -> Capture:
    """Export an event beside the metrics, of the same session and resource."""
    sent, message = _first(capture, Signal.METRICS)
    assert isinstance(message, ExportMetricsServiceRequest)
    group = message.resource_metrics[0]
    point = next(ref.record for ref in editing.item_refs(message))
    logs = ResourceLogs(resource=group.resource)
    record = logs.scope_logs.add().log_records.add(time_unix_nano=point.time_unix_nano)
    record.attributes.extend(point.attributes)
    record.body.string_value = "claude_code.something"
    return _besides(capture, sent, Signal.LOGS, ExportLogsServiceRequest(resource_logs=[logs]))


def metrics_besides(capture: Capture, requirement: Requirement) -> Capture:
    """Export a data point beside the events, of the same session and resource."""
    sent, message = _first(capture, Signal.LOGS)
    assert isinstance(message, ExportLogsServiceRequest)
    record = next(ref.record for ref in editing.item_refs(message))
    more = ExportMetricsServiceRequest()
    group = more.resource_metrics.add(resource=message.resource_logs[0].resource)
    metric = group.scope_metrics.add().metrics.add(name="claude_code.something")
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    point = metric.sum.data_points.add(
        start_time_unix_nano=record.time_unix_nano,
        time_unix_nano=record.time_unix_nano,
        as_double=1.0,
    )
    point.attributes.extend(record.attributes)
    return _besides(capture, sent, Signal.METRICS, more)


def spans_besides(capture: Capture, requirement: Requirement) -> Capture:
    """Export a span beside the others, of the same resource."""
    signal = next(export.signal for export in capture.exports if export.signal is not None)
    sent, message = _first(capture, signal)
    more = ExportTraceServiceRequest()
    spans = more.resource_spans.add(resource=editing.groups(message)[0].resource)
    spans.scope_spans.add().spans.add(name="something")
    return _besides(capture, sent, Signal.TRACES, more)


def silences_both(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing at all."""
    return _without(capture, lambda export: True)


def prints_slowly(capture: Capture, requirement: Requirement) -> Capture:
    """Spread the printed times ten times as far apart, out of any run."""
    return _spread(capture, SLOWLY)


def prints_hastily(capture: Capture, requirement: Requirement) -> Capture:
    """Move the printed times to less than half their distance."""
    return _spread(capture, HASTILY)


def _spread(capture: Capture, factor: float) -> Capture:
    first = min(point.time_unix_nano for point in capture.data_points())

    def edit(message: Request) -> None:
        for ref in editing.item_refs(message):
            for name in ("start_time_unix_nano", "time_unix_nano"):
                time = getattr(ref.record, name)
                setattr(ref.record, name, round(first + (time - first) * factor))

    return _edited(capture, lambda export: bool(export.data_points), edit)


def prints_once(capture: Capture, requirement: Requirement) -> Capture:
    """Print only what was collected last."""
    last = max(point.time_unix_nano for point in capture.data_points())
    remaining = [
        export
        for export in capture.exports
        if export.collector != CONSOLE
        or any(point.time_unix_nano == last for point in export.data_points)
    ]
    return replace(capture, exports=tuple(remaining))


def prints_nothing(capture: Capture, requirement: Requirement) -> Capture:
    """Print nothing to the console."""
    return _without(capture, lambda export: export.collector == CONSOLE)


def prints_half(capture: Capture, requirement: Requirement) -> Capture:
    """Print one more object, cut off after its first lines."""
    text, why = b"{\n  descriptor: {\n", "line 3: expected a key, saw ''"
    half = exposed(CONSOLE, None, text, "standard output, line 9", 1, 1, why)
    return replace(capture, exports=(*capture.exports, half))


def misprints(capture: Capture, requirement: Requirement) -> Capture:
    """Raise the last printed data point by one."""
    return _one_more(capture, CONSOLE, 1.0)


def leaves_out_an_event(capture: Capture, requirement: Requirement) -> Capture:
    """Do not print the last event."""
    shown = [e for e in capture.exports if e.collector == CONSOLE and e.events]
    return _without(capture, lambda export: export is shown[-1])


def serves_less(capture: Capture, requirement: Requirement) -> Capture:
    """Lower the last of the served values by one."""
    return _one_more(capture, PROMETHEUS, -1.0)


def serves_nothing(capture: Capture, requirement: Requirement) -> Capture:
    """Serve nothing to Prometheus."""
    return _without(capture, lambda export: export.collector == PROMETHEUS)


def serves_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Serve the last series twice."""

    def twice(scrape: Scrape) -> Scrape:
        return replace(scrape, text=f"{scrape.text}{scrape.text.splitlines()[-1]}\n")

    return edit_observed(capture, Scrape, twice)


def serves_units(capture: Capture, requirement: Requirement) -> Capture:
    """Add a line to the served text that only the OpenMetrics format knows."""
    name = "claude_code_cost_usage_total"

    def with_unit(scrape: Scrape) -> Scrape:
        head, line, rest = scrape.text.partition(f"# TYPE {name} counter\n")
        return replace(scrape, text=f"{head}# UNIT {name} USD\n{line}{rest}")

    return edit_observed(capture, Scrape, with_unit)


def served_as_json(capture: Capture, requirement: Requirement) -> Capture:
    """Serve the text with the media type of JSON."""
    return edit_observed(
        capture, Scrape, lambda scrape: replace(scrape, content_type="application/json")
    )


def served_elsewhere(capture: Capture, requirement: Requirement) -> Capture:
    """Serve the endpoint on another port than the documented one."""
    elsewhere = f"http://localhost:{DEFAULT_PORT + 1}/metrics"
    return edit_observed(capture, Scrape, lambda scrape: replace(scrape, url=elsewhere))


def swaps_backends(capture: Capture, requirement: Requirement) -> Capture:
    """Send to each backend what is meant for the other."""
    others = {"metrics": "logs", "logs": "metrics"}
    return replace(
        capture,
        exports=tuple(
            replace(export, collector=others[export.collector]) for export in capture.exports
        ),
    )


def leaves_out_units(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the units out of the metrics that are sent over OTLP."""

    def edit(message: Request) -> None:
        for ref in editing.item_refs(message):
            if ref.item.kind is Kind.METRIC:
                ref.owner.unit = ""

    return _edited(capture, lambda export: not is_exposed(export), edit)


def _one_more(capture: Capture, collector: str, more: float) -> Capture:
    """Add ``more`` to the last data point that a collector got."""
    last = [e for e in capture.exports if e.collector == collector and e.data_points][-1]

    def edit(message: Request) -> None:
        *_, ref = editing.item_refs(message)
        ref.record.as_double += more

    return _edited(capture, lambda export: export is last, edit)


def _edited(
    capture: Capture, which: Callable[[Export], bool], edit: Callable[[Request], None]
) -> Capture:
    exports = []
    for export in capture.exports:
        message = copy_message(export) if which(export) else None
        if message is None:
            exports.append(export)
        else:
            edit(message)
            exports.append(rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def _without(capture: Capture, which: Callable[[Export], bool]) -> Capture:
    remaining = tuple(export for export in capture.exports if not which(export))
    if len(remaining) == len(capture.exports):
        raise ValueError(f"{capture.run.label}: nothing of that kind was exported")
    return replace(capture, exports=remaining)


def _first(capture: Capture, signal: Signal) -> tuple[Export, Request]:
    for export in capture.exports:
        message = copy_message(export)
        if export.signal is signal and message is not None:
            return export, message
    raise ValueError(f"{capture.run.label} exported no {signal}")


def _besides(capture: Capture, like: Export, signal: Signal, message: Request) -> Capture:
    """Add a request with ``message`` that is sent as ``like`` was."""
    path = like.path if like.method == "" else f"/v1/{signal}"
    if like.path in _GRPC_PATHS.values():
        path = _GRPC_PATHS[signal]
    moved = replace(like, sequence=capture.exports[-1].sequence + 1, signal=signal, path=path)
    body = encode(message, like.encoding or Encoding.JSON)
    return replace(capture, exports=(*capture.exports, with_body(moved, body)))


LIES: Mapping[str, Callable[[Capture, Requirement], Capture]] = {
    lie.__name__: lie
    for lie in (
        connects,
        phones_home,
        prints,
        serves,
        events_besides,
        metrics_besides,
        spans_besides,
        silences_both,
        prints_slowly,
        prints_hastily,
        served_as_json,
        prints_once,
        prints_nothing,
        prints_half,
        misprints,
        leaves_out_an_event,
        serves_less,
        serves_nothing,
        serves_twice,
        serves_units,
        served_elsewhere,
        swaps_backends,
        leaves_out_units,
    )
}
