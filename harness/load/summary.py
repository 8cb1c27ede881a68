"""Tell what a load generator sent, what became of it, and whose limit the rate met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..otlp.model import Signal
from ..record.latency import Latency
from ..report import latency
from ..report.line import Line, Style
from .arrivals import Arrived
from .counts import Counts
from .order import Order

_NOUNS = {Signal.METRICS: "points", Signal.LOGS: "events", Signal.TRACES: "spans"}
#: A process that works, or gets no turn, for more than this share of the time is a limit.
_BUSY, _BEHIND = 0.85, 0.1
#: A rate counts as reached from this share of it on.
_REACHED = 0.98
_SHOWN_REASONS = 5


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a load: what was ordered, counted and seen downstream (None: not looked)."""

    order: Order
    counts: Counts
    arrived: Arrived | None = None
    outlet: str = ""
    ended_early: bool = False

    @property
    def seconds(self) -> float:
        """How long it was sent for."""
        return self.counts.wall_s / self.order.processes

    @property
    def failed(self) -> bool:
        """Whether anything was not taken, lost or repeated."""
        return self.counts.failed or (self.arrived is not None and self.arrived.failed)


def progress(seconds: float, counts: Counts) -> str:
    """Tell in a line how far a load has come."""
    return (
        f"{seconds:6.0f} s  {counts.sessions:,} sessions · {counts.requests:,} requests · "
        f"{_bytes(counts.bytes)} · {counts.refused + counts.unanswered:,} not taken · "
        f"{counts.retried:,} retried · p99 {latency.shown(counts.answers.percentile(99) * 1000)}"
    )


def render(result: Result) -> Iterator[Line]:
    """Render the whole result."""
    order, counts, seconds = result.order, result.counts, max(result.seconds, 1e-9)
    where = ", ".join(endpoint.url for endpoint in order.endpoints)
    yield Line(
        f"sent       {', '.join(order.protocols)} to {where} · {order.connections} connections of "
        f"{order.processes} process{'es' * (order.processes > 1)} · {seconds:.1f} s"
        f"{', ended early' if result.ended_early else ''}"
    )
    asked = "as many as got through" if order.rate is None else f"{order.rate:g}/s asked"
    yield Line(f"sessions   {counts.sessions:,} · {counts.sessions / seconds:,.1f}/s · {asked}")
    items = " · ".join(f"{counts.items[signal]:,} {noun}" for signal, noun in _NOUNS.items())
    yield Line(
        f"requests   {counts.requests:,} · {counts.requests / seconds:,.1f}/s · {items} · "
        f"{_bytes(counts.bytes)}"
    )
    yield Line(
        f"answers    {counts.accepted:,} accepted · {counts.refused:,} refused · "
        f"{counts.unanswered:,} unanswered · {counts.retried:,} retried · "
        f"{counts.rejected_items:,} items rejected",
        Style.BAD if counts.failed else Style.PLAIN,
    )
    for why, number in counts.reasons.most_common(_SHOWN_REASONS):
        yield Line(f"           {number:,} times: {why}", Style.CARE)
    answers = [Latency.of("answers", "", counts.answers)] if len(counts.answers) else []
    yield from latency.render(answers, "time to the whole answer (ms)")
    if result.arrived is not None:
        yield from _arrived(result, result.arrived)
    yield Line(f"limit      {limit(result)}")
    yield _end(result)


def as_json(result: Result) -> dict[str, Any]:
    """Return the whole result as JSON's values."""
    order, counts, arrived = result.order, result.counts, result.arrived
    answers = Latency.of("answers", "", counts.answers) if len(counts.answers) else None
    return {
        "failed": result.failed,
        "ended_early": result.ended_early,
        "seconds": round(result.seconds, 3),
        "to": [endpoint.url for endpoint in order.endpoints],
        "protocols": [protocol.value for protocol in order.protocols],
        "sessions": counts.sessions,
        "requests": counts.requests,
        "bytes": counts.bytes,
        "items": {signal.value: counts.items[signal] for signal in Signal},
        "accepted": counts.accepted,
        "refused": counts.refused,
        "unanswered": counts.unanswered,
        "retried": counts.retried,
        "rejected_items": counts.rejected_items,
        "reasons": dict(counts.reasons.most_common()),
        "answers_ms": None if answers is None else _percentiles(answers),
        "limit": limit(result),
        "came_out": None
        if arrived is None
        else {
            "at": result.outlet,
            "items": arrived.came,
            "lost": {signal.value: arrived.lost[signal] for signal in Signal},
            "repeated": arrived.repeated,
            "unexpected": arrived.unexpected,
            "took_ms": {each.signal: _percentiles(each) for each in arrived.latencies("")},
        },
    }


def _percentiles(of: Latency) -> dict[str, float]:
    return {"p50": of.p50_ms, "p90": of.p90_ms, "p99": of.p99_ms, "max": of.max_ms}


def limit(result: Result) -> str:
    """Tell what kept more from being sent: the order, the generator, or waiting for answers."""
    order, counts = result.order, result.counts
    asked = _asked(order)
    if asked is not None and counts.sessions >= _REACHED * asked and not result.ended_early:
        late = f", the latest session {latency.shown(counts.late_s * 1000)} late"
        return f"none: all that was asked for was sent{late if order.rate else ''}"
    wall_s = max(counts.wall_s, 1e-9)
    busy, behind = counts.cpu_s / wall_s, counts.behind_s / wall_s
    if busy > _BUSY:
        return (
            f"the generator was the limit: its processes worked for {busy:.0%} of the time; "
            "--processes adds some, Locust machines"
        )
    if behind > _BEHIND:
        return (
            f"the generator was the limit: its processes got no turn for {behind:.0%} of the time; "
            "this machine has too much to do"
        )
    if result.ended_early:
        return "none was met: it was ended early"
    return (
        f"the answers were the limit: all {order.connections} connections were waiting for them, "
        f"and the generator worked for {busy:.0%} of the time; --connections asks for more at once"
    )


def _asked(order: Order) -> float | None:
    """Return how many sessions were asked for; None for as many as get through."""
    of_rate = None
    if order.rate is not None and order.seconds is not None:
        of_rate = order.rate * order.seconds
    known = [each for each in (of_rate, order.sessions) if each is not None]
    return min(known) if known and (order.rate is not None or order.seconds is None) else None


def _arrived(result: Result, arrived: Arrived) -> Iterator[Line]:
    lost = " · ".join(
        f"{arrived.lost[signal]:,} {noun}"
        for signal, noun in _NOUNS.items()
        if arrived.lost[signal]
    )
    total = arrived.came + arrived.lost.total()
    yield Line(
        f"came out   {arrived.came:,} of {total:,} items at {result.outlet} · "
        f"{arrived.lost.total():,} lost{f' ({lost})' if lost else ''} · "
        f"{arrived.repeated:,} repeated · {arrived.unexpected:,} unexpected",
        Style.BAD if arrived.failed else Style.PLAIN,
    )
    yield from latency.render(arrived.latencies("at the outlet:"))


def _end(result: Result) -> Line:
    if not result.failed:
        return Line(
            "OK: everything was taken" + (result.arrived is not None) * ", and came out once",
            Style.GOOD,
        )
    arrived = result.arrived
    parts = [
        ("the collector did not take everything", result.counts.failed),
        ("items were lost", arrived is not None and bool(arrived.lost.total())),
        ("items came out repeatedly", arrived is not None and bool(arrived.repeated)),
    ]
    return Line(f"FAILED: {', '.join(text for text, holds in parts if holds)}", Style.BAD)


def _bytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"
