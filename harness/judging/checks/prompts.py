"""Checks of ``prompt.id``: one for each prompt, on every event that the prompt led to."""

from __future__ import annotations

from collections import Counter

from ...contract.requirement import Requirement, Selector
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import MISSING, Item
from ..items.view import CaptureView
from .fields import carrying, chosen, is_one_of, nothing_seen

_PROMPTS = Selector("event", "user_prompt")


def one_for_each(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that no two selected items have the same value in the field."""
    having = carrying(requirement, view)
    if len(having) < 2:
        return NotExercised(f"fewer than two {requirement.selects} carried the field in one run")
    times = Counter(shown(value) for _, value in having)
    findings = tuple(
        Finding("a value of its own", f"{shown(value)}, {times[shown(value)]} times", item.where)
        for item, value in having
        if times[shown(value)] > 1
    )
    return Judged(len(having), findings)


def kept_on_disk(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the id of a message by ``params.role`` in the transcript.

    Those of several events are in the order of their transcript. A session that was ended by a
    signal may not have kept all of them. What was answered beside the conversation, such as a
    title, is no message; what a subagent was answered is.
    """
    beside = {call.request_id for call in view.truth.api_calls if call.auxiliary}
    having = [
        (item, value)
        for item, value in carrying(requirement, view)
        if not is_one_of(item.at(("attributes", "request_id")), beside)
        or str(item.at(("attributes", "query_source"))).startswith("agent:")
    ]
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    role = requirement.params["role"]
    kept = {
        message.uuid: message.file for message in view.truth.kept_messages if message.role == role
    }
    if not kept or view.run.exit_code < 0:
        return NotExercised("the session kept no transcript to its end")
    findings = tuple(
        Finding("the uuid of a message in the session's transcript", shown(value), item.where)
        for item, value in having
        if not is_one_of(value, kept)
    )
    if not findings:
        told = [value for _, value in sorted(having, key=lambda pair: _time(pair[0]))]
        place = {value: number for number, value in enumerate(kept)}
        for file in dict.fromkeys(kept.values()):
            ordered = [value for value in told if kept[value] == file]
            wanted = sorted(ordered, key=place.__getitem__)
            if ordered != wanted:
                found = Finding(
                    f"{', '.join(wanted)}, in this order", ", ".join(ordered), view.run.label
                )
                findings = (*findings, found)
    return Judged(len(having), findings)


def of_a_prompt(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the id of a prompt that was logged in the session.

    Of the events named in ``params.latest``, it is that of the latest prompt before them. Others
    may come a moment before the prompt itself: what it mentions is read first.
    """
    latest_only = requirement.params.get("latest", [])
    assert isinstance(latest_only, list)
    prompts = sorted(view.select(_PROMPTS), key=_time)
    ids = [prompt.at(requirement.path) for prompt in prompts]
    times = [_time(prompt) for prompt in prompts]
    if MISSING in ids or not ids:
        return NotExercised(f"not every user_prompt carried {requirement.path[-1]}")
    having = [
        (item, value)
        for item in chosen(requirement, view)
        if "user_prompt" not in item.view["names"]
        and (
            (value := item.at(requirement.path)) is not MISSING
            or set(latest_only) & set(item.view["names"])
        )
    ]
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    findings = []
    for item, value in having:
        allowed = ids
        if set(latest_only) & set(item.view["names"]):
            earlier = [id_ for id_, at in zip(ids, times, strict=True) if at < _time(item)]
            # Of the same millisecond it may have come before the prompt or after it.
            same = [id_ for id_, at in zip(ids, times, strict=True) if at == _time(item)]
            allowed = [*earlier[-1:], *same]
        if value not in allowed:
            wanted = allowed[-1] if allowed else "no id: no prompt came before"
            seen = "nothing" if value is MISSING else shown(value)
            findings.append(Finding(f"{wanted}, the id of its prompt", seen, item.where))
    return Judged(len(having), tuple(findings))


def _time(item: Item) -> int:
    return int(item.view["time_unix_nano"])
