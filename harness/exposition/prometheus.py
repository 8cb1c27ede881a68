"""Read what a Prometheus endpoint serves, and find faults in its format.

Of what a subject serves (:func:`export`, text format 0.0.4), names are converted back to
OpenTelemetry's: the exporter writes ``_`` for whatever Prometheus does not allow in a name, and
appends ``_total`` to a counter. Of what a collector serves (:func:`samples`, OpenMetrics too),
names stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from ..capture.export import Export
from ..otlp.model import Signal
from . import PROMETHEUS, ExpositionError, exposed
from .series import Sample, double

_TARGET_INFO = "target_info"
_SCOPE_LABELS = {"otel_scope_name": "name", "otel_scope_version": "version"}
_COMMENT = re.compile(r"#\s*(HELP|TYPE|UNIT|EOF)\b\s*(\S*)")
_HAVE_CREATED = frozenset({"counter", "histogram", "summary"})
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped"})
_OF_ITS_METRIC = re.compile(r"_(bucket|sum|count)$")


def label_of(name: str) -> str:
    """Return a name as the exporter writes it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def counter_of(name: str) -> str:
    """Return the name of a counter as the exporter writes it, without the suffix ``_total``."""
    return label_of(name).removesuffix("_total")


def export(text: str, names: Iterable[str], place: str, unix_nano: int) -> Export:
    """Make one export, without times, of everything that was served at ``place``.

    ``names`` are those of metrics and attributes that may be there, in OpenTelemetry's form;
    others stay as they were served. A text that cannot be read is an export without a signal,
    ``rejected`` with the reason.
    """
    try:
        known = list(names)
        request = _request(
            text, {as_served(name): name for as_served in (counter_of, label_of) for name in known}
        )
    except ExpositionError as error:
        return exposed(PROMETHEUS, None, text.encode(), place, unix_nano, 1, str(error))
    body = json.dumps(request).encode()
    return exposed(PROMETHEUS, Signal.METRICS, body, place, unix_nano, 1)


def _request(text: str, names: Mapping[str, str]) -> Mapping[str, Any]:
    resource: list[Mapping[str, Any]] = []
    scopes: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for family in _families(text):
        if family.name in (_TARGET_INFO, "target"):
            resource = _pairs(family.samples[0].labels, names)
            continue
        by_scope: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for sample in family.samples:
            scope = tuple(sample.labels.get(label, "") for label in _SCOPE_LABELS)
            own = {k: v for k, v in sample.labels.items() if k not in _SCOPE_LABELS}
            point = {"attributes": _pairs(own, names), "asDouble": double(sample.value)}
            by_scope.setdefault((scope[0], scope[1]), []).append(point)
        for key, points in by_scope.items():
            scopes.setdefault(key, []).append(_metric(family, points, names))
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": resource},
                "scopeMetrics": [
                    {"scope": {"name": name, "version": version}, "metrics": metrics}
                    for (name, version), metrics in scopes.items()
                ],
            }
        ]
    }


def _families(text: str, content_type: str = "") -> list[Any]:
    try:
        if is_openmetrics(content_type):
            return list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
        return list(text_string_to_metric_families(text))
    except (ValueError, KeyError, IndexError) as error:
        # The parsers' other errors are about texts that they did not expect either.
        raise ExpositionError(f"not Prometheus’ text format: {error}") from error


def is_openmetrics(content_type: str) -> bool:
    """Return whether a response with this content type is OpenMetrics."""
    return content_type.partition(";")[0].strip().lower() == "application/openmetrics-text"


def samples(text: str, content_type: str = "") -> list[Sample]:
    """Return every sample that was served, under the name under which it was served.

    What ``_created`` tells of a series is the start of its samples. Raises
    :class:`ExpositionError` for a text that cannot be read.
    """
    typed = {match[2].strip('"') for match in map(_COMMENT.match, text.splitlines()) if match}
    found = []
    for family in _families(text, content_type):
        # The parser of text 0.0.4 adds the suffix that OpenMetrics has to what lacks it.
        added = "_total" if family.type == "counter" and _lacks_total(family.name, typed) else ""
        if is_openmetrics(content_type):
            added = ""
        starts = {
            _series(sample.labels, "quantile", "le"): round(sample.value * 1e9)
            for sample in family.samples
            if sample.name == f"{family.name}_created" and family.type in _HAVE_CREATED
        }
        for sample in family.samples:
            if sample.name == f"{family.name}_created" and family.type in _HAVE_CREATED:
                continue
            found.append(
                Sample(
                    name=sample.name.removesuffix(added) if added else sample.name,
                    labels=sample.labels,
                    value=float(sample.value),
                    kind=_kind(family.type, sample.name.removeprefix(family.name)),
                    time_unix_nano=_nanoseconds(sample.timestamp),
                    start_unix_nano=starts.get(_series(sample.labels, "quantile", "le"), 0),
                    unit=family.unit,
                    description=family.documentation,
                )
            )
    return found


def _lacks_total(name: str, typed: Collection[str]) -> bool:
    return name in typed and f"{name}_total" not in typed


def _kind(family: str, suffix: str) -> str:
    """Return what one sample of a family is by itself: a bucket only grows, a quantile does not."""
    if family in ("histogram", "summary"):
        return "counter" if suffix in ("_bucket", "_count", "_sum") else "gauge"
    return "gauge" if family in ("info", "stateset", "gaugehistogram") else family


def _series(labels: Mapping[str, str], *but: str) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in labels.items() if name not in but)


def _nanoseconds(timestamp: Any) -> int:
    """Convert a sample's time: seconds as a float, or whole seconds and nanoseconds."""
    if timestamp is None:
        return 0
    if hasattr(timestamp, "nsec"):
        return int(timestamp.sec) * 1_000_000_000 + int(timestamp.nsec)
    return round(float(timestamp) * 1000) * 1_000_000


def _metric(family: Any, points: list[Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    metric = {"name": names.get(family.name, family.name), "description": family.documentation}
    if family.type == "counter":
        # Prometheus counters only grow until the process ends.
        data = {"sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points}}
    elif family.type in ("gauge", "unknown"):
        data = {"gauge": {"dataPoints": points}}
    else:
        raise ExpositionError(f"{family.name} is a {family.type}, which no document promises")
    return {**metric, **data}


def _pairs(labels: Mapping[str, str], names: Mapping[str, str]) -> Any:
    return [
        {"key": names.get(label, label), "value": {"stringValue": value}}
        for label, value in labels.items()
    ]


def openmetrics_lines(text: str) -> list[str]:
    """Return the lines that only the OpenMetrics format allows: ``# UNIT`` and ``# EOF``."""
    return [
        line
        for line in text.splitlines()
        if (match := _COMMENT.match(line)) and match[1] in ("UNIT", "EOF")
    ]


def problems(text: str, content_type: str = "") -> list[str]:
    """Return why ``text`` is no valid exposition, also where the library's parser is lenient.

    OpenMetrics, told by its ``content_type``, has a strict parser, which checks its order, too.
    """
    faults = [] if is_openmetrics(content_type) else list(_shape(text))
    try:
        families = _families(text, content_type)
    except ExpositionError as error:
        return [*faults, str(error)]
    known_series: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for family in families:
        for sample in family.samples:
            series = (sample.name, tuple(sorted(sample.labels.items())))
            if series in known_series:
                faults.append(f"{sample.name} is there twice with {sample.labels}")
            known_series.add(series)
            if family.type == "counter" and not sample.value >= 0:
                faults.append(f"the counter {sample.name} is {sample.value}")
    return faults


def _sample_name(line: str) -> str:
    """Return the name in a sample's line: at its start, or quoted, as the first in its braces."""
    quoted = re.match(r'\s*\{\s*"((?:[^"\\]|\\.)*)"', line)
    return quoted[1] if quoted else re.split(r"[{\s]", line.lstrip(), maxsplit=1)[0]


def _shape(text: str) -> Iterator[str]:
    """Yield violations of the order of lines.

    Headers come once, before their samples, and the lines of a metric together.
    """
    if text and not text.endswith("\n"):
        yield "the last line does not end"
    headers: set[tuple[str, str]] = set()
    types: dict[str, str] = {}
    finished: set[str] = set()
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        comment = _COMMENT.match(line)
        if not line.strip() or (line.startswith("#") and not comment):
            continue
        if comment and comment[1] in ("UNIT", "EOF"):
            continue  # told apart: see openmetrics_lines
        name = comment[2].strip('"') if comment else _sample_name(line)
        metric = name if comment or name in types else _OF_ITS_METRIC.sub("", name)
        if metric != current:
            finished.add(current)
            current = metric
            if metric in finished:
                yield f"line {number}: the lines of {metric} are not in one piece"
        if comment is None:
            finished_header = types.get(metric)
            if finished_header is None:
                yield f"line {number}: {metric} has no TYPE"
                types[metric] = "untyped"
            headers.add(("samples", metric))
            continue
        if (comment[1], metric) in headers:
            yield f"line {number}: a second {comment[1]} of {metric}"
        if ("samples", metric) in headers:
            yield f"line {number}: {comment[1]} of {metric} after its samples"
        headers.add((comment[1], metric))
        if comment[1] == "TYPE":
            types[metric] = line.split()[-1]
            if types[metric] not in _TYPES:
                yield f"line {number}: {metric} is of the unknown type {types[metric]}"
