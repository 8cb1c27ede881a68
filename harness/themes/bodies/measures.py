"""Measure what was logged of requests and responses, and where contents were cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ...capture.capture import Capture
from ...capture.observed import observed
from ...capture.run import ApiCall
from ...judging.items.item import Item
from ...judging.items.measured import integer
from ...otlp.model import Event, Signal
from .comparing import COMPARED, parsed, sent
from .experiment import ANSWERS_GATE, GATE, MARK_AT_MOST, limit_in, units
from .observed import Bodies, Sent

REQUEST, RESPONSE = "api_request_body", "api_response_body"

#: How a text that was cut ends.
MARK = re.compile(r"\s*\[TRUNCATED\b[^\]]*\]\Z")

_REQUEST_FILE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.request\.json")


def requests_logged(capture: Capture) -> list[Item]:
    """Return one item for each request of the main loop, and one for events of no request.

    ``missing`` says how many of its events are missing, ``extra`` how many there are besides.
    Where bodies were cut, only their numbers can be compared.
    """
    bodies = observed(capture.run, Bodies)
    if bodies is None or not bodies.sent:
        return []
    if any(_unmarked(str(event.attributes.get("body")))[1] for event in capture.events(REQUEST)):
        many = len(capture.events(REQUEST)) - len(bodies.sent)
        where = f"{capture.run.label} · all requests"
        return [Item(where, {"missing": max(0, -many), "extra": max(0, many)})]
    logged = Counter(_told(_content(bodies, event)) for event in capture.events(REQUEST))
    wanted = Counter(_told_of(each) for each in bodies.sent)
    first = {_told_of(each): each.request_id for each in reversed(bodies.sent)}
    auxiliary = any(call.auxiliary for call in capture.run.truth.api_calls)
    items = [
        Item(
            f"{capture.run.label} · request {first[told]}",
            {
                "missing": max(0, count - logged[told]),
                "extra": max(0, logged[told] - count),
            },
        )
        for told, count in wanted.items()
    ]
    strange = sum(count for told, count in logged.items() if told not in wanted)
    others = 0 if auxiliary else strange
    return [*items, Item(f"{capture.run.label} · other requests", {"missing": 0, "extra": others})]


def responses_logged(capture: Capture) -> list[Item]:
    """Return one item for each answer of the main loop: whether its body was logged, and right."""
    bodies = observed(capture.run, Bodies)
    if bodies is None:
        return []
    logged: dict[str, list[Event]] = {}
    for event in capture.events(RESPONSE):
        logged.setdefault(str(event.attributes.get("request_id")), []).append(event)
    items = []
    for call in capture.run.truth.api_calls:
        if call.auxiliary:
            continue
        events = logged.get(call.request_id, [])
        wanted = int(call.status == 200)
        view: dict[str, Any] = {
            "missing": max(0, wanted - len(events)),
            "extra": max(0, len(events) - wanted),
            "logged": len(events),
            "as_answered": all(_answers(_content(bodies, each), call) for each in events),
        }
        items.append(Item(f"{capture.run.label} · answer {call.request_id}", view))
    return items


def body_events(capture: Capture) -> list[Item]:
    """Return one item for each event with a body: what it says of it, against the body itself.

    ``length_is_right`` says whether the length that is told is that of the body, or, of one that
    was cut, exceeds what is left; ``file`` whether the file that is named is one of the folder,
    with a name as documented; ``model_of_the_body`` whether the model is that which the body names,
    where that can be read; ``cut_is_told`` whether the event tells just of a body that was cut.
    """
    bodies = observed(capture.run, Bodies)
    if bodies is None:
        return []
    return [
        Item(
            f"{capture.run.label} · {name} {number}",
            {
                "event": name,
                "model_of_the_body": _model(bodies, event) in (None, event.attributes.get("model")),
                **_described(bodies, event, capture.run.environment),
            },
        )
        for name in (REQUEST, RESPONSE)
        for number, event in enumerate(capture.events(name), 1)
    ]


def bodies_without_gate(capture: Capture) -> list[Item]:
    """Return one item for a run that does not open the gate: how many bodies it logged."""
    if GATE in capture.run.environment or not capture.events():
        return []
    logged = len(capture.events(REQUEST)) + len(capture.events(RESPONSE))
    return [Item(f"{capture.run.label} · bodies", {"logged": logged})]


def cut_answers(capture: Capture) -> list[Item]:
    """Return one item for each answer that is logged: how much of it, and how it ends.

    ``longer`` is by how many UTF-16 code units the answer exceeds the limit, ``over`` by how many
    what was logged does. ``whole`` says that it is all of the answer, ``beginning`` that it is the
    beginning of it, ``marked`` that a mark follows, ``filled`` that it is as long as it may be.
    """
    if observed(capture.run, Bodies) is None or ANSWERS_GATE not in capture.run.environment:
        return []
    limit = limit_in(dict(capture.run.environment))
    calls = {call.request_id: call.said for call in capture.run.truth.api_calls if call.said}
    items = []
    for event in capture.events("assistant_response"):
        said = calls.get(str(event.attributes.get("request_id")))
        if said is None:
            continue
        text = str(event.attributes.get("response", ""))
        kept, marked = _unmarked(text)
        view = {
            "longer": units(said) - limit,
            "over": max(0, units(text) - limit),
            "whole": text == said,
            "beginning": said.startswith(kept),
            "marked": marked,
            "filled": units(text) > limit - MARK_AT_MOST,
        }
        items.append(Item(f"{capture.run.label} · answer of {units(said)} units", view))
    return items


def exports_with_contents(capture: Capture) -> list[Item]:
    """Return one item for the logs of a run: how many exports cannot be read."""
    if observed(capture.run, Bodies) is None:
        return []
    logs = [export for export in capture.exports if export.signal is Signal.LOGS]
    broken = sum(not export.counts for export in logs)
    if not logs:
        return []
    return [Item(f"{capture.run.label} · exports of logs", {"unreadable": broken})]


def _described(bodies: Bodies, event: Event, environment: Mapping[str, str]) -> dict[str, Any]:
    own = event.attributes
    length = integer(own.get("body_length"))
    if "body_ref" in own:
        path = str(own["body_ref"])
        text = bodies.files.get(path)
        return {
            "mode": "file",
            "length_is_right": text is not None and length == len(text.encode()),
            "file": text is not None and _named(PurePath(path), event),
        }
    text = str(own.get("body", ""))
    kept, marked = _unmarked(text)
    limit = limit_in(dict(environment))
    return {
        "mode": "inline",
        "length_is_right": length > units(kept) if marked else length == units(text),
        "over": max(0, units(text) - limit),
        "cut": marked,
        "cut_is_told": own.get("body_truncated") == ("true" if marked else None),
    }


def _named(path: PurePath, event: Event) -> bool:
    """Say whether a file is named after the request it holds, as documented."""
    if event.attributes.get("event.name") == RESPONSE:
        return path.name == f"{event.attributes.get('request_id')!s}.response.json"
    return _REQUEST_FILE.fullmatch(path.name) is not None


def _model(bodies: Bodies, event: Event) -> object:
    """Return the model that a body names; None for a body that was cut, or none at all."""
    return _content(bodies, event).get("model")


def _content(bodies: Bodies, event: Event) -> Mapping[str, Any]:
    own = event.attributes
    return parsed(bodies.files.get(str(own["body_ref"])) if "body_ref" in own else own.get("body"))


def _told(request: Mapping[str, Any]) -> str:
    return _told_of(sent("", request))


def _told_of(each: Sent) -> str:
    return "\n".join((each.messages, *(each.others[name] for name in COMPARED)))


def _answers(body: Mapping[str, Any], call: ApiCall) -> bool:
    """Say whether a body is that of an answer: its text, and what was billed for it."""
    billed = {
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "cache_read_input_tokens": call.cache_read_tokens,
        "cache_creation_input_tokens": call.cache_creation_tokens,
    }
    usage = body.get("usage") or {}
    return (
        body.get("model") == call.model
        and "".join(_texts(body.get("content"))) == call.said
        and all(usage.get(name) == count for name, count in billed.items())
    )


def _texts(content: Any) -> Iterator[str]:
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == "text":
            yield str(block.get("text"))


def _unmarked(text: str) -> tuple[str, bool]:
    """Return a text without the mark that it was cut, and whether there is one."""
    match = MARK.search(text)
    return (text[: match.start()], True) if match else (text, False)


MEASURES = (
    requests_logged,
    responses_logged,
    body_events,
    bodies_without_gate,
    cut_answers,
    exports_with_contents,
)
