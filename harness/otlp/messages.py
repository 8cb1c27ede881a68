"""The protobuf messages of each signal, and the two encodings of them."""

from __future__ import annotations

from enum import StrEnum

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from .model import Protocol, Signal

ExportLogsServiceRequest = logs.ExportLogsServiceRequest
ExportLogsServiceResponse = logs.ExportLogsServiceResponse
ExportMetricsServiceRequest = metrics.ExportMetricsServiceRequest
ExportMetricsServiceResponse = metrics.ExportMetricsServiceResponse
ExportTraceServiceRequest = traces.ExportTraceServiceRequest
ExportTraceServiceResponse = traces.ExportTraceServiceResponse

Request = ExportMetricsServiceRequest | ExportLogsServiceRequest | ExportTraceServiceRequest
Response = ExportMetricsServiceResponse | ExportLogsServiceResponse | ExportTraceServiceResponse

REQUESTS: dict[Signal, type[Request]] = {
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.TRACES: ExportTraceServiceRequest,
}

RESPONSES: dict[Signal, type[Response]] = {
    Signal.METRICS: ExportMetricsServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.TRACES: ExportTraceServiceResponse,
}


class Encoding(StrEnum):
    """The encoding of a message; the value is its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


ENCODINGS: dict[Protocol, Encoding] = {
    Protocol.GRPC: Encoding.PROTOBUF,
    Protocol.HTTP_PROTOBUF: Encoding.PROTOBUF,
    Protocol.HTTP_JSON: Encoding.JSON,
}


def signal_of(request: Request) -> Signal:
    if isinstance(request, ExportMetricsServiceRequest):
        return Signal.METRICS
    if isinstance(request, ExportLogsServiceRequest):
        return Signal.LOGS
    return Signal.TRACES
