"""Convert samples of Prometheus' series, however they came, to exports in OTLP/JSON.

Names stay as they were shown: which name a metric has in Prometheus is itself something to judge.
A series of its own is a metric of its own, as a query sees it: ``…_bucket``, ``…_sum`` too.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..capture.export import Export
from ..otlp.model import Signal
from . import exposed

#: The labels that name the instrumentation scope.
SCOPE_LABELS = ("otel_scope_name", "otel_scope_version")

#: The flag of a data point that ends its series: OTLP's form of a stale marker.
NO_RECORDED_VALUE = 1

_STALE_BITS = 0x7FF0000000000002
_CUMULATIVE = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series; times are Unix nanoseconds, 0 where none was given.

    ``kind`` is the type as it was told (``counter``, ``gauge``, …; empty if it was not), of which
    a sample of a histogram or summary is told as what it is by itself.
    """

    name: str
    labels: Mapping[str, str]
    value: float
    kind: str = ""
    time_unix_nano: int = 0
    start_unix_nano: int = 0
    unit: str = ""
    description: str = ""

    @property
    def stale(self) -> bool:
        """Whether this is the marker that ends a series, no value."""
        return is_stale(self.value)

    @property
    def counts(self) -> bool:
        """Whether it only grows: it is told to be a counter, or named like one."""
        if not self.kind or self.kind == "unknown":
            return self.name.endswith("_total")
        return self.kind == "counter"


def is_stale(value: float) -> bool:
    """Return whether ``value`` is Prometheus' stale marker, one particular NaN."""
    return math.isnan(value) and struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS


def export(
    collector: str, samples: Iterable[Sample], place: str, unix_nano: int, rejected: str = ""
) -> Export:
    """Make one export of everything that was shown at ``place``.

    Samples without a time get that of the export, as they do when Prometheus reads them.
    """
    body = json.dumps(_request(samples, unix_nano)).encode()
    return exposed(collector, Signal.METRICS, body, place, unix_nano, 1, rejected)


def _request(samples: Iterable[Sample], unix_nano: int) -> Mapping[str, Any]:
    scopes: dict[tuple[str, ...], dict[tuple[str, bool], dict[str, Any]]] = {}
    for sample in samples:
        scope = tuple(sample.labels.get(label, "") for label in SCOPE_LABELS)
        metrics = scopes.setdefault(scope, {})
        key = (sample.name, sample.counts)
        metric = metrics.get(key) or metrics.setdefault(key, _metric(sample))
        data = metric.get("sum") or metric["gauge"]
        data["dataPoints"].append(_point(sample, unix_nano))
    return {
        "resourceMetrics": [
            {
                "resource": {},
                "scopeMetrics": [
                    {"scope": {"name": name, "version": version}, "metrics": [*metrics.values()]}
                    for (name, version), metrics in scopes.items()
                ],
            }
        ]
    }


def _metric(sample: Sample) -> dict[str, Any]:
    metric = {"name": sample.name, "description": sample.description, "unit": sample.unit}
    if sample.counts:
        data = {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True, "dataPoints": []}
        return {**metric, "sum": data}
    return {**metric, "gauge": {"dataPoints": []}}


def _point(sample: Sample, unix_nano: int) -> Mapping[str, Any]:
    attributes = [
        {"key": name, "value": {"stringValue": value}}
        for name, value in sample.labels.items()
        if name not in SCOPE_LABELS
    ]
    point: dict[str, Any] = {
        "attributes": attributes,
        "timeUnixNano": str(sample.time_unix_nano or unix_nano),
    }
    if sample.start_unix_nano:
        point["startTimeUnixNano"] = str(sample.start_unix_nano)
    if sample.stale:
        return {**point, "flags": NO_RECORDED_VALUE}
    return {**point, "asDouble": double(sample.value)}


def double(value: float) -> float | str:
    """Return a number as JSON has it; what JSON has no number for is a word in OTLP/JSON."""
    if math.isnan(value):
        return "NaN"
    return value if abs(value) < math.inf else str(value).replace("inf", "Infinity")
