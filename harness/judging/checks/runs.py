"""Checks of fields against facts of the run: its times, machine, account, prompts and failures."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from ...capture.run import ApiCall, Failure
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import MISSING, Item
from ..items.view import CaptureView
from .accounting import total
from .fields import carrying, chosen, nothing_seen, number
from .lengths import lengths

#: How far the subject's clock readings may lie outside of what we saw of the process.
_SLACK_NS = 1_000_000_000

#: How far a duration by the subject's clock may lie from ours, and what rounding takes away.
_SLACK_MS = 5.0


#: The digits of base 58, and how many of them hold a UUID.
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TAGGED_DIGITS = 22


def within_the_run(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, a time in Unix nanoseconds, lies between the run's start and end."""
    having = [(item, value) for item, value in carrying(requirement, view) if value]
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    first = view.run.started_unix_nano - _SLACK_NS
    last = view.run.ended_unix_nano + _SLACK_NS
    findings = tuple(
        Finding(f"a time from {first} to {last}, when the process ran", str(value), item.where)
        for item, value in having
        if not first <= value <= last
    )
    return Judged(len(having), findings)


def shorter_than_the_run(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, a duration in milliseconds, is not longer than the run."""
    having = [
        (item, length_ms)
        for item, value in carrying(requirement, view)
        if (length_ms := number(value)) is not None
    ]
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    wall_ms = _wall_s(view) * 1000
    findings = tuple(
        Finding(f"at most {wall_ms:.0f} ms, the run’s own length", f"{length_ms:g}", item.where)
        for item, length_ms in having
        if not length_ms <= wall_ms
    )
    return Judged(len(having), findings)


def active_within_the_run(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that no stream of the counter, in seconds, adds up to more than the run's length."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    streams: dict[str, list[Item]] = {}
    for item in items:
        streams.setdefault(str(sorted(item.view["attributes"].items())), []).append(item)
    wall_s = _wall_s(view)
    findings = tuple(
        Finding(
            f"at most {wall_s:.1f} s, the run’s own length",
            f"{total(members):g} s",
            members[-1].where,
        )
        for members in streams.values()
        if total(members) > wall_s
    )
    return Judged(len(streams), findings)


def active_at_least(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the counter, in seconds, adds up to what the model took for its answers at least.

    Only the answers of the main loop count: a session waits for them, which is active time.
    """
    items = chosen(requirement, view)
    calls = [call for call in view.truth.api_calls if call.status == 200 and not call.auxiliary]
    least_s = sum(_held_ms(call) for call in calls if call.answered_unix_nano) / 1000
    if not items or not least_s:
        return nothing_seen(requirement, items)
    if any(item.view["value"] is None for item in items):
        return NotExercised("a data point has no value, so that there is no sum")
    counted_s = total(items)
    if counted_s >= least_s:
        return Judged(len(items))
    return Judged(
        len(items),
        (
            Finding(
                f"at least {least_s:.2f} s: so long the model took for its answers",
                f"{counted_s:g} s",
                f"{view.run.label} · {requirement.selects}",
            ),
        ),
    )


def as_host(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the fact of this machine that ``params.fact`` names.

    Where the machine has no such fact, the field must be absent.
    """
    wanted = getattr(view.run.host, str(requirement.params["fact"]))
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(
            f"{shown(wanted)}, as this machine is" if wanted else f"no {requirement.path[-1]} here",
            shown(item.at(requirement.path)),
            item.where,
        )
        for item in items
        if item.at(requirement.path) != (wanted or MISSING)
    )
    return Judged(len(items), findings)


def as_signed_in(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that every selected item carries the field, with the value of the account signed in."""
    wanted = view.truth.account.get(requirement.path[-1])
    items = chosen(requirement, view)
    if not items or wanted is None:
        return NotExercised(f"no {requirement.selects} of a session with an account was exported")
    findings = tuple(
        Finding(f"{shown(wanted)}, who is signed in", shown(item.at(requirement.path)), item.where)
        for item in items
        if item.at(requirement.path) != wanted
    )
    return Judged(len(items), findings)


def account_tagged(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the UUID of the signed-in account as the admin APIs write it.

    That is ``user_01`` and the UUID as a number in base 58, in 22 digits.
    """
    account = view.truth.account.get("user.account_uuid")
    if not account:
        return NotExercised("the run had no account with a UUID")
    number, digits = uuid.UUID(account).int, ""
    while len(digits) < _TAGGED_DIGITS:
        number, digit = divmod(number, len(_BASE58))
        digits = _BASE58[digit] + digits
    having = carrying(requirement, view)
    findings = tuple(
        Finding(f"user_01{digits}, of the account {account}", shown(value), item.where)
        for item, value in having
        if value != f"user_01{digits}"
    )
    return (
        Judged(len(having), findings)
        if having
        else nothing_seen(requirement, chosen(requirement, view))
    )


def prompt_length(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the length of the prompt, in UTF-16 code units or in characters."""
    return _each_prompt(
        requirement,
        view,
        lambda prompt, value: number(value) in lengths(prompt),
        lambda prompt: f"{lengths(prompt)[0]}, the length of {prompt!r}",
    )


def prompt_text(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is exactly the text of the prompt."""
    return _each_prompt(
        requirement, view, lambda prompt, value: bool(value == prompt), lambda prompt: prompt
    )


def failures_told(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the events report ``params.fact`` of each failed API request, in order.

    Of requests that nothing received, nobody knows the number: each event is about one of them.

    With ``params.statuses``, only failures are judged whose last answer had one of these statuses
    (0: no answer came); with ``params.retried``, only those that failed after retries are told.
    """
    fact = str(requirement.params["fact"])
    statuses = requirement.params.get("statuses")
    assert statuses is None or isinstance(statuses, list)
    items = sorted(chosen(requirement, view), key=lambda item: item.view["time_unix_nano"])
    failures = view.truth.failures
    if requirement.params.get("retried"):
        failures = tuple(failure for failure in failures if failure.retried)
    if not items or not failures:
        return NotExercised("the run saw no failed API request, or no event told of one")
    if not any(failure.attempts for failure in failures):
        failures = failures[:1] * len(items)
    if len(items) != len(failures):
        return NotExercised("the events do not tell which failure each is about")
    by_id = {call.request_id: call for call in view.truth.api_calls}
    findings = []
    looked_at = 0
    for failure, item in zip(failures, items, strict=True):
        calls = [by_id[request_id] for request_id in failure.request_ids if request_id in by_id]
        if not _FACTS[fact][0](failure, calls):
            continue
        if statuses is not None and (failure.status or 0) not in statuses:
            continue
        looked_at += 1
        value = item.at(requirement.path)
        wanted, right = _FACTS[fact][1](failure, calls, value)
        if not right:
            findings.append(Finding(wanted, shown(value), item.where))
    if not looked_at:
        return NotExercised(f"no failure tells of {fact}")
    return Judged(looked_at, tuple(findings))


_Fact = tuple[
    Callable[[Failure, Sequence[ApiCall]], bool],
    Callable[[Failure, Sequence[ApiCall], Any], tuple[str, bool]],
]

_FACTS: dict[str, _Fact] = {
    "status": (
        lambda failure, calls: failure.status is not None,
        lambda failure, calls, value: (f"{failure.status}", number(value) == failure.status),
    ),
    "no status": (
        lambda failure, calls: failure.status is None,
        lambda failure, calls, value: ("no status: no answer came", value is MISSING),
    ),
    "attempts": (
        lambda failure, calls: failure.attempts > 0,
        lambda failure, calls, value: (
            f"{failure.attempts}: so many requests came for it",
            number(value) == failure.attempts,
        ),
    ),
    "message": (
        lambda failure, calls: bool(failure.message),
        lambda failure, calls, value: (
            f"a message with {failure.message!r}",
            isinstance(value, str) and failure.message in value,
        ),
    ),
    "model": (
        lambda failure, calls: bool(calls),
        lambda failure, calls, value: (
            f"{calls[-1].model}, which was asked",
            isinstance(value, str) and value.partition("[")[0] == calls[-1].model.partition("[")[0],
        ),
    ),
    "request id": (
        lambda failure, calls: failure.status is not None and bool(calls),
        lambda failure, calls, value: (
            f"{calls[-1].request_id}, the id of the last answer",
            value == calls[-1].request_id,
        ),
    ),
    "no request id": (
        lambda failure, calls: failure.status is None,
        lambda failure, calls, value: ("no request id: no answer came", value is MISSING),
    ),
    "duration": (
        lambda failure, calls: any(call.answered_unix_nano for call in calls),
        lambda failure, calls, value: (
            f"at least {_held_ms(calls[-1]):.0f} ms: so long the last request took",
            (number(value) or 0.0) >= _held_ms(calls[-1]) - _SLACK_MS,
        ),
    ),
    "all attempts": (
        lambda failure, calls: any(call.answered_unix_nano for call in calls),
        lambda failure, calls, value: (
            f"at least {_held_ms(calls[0], calls[-1]):.0f} ms: so long all attempts took",
            (number(value) or 0.0) >= _held_ms(calls[0], calls[-1]) - _SLACK_MS,
        ),
    ),
}


def _held_ms(first: ApiCall, last: ApiCall | None = None) -> float:
    """Return how long it took from the first call's arrival to the last one's answer."""
    return ((last or first).answered_unix_nano - first.arrived_unix_nano) / 1e6


def _each_prompt(
    requirement: Requirement,
    view: CaptureView,
    right: Callable[[str, Any], bool],
    wanted: Callable[[str], str],
) -> Outcome:
    items = sorted(chosen(requirement, view), key=lambda item: item.view["time_unix_nano"])
    pairs: Sequence[tuple[str, Item]] = list(zip(view.truth.prompts, items, strict=False))
    if not pairs:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(wanted(prompt), shown(item.at(requirement.path)), item.where)
        for prompt, item in pairs
        if not right(prompt, item.at(requirement.path))
    )
    return Judged(len(pairs), findings)


def _wall_s(view: CaptureView) -> float:
    return (view.run.ended_unix_nano - view.run.started_unix_nano) / 1e9
