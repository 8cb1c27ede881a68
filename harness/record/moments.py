"""What happened in a run and when, as a record keeps it for a reader: calls, tools, exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..capture.capture import Capture
from ..capture.export import MAIN, Export

#: Moments of a run that are kept: some sessions export hundreds of times.
_MOST = 150

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in a run, in seconds from its start.

    ``lane`` is what it belongs to: ``model``, ``tools``, ``helper``, ``metrics``, ``logs``,
    ``traces`` or ``unknown``. ``ok`` is false for what was refused or failed.
    """

    lane: str
    at_s: float
    until_s: float
    text: str
    ok: bool = True


def moments_of(capture: Capture) -> tuple[Moment, ...]:
    """Return what happened in the run of a capture, in order; of very many, the first ones."""
    start = capture.run.started_unix_nano
    found = [
        Moment(
            each.lane,
            round((each.at_s - start) / _NS, 3),
            round((each.until_s - start) / _NS, 3),
            each.text,
            each.ok,
        )
        for each in (*_told(capture), *_exports(capture))
    ]
    return tuple(sorted(found, key=lambda moment: moment.at_s)[:_MOST])


def _told(capture: Capture) -> Iterator[Moment]:
    """Yield what our fakes saw, with times in Unix nanoseconds."""
    truth = capture.run.truth
    for call in truth.api_calls:
        if call.arrived_unix_nano:
            aside = ", beside the script" if call.auxiliary else ""
            answer = f"status {call.status}" if call.status else "no answer"
            until = max(call.answered_unix_nano, call.arrived_unix_nano)
            text = f"request to the model{aside}: {answer}"
            yield Moment("model", call.arrived_unix_nano, until, text, call.status == 200)
    for tool in truth.tool_runs:
        if tool.asked_unix_nano and tool.returned_unix_nano:
            text = f"{tool.name}{'' if tool.ok else ' failed'}"
            yield Moment("tools", tool.asked_unix_nano, tool.returned_unix_nano, text, tool.ok)
    helper = capture.run.observed.get("helper")
    runs = helper.get("runs") if isinstance(helper, dict) else None
    for run in runs if isinstance(runs, list) else ():
        started = int(run["started_unix_nano"])
        until = max(int(run["answered_unix_nano"]), started)
        yield Moment("helper", started, until, "headers helper")


def _exports(capture: Capture) -> Iterator[Moment]:
    last: dict[tuple[str, str], int] = {}
    for export in capture.exports:
        lane = export.signal.value if export.signal else "unknown"
        before = last.get((lane, export.collector))
        last[lane, export.collector] = at = export.arrived_unix_nano
        since = "" if before is None else f", {(at - before) / _NS:.2f} s after the one before"
        yield Moment(lane, at, at, f"{_named(export)}{since}", not export.rejected)


def _named(export: Export) -> str:
    over = export.protocol.value if export.protocol else "shown, not sent"
    to = "" if export.collector == MAIN else f" to {export.collector}"
    answer = f", answered {export.answered or export.status}" if export.protocol else ""
    refused = f", refused: {export.rejected}" if export.rejected else ""
    return f"{over}{to}, {len(export.body)} bytes{answer}{refused}"
