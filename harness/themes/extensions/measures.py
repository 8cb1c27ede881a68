"""Measure which hooks were logged as registered, as begun and as ended, against what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ...capture.capture import Capture
from ...capture.observed import observed
from ...fakes.hook_stub import BLOCK, FAIL, HANG, SUCCEED
from ...judging.items.item import Item
from ...judging.items.measured import compared, integer
from ...otlp.model import Event
from . import plugin_measures
from .observed import OF_A_PLUGIN, Hooked, HookRun

#: How each outcome is counted.
_COUNTED = {
    "num_success": SUCCEED,
    "num_blocking": BLOCK,
    "num_non_blocking_error": FAIL,
    "num_cancelled": HANG,
}

#: A timer may fire a little early.
_EARLY_MS = 20


def hooks_registered(capture: Capture) -> list[Item]:
    """Return one item for each kind of configured hook: how many there are, and were logged.

    A kind is the event, the type, the source and, where that is logged, the matcher. ``missing``
    are hooks without an event, ``extra`` events without a hook; hooks of plugins that come with a
    release are not compared.
    """
    hooked = observed(capture.run, Hooked)
    if hooked is None or not capture.run.truth.api_calls:
        return []
    plugins = {hook.event for hook in hooked.configured if hook.source == OF_A_PLUGIN}
    logged = Counter(
        _kind(
            event.attributes.get("hook_event"),
            event.attributes.get("hook_type"),
            event.attributes.get("hook_source"),
        )
        for event in capture.events("hook_registered")
        if event.attributes.get("hook_source") != OF_A_PLUGIN
        or event.attributes.get("hook_event") in plugins
    )
    configured = Counter(_kind(hook.event, hook.type, hook.source) for hook in hooked.configured)
    return compared(f"{capture.run.label} · hooks", "kind", configured, logged)


def hook_matchers(capture: Capture) -> list[Item]:
    """Return one item for each event: which matchers its hooks have, and which were logged."""
    hooked = observed(capture.run, Hooked)
    events = capture.events("hook_registered")
    if hooked is None or not events:
        return []
    items = []
    for name in sorted({hook.event for hook in hooked.configured}):
        own = sorted(hook.matcher for hook in hooked.configured if hook.event == name)
        logged = sorted(
            str(event.attributes.get("hook_matcher", ""))
            for event in events
            if event.attributes.get("hook_event") == name
        )
        where = f"{capture.run.label} · matchers of {name}"
        items.append(Item(where, {"hook_event": name, "as_configured": own == logged}))
    return items


def hook_executions(capture: Capture) -> list[Item]:
    """Return one item for each name of hooks that ran: how often, and what was logged of it.

    ``miscounted`` are events with another number of hooks, or of outcomes, than ran; ``too_short``
    are ends after less time than a hook that never ends was waited for, ``too_long`` those that
    took longer than the whole session.
    """
    hooked = observed(capture.run, Hooked)
    if hooked is None:
        return []
    starts = _by_name(capture.events("hook_execution_start"))
    ends = _by_name(capture.events("hook_execution_complete"))
    ran = _executions(hooked.ran)
    # Plugins that a release brings with it have hooks of their own, of which we know nothing.
    return [
        Item(
            f"{capture.run.label} · hooks of {name}",
            {
                "hook_name": name,
                "hook_event": name.partition(":")[0],
                **_compared("starts", len(ran[name]), len(starts.get(name, ()))),
                **_compared("ends", len(ran[name]), len(ends.get(name, ()))),
                "miscounted_starts": _miscounted(ran[name], starts.get(name, ()), ("num_hooks",)),
                "miscounted_ends": _miscounted(
                    ran[name], ends.get(name, ()), ("num_hooks", *_COUNTED)
                ),
                **_durations(capture, hooked, ran[name], ends.get(name, ())),
            },
        )
        for name in sorted(ran)
    ]


def hook_pairs(capture: Capture) -> list[Item]:
    """Return one item for each name of hooks that a session logged: what ended without a start.

    Events are taken in the order of ``event.sequence``. Of any session, also one whose hooks come
    with the release.
    """
    sessions: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for kind in ("hook_execution_start", "hook_execution_complete"):
        for event in capture.events(kind):
            key = (str(event.attributes.get("session.id")), str(event.attributes.get("hook_name")))
            place = (integer(event.attributes.get("event.sequence")), kind)
            sessions.setdefault(key, []).append(place)
    items = []
    for (_, name), logged in sorted(sessions.items()):
        running = unstarted = 0
        for _, kind in sorted(logged):
            if kind == "hook_execution_start":
                running += 1
            elif running:
                running -= 1
            else:
                unstarted += 1
        where = f"{capture.run.label} · hooks of {name}"
        items.append(Item(where, {"hook_name": name, "unstarted": unstarted}))
    return items


def _kind(event: object, kind: object, source: object) -> str:
    return f"of {event}, {kind}, in {source}"


def _executions(runs: Sequence[HookRun]) -> dict[str, list[list[HookRun]]]:
    """Group the runs of hooks by full name, and those by what they were run for."""
    grouped: dict[str, dict[str, list[HookRun]]] = {}
    for run in runs:
        grouped.setdefault(run.full_name, {}).setdefault(run.tool_use_id, []).append(run)
    return {name: list(by_use.values()) for name, by_use in grouped.items()}


def _by_name(events: Sequence[Event]) -> dict[str, list[Event]]:
    named: dict[str, list[Event]] = {}
    for event in events:
        name = str(event.attributes.get("hook_name"))
        if event.attributes.get("hook_event") == name.partition(":")[0]:
            named.setdefault(name, []).append(event)
    return named


def _compared(word: str, ran: int, logged: int) -> dict[str, int]:
    return {f"missing_{word}": max(0, ran - logged), f"extra_{word}": max(0, logged - ran)}


def _miscounted(
    ran: Sequence[Sequence[HookRun]], events: Sequence[Event], fields: Sequence[str]
) -> int:
    """Count the events whose numbers are those of no execution that is not told by another."""
    happened = Counter(_numbers(execution, fields) for execution in ran)
    told = Counter(
        tuple(integer(event.attributes.get(field)) for field in fields) for event in events
    )
    return sum((told - happened).values())


def _numbers(execution: Sequence[HookRun], fields: Sequence[str]) -> tuple[int, ...]:
    outcomes = Counter(run.outcome for run in execution)
    return tuple(
        outcomes[_COUNTED[field]] if field in _COUNTED else len(execution) for field in fields
    )


def _durations(
    capture: Capture, hooked: Hooked, ran: Sequence[Sequence[HookRun]], ends: Sequence[Event]
) -> Mapping[str, int]:
    """Count the ends that tell too short or too long a time."""
    hung = all(any(run.outcome == HANG for run in execution) for execution in ran)
    least_ms = hooked.limit_ms - _EARLY_MS if hung else 0
    most_ms = (capture.run.ended_unix_nano - capture.run.started_unix_nano) / 1e6
    told = [integer(event.attributes.get("total_duration_ms")) for event in ends]
    return {
        "too_short": sum(value < least_ms for value in told),
        "too_long": sum(value > most_ms for value in told),
    }


MEASURES = (hooks_registered, hook_matchers, hook_executions, hook_pairs, *plugin_measures.MEASURES)
