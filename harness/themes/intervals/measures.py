"""Measure how often each signal is exported, and whether the last data arrived.

An interval is never seen itself, only bounded. A busy machine makes single requests late, never
early, so that each bound is one that lateness does not move, or a median.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median, median_low
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.names import event_name
from ...capture.run import ApiCall
from ...judging.items.item import Item
from ...otlp.model import Signal
from .experiment import VARIABLES

#: From so many gaps on, one stall cannot move their median.
_ENOUGH_GAPS = 3

#: Less than half, as answers take their time before their tokens can be told.
_SURELY_NOT_HALF = 0.4

#: Subjects may tell the time in milliseconds.
_TICK_NS = 1_000_000

_TOKENS = "claude_code.token.usage"


def intervals(capture: Capture) -> list[Item]:
    """Return one item for each exported signal: bounds of its interval, from its requests.

    ``regular`` counts those of the ``exports`` that arrived before the last answer was asked for,
    which ends the session. ``at_least_s`` and ``at_most_s`` bound the interval by them;
    ``above_s`` is how far the lower bound is above the configured interval, ``below_s`` how far
    the upper bound is below it. A session that asked the model nothing has no item.
    """
    asked = _asked(capture)
    if not capture.run.truth.api_calls:
        return []
    items = []
    for signal, variable in VARIABLES.items():
        if "otlp" not in capture.run.environment.get(f"OTEL_{signal.upper()}_EXPORTER", ""):
            continue
        exports = sorted(
            (export for export in capture.accepted if export.signal is signal and export.items),
            key=lambda export: export.arrived_unix_nano,
        )
        regular = [export for export in exports if asked and export.arrived_unix_nano <= asked[-1]]
        view: dict[str, Any] = {
            "signal": signal.value,
            "exports": len(exports),
            "regular": len(regular),
        }
        if regular:
            bounds = _of_points if signal is Signal.METRICS else _of_batches
            at_least, at_most = bounds(regular, capture.run.started_unix_nano, asked)
            view |= {"at_least_s": _seconds(at_least), "at_most_s": _seconds(at_most)}
            configured = _configured_ns(capture.run.environment.get(variable, ""))
            if configured:
                view["above_s"] = _seconds(max(0.0, at_least - configured))
                view["below_s"] = _seconds(max(0.0, configured - at_most))
        items.append(Item(f"{capture.run.label} · {signal} exports", view))
    return items


def last_data(capture: Capture) -> list[Item]:
    """Return one item for each signal: how much of the last answer's usage is missing in it.

    ``untold`` is the number of output tokens of that answer that no data point (or event) of its
    time or later reports.
    """
    last = _last_answer(capture)
    if last is None:
        return []
    since = last.arrived_unix_nano - _TICK_NS
    reported = {
        Signal.METRICS: _metered(capture.accepted, since),
        Signal.LOGS: _logged(capture.accepted, since),
    }
    return [
        Item(
            f"{capture.run.label} · last {signal}",
            {
                "signal": signal.value,
                "untold": 0 if tokens >= last.output_tokens else last.output_tokens - tokens,
            },
        )
        for signal, tokens in reported.items()
    ]


def last_spans(capture: Capture) -> list[Item]:
    """Return one item that counts the spans, and those that ended after the last question.

    ``ended`` counts the latter. There is an item only for a session that asked the model
    something and is to export traces.
    """
    last = _last_answer(capture)
    if last is None or "otlp" not in capture.run.environment.get("OTEL_TRACES_EXPORTER", ""):
        return []
    spans = [span for export in capture.accepted for span in export.spans]
    since = last.arrived_unix_nano - _TICK_NS
    ended = sum(span.end_time_unix_nano >= since for span in spans)
    return [Item(f"{capture.run.label} · last spans", {"spans": len(spans), "ended": ended})]


def _last_answer(capture: Capture) -> ApiCall | None:
    answered = [call for call in _main_calls(capture) if call.output_tokens]
    return answered[-1] if answered else None


def _main_calls(capture: Capture) -> list[ApiCall]:
    calls = capture.run.truth.api_calls
    return [call for call in calls if not call.auxiliary and call.arrived_unix_nano]


def _asked(capture: Capture) -> list[int]:
    return [call.arrived_unix_nano for call in _main_calls(capture)]


def _of_points(
    regular: Sequence[Export], started: int, asked: Sequence[int]
) -> tuple[float, float]:
    """Return bounds of the interval of metrics, by their requests.

    With enough requests: the usual gap between two of them, by their arrival and by the times of
    their data points. Several may arrive at once after this process was kept from listening,
    although they were not made at once. And no request is made without new data, so that a gap
    may be longer than the interval (see :func:`_waited`).

    With few requests, only the first one is of use: it was made one interval after a moment
    between the start of the process and its first question to the model.
    """
    arrivals = [export.arrived_unix_nano for export in regular]
    point_times = [max(point.time_unix_nano for point in export.data_points) for export in regular]
    if len(arrivals) <= _ENOUGH_GAPS:
        return max(0, min(arrivals[0], point_times[0]) - asked[0]), arrivals[0] - started
    usual = [median(b - a for a, b in pairwise(times)) for times in (arrivals, point_times)]
    waits = [_waited(earlier, later, asked) for earlier, later in pairwise(arrivals)]
    return min(*usual, median(waits)), max(usual)


def _waited(earlier: int, later: int, asked: Sequence[int]) -> int:
    """Return a lower bound of the interval, by the gap between two requests.

    If an export was skipped for lack of new data, the next question to the model came after it,
    in the second half of the gap, and its tokens were exported at the end of the gap: then only
    the time from that question on is proved. Otherwise, the gap is the interval.
    """
    first = min((moment for moment in asked if earlier < moment <= later), default=later)
    return (
        later - earlier if first - earlier < _SURELY_NOT_HALF * (later - earlier) else later - first
    )


def _of_batches(
    regular: Sequence[Export], started: int, asked: Sequence[int]
) -> tuple[float, float]:
    """Return bounds of the interval of logs or traces, by their batches.

    No record waits for longer than an interval, and none leaves before one has passed since the
    last record of the batch before it.
    """
    waits, apart = [], []
    before = started
    for export in regular:
        times = _times(export)
        waits.append(max(0, export.arrived_unix_nano - min(times)))
        apart.append(max(0, export.arrived_unix_nano - before))
        before = max(times)
    # A busy machine lengthens both.  What waited longer than the interval can be, came late.
    at_most = min(apart)
    return min(median_low(waits), at_most), at_most


def _times(export: Export) -> list[int]:
    """Return the times of the records of a batch; of spans, when they ended."""
    if export.signal is Signal.TRACES:
        return [span.end_time_unix_nano for span in export.spans]
    return [event.time_unix_nano for event in export.events]


def _metered(exports: Sequence[Export], since: int) -> float:
    points = [point for export in exports for point in export.data_points]
    return sum(
        point.value or 0.0
        for point in points
        if point.metric.name == _TOKENS
        and point.attributes.get("type") == "output"
        and point.time_unix_nano >= since
    )


def _logged(exports: Sequence[Export], since: int) -> float:
    events = [event for export in exports for event in export.events]
    return sum(
        _number(event.attributes.get("output_tokens"))
        for event in events
        if event_name(event) == "api_request" and event.time_unix_nano >= since
    )


def _number(value: object) -> float:
    """Return a count as a number; older releases send it as digits, and anything else is 0."""
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _configured_ns(text: str) -> float:
    """Return a configured interval in nanoseconds; 0 if there is none, or none above 0."""
    return max(0.0, _number(text)) * 1e6


def _seconds(nanoseconds: float) -> float:
    return round(nanoseconds / 1e9, 3)


MEASURES = (intervals, last_data, last_spans)
