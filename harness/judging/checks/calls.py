"""Checks of fields against the requests that the scripted Messages API got and answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from ...capture.run import ApiCall
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import MISSING, Item
from ..items.view import CaptureView
from .fields import carrying, chosen, is_one_of, nothing_seen, number

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")

#: How far the subject's clocks and ours may lie apart, and what rounding takes away.
_SLACK_MS = 5.0


def told_to_the_api(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is what the requests to the API said of ``params.fact``.

    The facts are ``session_id`` and ``user_id``: what joins the telemetry of all signals to one
    session and one installation.
    """
    fact = str(requirement.params["fact"])
    told = {getattr(call, fact) for call in view.truth.api_calls} - {""}
    having = carrying(requirement, view)
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    if not told:
        return NotExercised(f"no request to the API said its {fact}")
    wanted = " or ".join(sorted(told))
    findings = tuple(
        Finding(f"{wanted}, as the requests to the API say", shown(value), item.where)
        for item, value in having
        if not is_one_of(value, told)
    )
    return Judged(len(having), findings)


def joins_a_call(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the id of an answered API request, and of no other event's.

    With ``params.failed``, it is the id of an answer that was an error.
    """
    having = carrying(requirement, view)
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    failed = bool(requirement.params.get("failed"))
    ids = {
        call.request_id
        for call in view.truth.api_calls
        if (call.status >= 400 if failed else call.status in (200, 0))
    }
    times = Counter(str(value) for _, value in having)
    findings = tuple(
        Finding(
            f"the id of an {'error answer' if failed else 'answer'} of the API, once",
            f"{shown(value)}{f', {times[str(value)]} times' if times[str(value)] > 1 else ''}",
            item.where,
        )
        for item, value in having
        if not is_one_of(value, ids) or times[str(value)] > 1
    )
    return Judged(len(having), findings)


def usage_together(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that an event tells the model and all four kinds of tokens of one and the same answer.

    Every answer of the main loop must be told, and no event may mix those of two.
    """
    items = chosen(requirement, view)
    answers = [call for call in view.truth.api_calls if call.status == 200]
    if not items or not answers:
        return nothing_seen(requirement, items)
    billed = Counter(_usage_of(call) for call in answers)
    reported = Counter(_usage_in(item) for item in items)
    findings = tuple(
        Finding("the tokens of one answer", _usage_shown(_usage_in(item)), item.where)
        for item in items
        if reported[_usage_in(item)] > billed[_usage_in(item)]
    )
    return Judged(len(items), findings)


def of_its_call(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field agrees with the API request that its event is about.

    The request is found by ``request_id``, or by model and tokens where events have no such id.
    The last part of the field's path says what is compared.
    """
    key = requirement.path[-1]
    findings = []
    looked_at = 0
    for item, call in answered(view, chosen(requirement, view)):
        wanted = _FACTS[key](call)
        value = item.at(requirement.path)
        looked_at += 1
        if not _same(value, wanted):
            expected = f"no {key}" if wanted is MISSING else shown(wanted)
            findings.append(
                Finding(
                    f"{expected}, as in the request {call.request_id}", shown(value), item.where
                )
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def took_as_long(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, in milliseconds, is as long as the API request took, seen from outside.

    It is not shorter than the API took to answer. For a request of the main loop it is not longer
    than from the answer before it to the request after it: nothing else goes on meanwhile.
    """
    findings = []
    looked_at = 0
    for item, call in answered(view, chosen(requirement, view)):
        took_ms = number(item.at(requirement.path))
        if took_ms is None or not call.answered_unix_nano:
            continue
        looked_at += 1
        least_ms, most_ms = _bounds_ms(view, call)
        if not least_ms - _SLACK_MS <= took_ms <= most_ms + _SLACK_MS:
            findings.append(
                Finding(
                    f"{least_ms:.0f} to {most_ms:.0f} ms: so long took the request "
                    f"{call.request_id}",
                    f"{took_ms:g} ms",
                    item.where,
                )
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def answered(view: CaptureView, items: Sequence[Item]) -> list[tuple[Item, ApiCall]]:
    """Pair events with the answered API requests that they are about; leave out those of none."""
    calls = [call for call in view.truth.api_calls if call.status in (200, 0)]
    by_id: Mapping[str, ApiCall] = {call.request_id: call for call in calls}
    by_usage: dict[tuple[object, ...], list[ApiCall]] = defaultdict(list)
    for call in calls:
        by_usage[_usage_of(call)].append(call)
    pairs = []
    for item in items:
        request_id = item.at(("attributes", "request_id"))
        if request_id is MISSING:
            # Usages differ from answer to answer; where they do not, neither does the request.
            same = by_usage.get(_usage_in(item), [])
            pairs += [(item, each) for each in same if len(same) == 1]
        elif str(request_id) in by_id:
            pairs.append((item, by_id[str(request_id)]))
    return pairs


def _bounds_ms(view: CaptureView, call: ApiCall) -> tuple[float, float]:
    """Return the least and the most that the client may have waited for the answer."""
    run = view.run
    earlier, later = run.started_unix_nano, run.ended_unix_nano
    if not call.auxiliary:
        main = [each for each in view.truth.api_calls if not each.auxiliary]
        # A client may count the attempts that failed before the answer, with their pauses.
        before = [
            each.answered_unix_nano
            for each in main
            if each.status == 200 and 0 < each.answered_unix_nano <= call.arrived_unix_nano
        ]
        after = [
            each.arrived_unix_nano
            for each in main
            if each.arrived_unix_nano > call.answered_unix_nano
        ]
        earlier, later = max(before, default=earlier), min(after, default=later)
    least = (call.answered_unix_nano - call.arrived_unix_nano) / 1e6
    return least, (later - earlier) / 1e6


_FACTS: Mapping[str, Callable[[ApiCall], Any]] = {
    "model": lambda call: _base(call.model),
    "effort": lambda call: call.effort or MISSING,
    "speed": lambda call: call.speed or "normal",
    **{key: attrgetter(key) for key in _TOKENS},
}


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, int):
        return number(value) == wanted
    return bool((_base(value) if isinstance(value, str) else value) == wanted)


def _usage_of(call: ApiCall) -> tuple[object, ...]:
    return (_base(call.model), *(float(getattr(call, key)) for key in _TOKENS))


def _usage_in(item: Item) -> tuple[object, ...]:
    attributes = item.view["attributes"]
    return (_base(str(attributes.get("model"))), *(number(attributes.get(key)) for key in _TOKENS))


def _usage_shown(usage: tuple[object, ...]) -> str:
    model, *tokens = usage
    counts = (f"{key} {value:g}" for key, value in zip(_TOKENS, tokens, strict=True) if value)
    return f"{model}: {', '.join(counts)}"


def _base(model: str) -> str:
    """Return a model's name without the suffix for its context window (``[1m]``)."""
    return model.partition("[")[0]
