"""Make the official exporters retry as OTLP says, where they do not.

OTLP/HTTP: they repeat a request whose connection broke at once, without the random
pause. OTLP/gRPC: they retry RESOURCE_EXHAUSTED without RetryInfo, and look for RetryInfo
in another place than the status.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import grpc

_Exporter = TypeVar("_Exporter")

#: The first pause; each one after it is twice as long, with a jitter of a fifth.  It is so
#: long that a busy machine, which makes it longer, does not hide that the next ones grow.
_FIRST_PAUSE_S = 0.3
_JITTER = 0.2

#: Status codes that OTLP/gRPC calls retryable without a word about when.
_RETRYABLE = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)
_THROTTLED = "RESOURCE_EXHAUSTED"


def patient(exporter: _Exporter) -> _Exporter:
    """Patch an official exporter so that it retries as OTLP says; return it."""
    client: Any = getattr(exporter, "_client", None)
    if hasattr(client, "_compute_backoff"):
        client._compute_backoff = _pause_s
        client._submit = lambda data, timeout: _submit(client, data, timeout)
    else:
        grpc_exporter: Any = exporter
        grpc_exporter.export = lambda data, *_, **__: _export(grpc_exporter, data)
    return exporter


def _pause_s(failures: int) -> float:
    return _FIRST_PAUSE_S * float(2**failures) * random.uniform(1 - _JITTER, 1 + _JITTER)


def _submit(client: Any, data: bytes, timeout: float) -> Any:
    """Send one HTTP request, without a retry."""
    return client._transport.request(
        "POST",
        client._endpoint,
        headers=client._headers,
        data=data,
        timeout=timeout,
    )


def _export(exporter: Any, data: Any) -> Any:
    """Export over gRPC with retries; return the exporter's result."""
    import grpc

    request = exporter._translate_data(data)
    deadline = time.monotonic() + exporter._timeout
    failures = 0
    while not exporter._shutdown:
        try:
            exporter._client.Export(
                request=request,
                metadata=exporter._headers,
                timeout=max(deadline - time.monotonic(), 0.001),
            )
        except grpc.RpcError as error:
            pause_s = _pause_after(error, failures)
            failures += 1
            if pause_s is None or time.monotonic() + pause_s > deadline:
                break
            if exporter._shutdown_in_progress.wait(pause_s):
                break
        else:
            return exporter._result.SUCCESS
    return exporter._result.FAILURE


def _pause_after(error: Any, failures: int) -> float | None:
    """Return how long to wait after a failed call; None if it must not be repeated."""
    code: grpc.StatusCode = error.code()
    asked_s = _retry_delay_s(dict(error.trailing_metadata() or ()))
    if code.name in _RETRYABLE or (code.name == _THROTTLED and asked_s is not None):
        return _pause_s(failures) if asked_s is None else asked_s
    return None


def _retry_delay_s(metadata: dict[str, Any]) -> float | None:
    """Return the delay of the RetryInfo in the details of the status, if there is one."""
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    details = metadata.get("grpc-status-details-bin")
    if details is None:
        return None
    info = RetryInfo()
    for detail in Status.FromString(details).details:
        if detail.Unpack(info):
            return float(info.retry_delay.ToTimedelta().total_seconds())
    return None
