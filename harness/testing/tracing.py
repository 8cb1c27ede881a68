"""Trace export with the official SDK, and the trace context that comes from outside.

A module of its own, for most sessions trace nothing and need not load it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from harness.otlp.model import Protocol, Signal
from harness.testing import exporting
from harness.testing.attributes import Scalar
from harness.testing.settings import Settings
from harness.testing.spans import SpanEvent
from harness.testing.telemetry import merged_headers, missing

_SCOPE = "com.anthropic.claude_code.tracing"


class Tracing:
    """A :class:`harness.testing.spans.SpanSink` that exports over OTLP, if
    ``settings`` says how.  ``inbound`` holds TRACEPARENT and TRACESTATE."""

    def __init__(
        self, settings: Settings, version: str, described: Resource, inbound: Mapping[str, str]
    ) -> None:
        carrier = {name.lower(): value for name, value in inbound.items()}
        self._inbound = TraceContextTextMapPropagator().extract(carrier, Context())
        #: To which trace an event belongs: the interaction's, or else the caller's.
        self.of_events = self._inbound
        self._provider: TracerProvider | None = None
        if settings.traces_protocol is not None:
            self._provider = TracerProvider(resource=described, shutdown_on_exit=False)
            self._provider.add_span_processor(
                BatchSpanProcessor(
                    _exporter(settings.traces_protocol),
                    schedule_delay_millis=settings.traces_interval_ms,
                )
            )
            self._tracer = self._provider.get_tracer(_SCOPE, version)

    @property
    def exports(self) -> bool:
        return self._provider is not None

    def start(
        self, name: str, attributes: Mapping[str, Scalar | tuple[str, ...]], parent: object
    ) -> object:
        context = self._inbound
        if parent is not None:
            context = trace.set_span_in_context(cast(trace.Span, parent), context)
        span = self._tracer.start_span(name, context, attributes=dict(attributes))
        if parent is None:
            self.of_events = trace.set_span_in_context(span, self._inbound)
        return span

    def end(
        self,
        span: object,
        attributes: Mapping[str, Scalar | tuple[str, ...]],
        events: Sequence[SpanEvent],
        error: str | None,
    ) -> None:
        ended = cast(trace.Span, span)
        ended.set_attributes(dict(attributes))
        for name, details in events:
            ended.add_event(name, dict(details))
        if error is not None:
            ended.set_status(trace.StatusCode.ERROR, error)
        ended.end()
        if trace.get_current_span(self.of_events) is ended:
            self.of_events = self._inbound

    def close(self) -> None:
        """Export what is waiting."""
        if self._provider is not None:
            self._provider.shutdown()


def _exporter(protocol: Protocol) -> SpanExporter:
    headers = merged_headers(Signal.TRACES)
    options = exporting.options(Signal.TRACES, protocol)
    try:
        if protocol is Protocol.GRPC:
            from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc

            return grpc.OTLPSpanExporter(headers=headers, **options)
        if protocol is Protocol.HTTP_PROTOBUF:
            from opentelemetry.exporter.otlp.proto.http import trace_exporter as http

            return http.OTLPSpanExporter(headers=headers, **options)
        from opentelemetry.exporter.otlp.json.http import trace_exporter as json

        return json.OTLPSpanExporter(headers=headers, **options)
    except ImportError as error:
        raise missing(error) from error
