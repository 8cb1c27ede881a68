"""Convert what the console exporters of OpenTelemetry for JavaScript print to exports.

They print one object for each metric with its data points, and one for each log record, among
whatever else goes to standard output. Metrics come without their resource and scope.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..capture.export import Export
from ..otlp.model import Signal
from . import CONSOLE, ExpositionError, exposed
from .literals import literal

_GAUGE, _SUM = 2, 3
_CUMULATIVE = 2
_MONOTONIC = ("COUNTER", "OBSERVABLE_COUNTER")


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed object: the number of its first line, its text, and its value.

    If it cannot be read, ``value`` is None and ``problem`` says why.
    """

    line: int
    text: str
    value: Mapping[str, Any] | None
    problem: str = ""


def printed(output: str) -> Iterator[Printed]:
    """Yield every object that was printed over several lines.

    An object that does not end, or cannot be read, has a ``problem``.
    """
    begin: int | None = None
    lines = output.split("\n")
    for number, line in enumerate(lines):
        if begin is None and line == "{":
            begin = number
        elif begin is not None and line in ("}", "{"):
            end = number + 1 if line == "}" else number
            yield _read(begin + 1, "\n".join(lines[begin:end]))
            begin = None if line == "}" else number
    if begin is not None:
        yield _read(begin + 1, "\n".join(lines[begin:]))


def _read(line: int, text: str) -> Printed:
    try:
        value = literal(text)
    except ExpositionError as error:
        return Printed(line, text, None, str(error))
    return Printed(line, text, value)


def exports(output: str, unix_nano: int) -> list[Export]:
    """Convert what was printed to exports, one for each object, at the time ``unix_nano``.

    An object that is neither metric nor log record, or cannot be read, is an export without a
    signal, ``rejected`` with the reason.
    """
    objects = list(printed(output))
    cumulative = _cumulative(objects)
    result = []
    for number, shown in enumerate(objects, start=1):
        place = f"standard output, line {shown.line}"
        try:
            signal, request = _request(shown, cumulative)
        except ExpositionError as error:
            text = shown.text.encode()
            export = exposed(CONSOLE, None, text, place, unix_nano, number, str(error))
        else:
            body = json.dumps(request).encode()
            export = exposed(CONSOLE, signal, body, place, unix_nano, number)
        result.append(export)
    return result


def _request(shown: Printed, cumulative: set[str]) -> tuple[Signal, Mapping[str, Any]]:
    if shown.value is None:
        raise ExpositionError(shown.problem)
    try:
        if "descriptor" in shown.value:
            return Signal.METRICS, _metrics(shown.value, cumulative)
        if "timestamp" in shown.value and "body" in shown.value:
            return Signal.LOGS, _logs(shown.value)
    except (KeyError, TypeError, ValueError) as error:
        raise ExpositionError(f"not as the exporter prints it: {error!r}") from error
    raise ExpositionError(f"neither metric nor log record: {', '.join(shown.value)}")


def _cumulative(objects: Sequence[Printed]) -> set[str]:
    """Return the metrics of which a stream was printed twice with the same start.

    They are cumulative; of a stream that was printed once, sum and delta are the same.
    """
    starts: dict[str, set[str]] = {}
    cumulative = set()
    for shown in objects:
        if shown.value is None or "descriptor" not in shown.value:
            continue
        name = str(shown.value["descriptor"]["name"])
        for point in shown.value.get("dataPoints") or ():
            stream = json.dumps([name, point.get("attributes"), point.get("startTime")])
            if stream in starts.setdefault(name, set()):
                cumulative.add(name)
            starts[name].add(stream)
    return cumulative


def _metrics(value: Mapping[str, Any], cumulative: set[str]) -> Mapping[str, Any]:
    descriptor = value["descriptor"]
    points = [
        {
            "attributes": _attributes(point["attributes"]),
            "startTimeUnixNano": _nanoseconds(point["startTime"]),
            "timeUnixNano": _nanoseconds(point["endTime"]),
            # 0 is the JavaScript SDK's word for whole numbers.
            **(
                {"asInt": str(point["value"])}
                if descriptor.get("valueType") == 0
                else {"asDouble": float(point["value"])}
            ),
        }
        for point in value["dataPoints"]
    ]
    metric = {key: str(descriptor.get(key) or "") for key in ("name", "description", "unit")}
    if value["dataPointType"] == _SUM:
        data: dict[str, Any] = {
            "sum": {
                "aggregationTemporality": _CUMULATIVE if metric["name"] in cumulative else 0,
                "isMonotonic": descriptor["type"] in _MONOTONIC,
                "dataPoints": points,
            }
        }
    elif value["dataPointType"] == _GAUGE:
        data = {"gauge": {"dataPoints": points}}
    else:
        raise ValueError(f"dataPointType {value['dataPointType']} is neither a sum nor a gauge")
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{**metric, **data}]}]}]}


def _logs(value: Mapping[str, Any]) -> Mapping[str, Any]:
    scope = value.get("instrumentationScope") or {}
    record = {
        # The exporter prints microseconds.
        "timeUnixNano": str(int(value["timestamp"]) * 1000),
        "severityNumber": value.get("severityNumber") or 0,
        "severityText": value.get("severityText") or "",
        "body": _any_value(value["body"]),
        "attributes": _attributes(value.get("attributes") or {}),
        "traceId": value.get("traceId") or "",
        "spanId": value.get("spanId") or "",
        "eventName": value.get("eventName") or "",
    }
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes(value["resource"]["attributes"])},
                "scopeLogs": [
                    {
                        "scope": {
                            "name": scope.get("name") or "",
                            "version": scope.get("version") or "",
                        },
                        "logRecords": [record],
                    }
                ],
            }
        ]
    }


def _nanoseconds(time: Sequence[int]) -> str:
    seconds, nanoseconds = time
    return str(seconds * 1_000_000_000 + nanoseconds)


def _attributes(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [{"key": key, "value": _any_value(value)} for key, value in values.items()]


def _any_value(value: Any) -> Mapping[str, Any]:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [_any_value(element) for element in value]}}
        case dict():
            return {"kvlistValue": {"values": _attributes(value)}}
    raise TypeError(f"no attribute value: {value!r}")
