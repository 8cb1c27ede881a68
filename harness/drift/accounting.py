"""Tell what was counted of what really happened in a session, in classes and not in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.names import event_name
from ..capture.run import ApiCall
from ..exposition import is_exposed
from ..judging.checks.truth import OCCASIONS
from ..otlp.model import DataPoint, Event, Signal
from .facts import Fact, Topic

#: The kinds of tokens, as the counter calls them and as the API bills them.
_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cacheCreation": "cache_creation_tokens",
}

#: What a counter counts: its metric, its ``type``, and the occasion.
_COUNTERS: Mapping[str, tuple[str, str, str]] = {
    "sessions": ("claude_code.session.count", "", "a session"),
    "lines added": ("claude_code.lines_of_code.count", "added", "an added line"),
    "lines removed": ("claude_code.lines_of_code.count", "removed", "a removed line"),
    "commits": ("claude_code.commit.count", "", "a commit"),
    "pull requests": ("claude_code.pull_request.count", "", "a pull request"),
    "edit decisions": ("claude_code.code_edit_tool.decision", "", "a decision about an edit"),
}

#: What events tell of: their name, and how often they are due, at least and at most.
_EVENTS: Mapping[str, tuple[str, str, str]] = {
    "prompts": ("user_prompt", "a prompt", ""),
    "tool results": ("tool_result", "a tool run", ""),
    "tool decisions": ("tool_decision", "a decision", ""),
    "failed requests": ("api_error", "a failed API request", ""),
    # Who does not wait for a side call's answer may tell of it or not.
    "answered requests": ("api_request", "an answer of the main loop", "another answer"),
}

#: What each is counted in, where that is not its name's: cost is counted from tokens.
_OF_TOKENS = ("metric claude_code.token.usage", "metric claude_code.cost.usage")


def owners(about: str) -> tuple[str, ...]:
    """Return the metrics and events that tell of what a fact of accounting is about."""
    if about in _COUNTERS:
        return (f"metric {_COUNTERS[about][0]}",)
    if about in _EVENTS:
        return (f"event {_EVENTS[about][0]}",)
    if about == _ACTIVE:
        return ("metric claude_code.active_time.total",)
    if about == _COST:
        return ("metric claude_code.cost.usage", "event api_request")
    if about.startswith(_MENTIONS):
        return ("event at_mention",)
    return ("event api_request",) if about.endswith(_TOLD) else _OF_TOKENS


_ACTIVE, _COST = "active time", "cost against events"
_TOLD, _MENTIONS = " tokens of events", "mentions "

#: Sums of a few hundred doubles.
_RELATIVE = 1e-6

_AS_IT_WAS, _FEWER, _MORE, _NONE = "as it was", "fewer", "more", "none"


def accounting(capture: Capture) -> Iterator[Fact]:
    """Yield what was counted and told of a session against what happened in it."""
    points = _points(capture)
    if points is not None:
        yield from _counters(capture, points)
        yield from _tokens(capture, points)
    events = _events(capture)
    if events is None:
        return
    for about, (name, occasion, besides) in _EVENTS.items():
        least = OCCASIONS[occasion](capture.run.truth)
        most = least + (OCCASIONS[besides](capture.run.truth) if besides else 0)
        told = sum(event_name(event) == name for event in events)
        yield from _fact(about, told, least, most)
    requests = [event for event in events if event_name(event) == "api_request"]
    for kind, field in _TOKENS.items():
        told_tokens = sum(_number(event.attributes.get(field)) for event in requests)
        yield from _fact(f"{kind}{_TOLD}", told_tokens, *_bounds(capture, field))
    if points is not None:
        costs = [_number(event.attributes.get("cost_usd")) for event in requests]
        yield from _fact(
            "cost against events", _total(points, "claude_code.cost.usage"), sum(costs)
        )


def _counters(capture: Capture, points: Sequence[DataPoint]) -> Iterator[Fact]:
    for about, (metric, kind, occasion) in _COUNTERS.items():
        happened = OCCASIONS[occasion](capture.run.truth)
        yield from _fact(about, _total(points, metric, kind), happened)
    kinds = {
        str(point.attributes.get("type"))
        for point in points
        if point.metric.name == "claude_code.active_time.total" and point.value
    }
    # Who types is active for a moment that a fast machine may round to nothing.
    if capture.run.truth.tool_runs:
        yield Fact(Topic.ACCOUNTING, _ACTIVE, ", ".join(sorted(kinds)) or _NONE)


def _tokens(capture: Capture, points: Sequence[DataPoint]) -> Iterator[Fact]:
    """Yield how the tokens that were counted compare with those that were billed.

    Side calls may be counted or not, as they race with the end of the session; that they are
    is a fact of its own.
    """
    waited_for = [
        call
        for call in capture.run.truth.api_calls
        if call.status == 200 and call.auxiliary and not (call.probe or call.given_up)
    ]
    for kind, field in _TOKENS.items():
        counted = _total(points, "claude_code.token.usage", kind)
        least, most = _bounds(capture, field)
        yield from _fact(f"{kind} tokens", counted, least, most)
        side = _billed(waited_for, field)
        if side and counted:
            value = "counted" if counted >= least + side else "not counted"
            yield Fact(Topic.ACCOUNTING, f"{kind} tokens of side calls", value, raced=True)


def _bounds(capture: Capture, field: str) -> tuple[int, int]:
    """Return how many tokens may be told, at least and at most.

    Whether side calls and answers that broke off are among them is left open.
    """
    calls = capture.run.truth.api_calls
    main = [call for call in calls if call.status == 200 and not call.auxiliary]
    return _billed(main, field), _billed((call for call in calls if call.status in (200, 0)), field)


def _fact(about: str, counted: float, least: float, most: float | None = None) -> Iterator[Fact]:
    most = least if most is None else most
    if not (counted or least):
        return
    slack = _RELATIVE * max(counted, most)
    if not counted:
        value = _NONE
    elif counted < least - slack:
        value = _FEWER
    else:
        value = _MORE if counted > most + slack else _AS_IT_WAS
    yield Fact(Topic.ACCOUNTING, about, value)


def _billed(calls: Iterable[ApiCall], field: str) -> int:
    return sum(getattr(call, field) for call in calls)


def _sent(capture: Capture, signal: Signal) -> list[Export] | None:
    """Return the requests of a signal; None if the session was not to send any over OTLP."""
    if "otlp" not in capture.run.environment.get(f"OTEL_{signal.upper()}_EXPORTER", ""):
        return None
    return [
        export for export in capture.accepted if export.signal is signal and not is_exposed(export)
    ]


def _points(capture: Capture) -> list[DataPoint] | None:
    sent = _sent(capture, Signal.METRICS)
    return None if sent is None else [point for export in sent for point in export.data_points]


def _events(capture: Capture) -> list[Event] | None:
    sent = _sent(capture, Signal.LOGS)
    return None if sent is None else [event for export in sent for event in export.events]


def _total(points: Iterable[DataPoint], name: str, kind: str = "") -> float:
    """Add up a metric: all deltas, and the last value of each cumulative stream."""
    deltas = 0.0
    last: dict[object, float] = {}
    for point in sorted(points, key=lambda point: point.time_unix_nano):
        if point.metric.name != name or (kind and point.attributes.get("type") != kind):
            continue
        if point.metric.temporality == "cumulative":
            last[point.attributes.key] = float(point.value or 0)
        else:
            deltas += float(point.value or 0)
    return deltas + sum(last.values())


def _number(value: object) -> float:
    """Return a cost as a number; older releases send it as digits, and anything else is 0."""
    try:
        return float(str(value))
    except ValueError:
        return 0.0
