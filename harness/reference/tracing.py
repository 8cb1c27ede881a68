"""Export traces with the official SDK, and continue a trace context that is passed in.

A module of its own, since most sessions export no traces and need not import it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..otlp.model import Signal
from .attributes import Scalar
from .exporters import OtlpExporters
from .settings import Settings
from .spans import SpanEvent

_SCOPE = "com.anthropic.claude_code.tracing"


class Tracing:
    """A :class:`harness.reference.spans.SpanSink` that exports spans over OTLP, by ``settings``.

    ``inbound`` holds TRACEPARENT and TRACESTATE.
    """

    def __init__(
        self,
        settings: Settings,
        version: str,
        described: Resource,
        exporters: OtlpExporters,
        inbound: Mapping[str, str],
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
                    exporters.make(Signal.TRACES, settings.traces_protocol),
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

    def traceparent(self, span: object) -> str:
        """Return the W3C trace context of an open span."""
        carrier: dict[str, str] = {}
        context = trace.set_span_in_context(cast(trace.Span, span), Context())
        TraceContextTextMapPropagator().inject(carrier, context)
        return carrier.get("traceparent", "")

    def close(self) -> None:
        """Export what is buffered."""
        if self._provider is not None:
            self._provider.shutdown()
