"""Lies about how a collector received: another answer to one probe, another fate of its item."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...capture.export import SENT, Export
from ...capture.observed import edit_observed, observed
from ...contract.requirement import Requirement
from ...judging.checks.fields import matches
from ...judging.items.item import Item
from ...mutants import editing
from ...mutants.editing import ItemRef
from ...mutants.named import Lie
from ...mutants.rewriting import copy_message, instead, rewritten, with_body
from ...otlp.model import Protocol, Signal
from ...relay.answer_bodies import REJECTED
from .measures import receiving
from .observed import Probed, Probes
from .telemetry import Draft

#: What a lie may turn round: a probe is chosen without these where none is as the promise says.
_RESULTS = frozenset({"outcome", "fate", "status", "arrived"})


def takes_and_loses(capture: Capture, requirement: Requirement) -> Capture:
    """Answer with success, and let nothing come out."""
    probed = _chosen(capture, requirement)
    accepted = _answered(capture, probed, "200", "OK", {})
    return _without(_with(capture, probed, accepted), probed)


def refuses(capture: Capture, requirement: Requirement) -> Capture:
    """Refuse a request that is to be accepted."""
    return _refused(capture, requirement, "400", "INVALID_ARGUMENT")


def refuses_otherwise(capture: Capture, requirement: Requirement) -> Capture:
    """Refuse a request with another status than the right one."""
    return _refused(capture, requirement, "422", "FAILED_PRECONDITION")


def fails(capture: Capture, requirement: Requirement) -> Capture:
    """Answer with an error of the server's own."""
    return _refused(capture, requirement, "500", "INTERNAL")


def fails_for_now(capture: Capture, requirement: Requirement) -> Capture:
    """Answer that the same may be sent again later."""
    return _refused(capture, requirement, "503", "UNAVAILABLE")


def gives_no_answer(capture: Capture, requirement: Requirement) -> Capture:
    """Close the connection without an answer."""
    probed = _chosen(capture, requirement)
    silent = replace(probed, status="", content_type="", body=None, body_error="", error="closed")
    return _without(_with(capture, probed, silent), probed)


def other_success(capture: Capture, requirement: Requirement) -> Capture:
    """Answer with 202."""
    return _edited(capture, requirement, lambda probed: replace(probed, status="202"))


def other_content_type(capture: Capture, requirement: Requirement) -> Capture:
    """Answer in plain text, as the header says."""
    return _edited(capture, requirement, lambda probed: replace(probed, content_type="text/plain"))


def unreadable_body(capture: Capture, requirement: Requirement) -> Capture:
    """Answer with a body that is not the message."""
    return _edited(
        capture, requirement, lambda probed: replace(probed, body=None, body_error="no message")
    )


def no_message(capture: Capture, requirement: Requirement) -> Capture:
    """Give no reason for an error."""
    return _edited(capture, requirement, lambda probed: replace(probed, body={"message": ""}))


def no_details(capture: Capture, requirement: Requirement) -> Capture:
    """Describe no bad data in an error."""
    return _edited(
        capture, requirement, lambda probed: replace(probed, body={"message": "bad", "details": []})
    )


def partial_success_told(capture: Capture, requirement: Requirement) -> Capture:
    """Tell of a partial success in which nothing was rejected."""
    return _edited(
        capture, requirement, lambda probed: replace(probed, body={"partialSuccess": {}})
    )


def miscounts(capture: Capture, requirement: Requirement) -> Capture:
    """Tell of one rejected item more than there are."""

    def edit(probed: Probed) -> Probed:
        partial = _partial(probed)
        more = {name: str(int(partial[name]) + 1) for name in REJECTED if name in partial}
        return replace(probed, body={"partialSuccess": {**partial, **more}})

    return _edited(capture, requirement, edit)


def rejects_without_a_word(capture: Capture, requirement: Requirement) -> Capture:
    """Leave an item out of what was accepted, and answer as if it was not."""
    return _edited(capture, requirement, lambda probed: replace(probed, body={}))


def rejects_without_a_reason(capture: Capture, requirement: Requirement) -> Capture:
    """Reject an item and do not say why."""

    def edit(probed: Probed) -> Probed:
        partial = {**_partial(probed), "errorMessage": ""}
        return replace(probed, body={"partialSuccess": partial})

    return _edited(capture, requirement, edit)


def throttles_vaguely(capture: Capture, requirement: Requirement) -> Capture:
    """Put one of many requests off, for a time that no client understands."""
    probed = _one_of_many(capture)
    answered = _answered(capture, probed, "503", "UNAVAILABLE", {"message": "a lie"})
    vague = replace(answered, retry_after="soon")
    return _without(_with(capture, probed, vague), probed)


def is_exhausted_for_good(capture: Capture, requirement: Requirement) -> Capture:
    """Refuse one of many calls for want of something that will not be there again."""
    probed = _one_of_many(capture)
    answered = _answered(capture, probed, "429", "RESOURCE_EXHAUSTED", {"message": "a lie"})
    return _without(_with(capture, probed, answered), probed)


def compresses(capture: Capture, requirement: Requirement) -> Capture:
    """Compress an answer for a client that did not ask for it."""
    return _edited(capture, requirement, lambda probed: replace(probed, content_encoding="gzip"))


def retypes(capture: Capture, requirement: Requirement) -> Capture:
    """Let an item come out with another value than all others have."""

    def edit(ref: ItemRef) -> None:
        attributes = {each.key: each.value.string_value for each in ref.record.attributes}
        editing.put_attribute(ref.record.attributes, "model", f"{attributes['model']}-lie")

    return _item_edited(capture, _chosen(capture, requirement, having="changed"), edit)


def puts_in_another_trace(capture: Capture, requirement: Requirement) -> Capture:
    """Let an item come out in a trace that it was never in."""

    def edit(ref: ItemRef) -> None:
        ref.record.trace_id, ref.record.span_id = b"\7" * 16, b"\7" * 8

    return _item_edited(capture, _chosen(capture, requirement, having="trace"), edit)


def hangs_up(capture: Capture, requirement: Requirement) -> Capture:
    """Close the connection after a request."""
    probed = _chosen(capture, requirement, having="reused")
    return _with(capture, probed, replace(probed, reused=False))


def repeats(capture: Capture, requirement: Requirement) -> Capture:
    """Let an item come out twice."""
    return _item_edited(capture, _chosen(capture, requirement), editing.repeat)


def delivers_nonetheless(capture: Capture, requirement: Requirement) -> Capture:
    """Let the item of a refused request come out."""
    probed = _chosen(capture, requirement, having="arrived")
    signal = Signal(probed.signal)
    like = next(
        (each for each in capture.accepted if each.collector != SENT and each.signal is signal),
        None,
    )
    if like is None or like.protocol is None:
        raise ValueError(f"{capture.run.label}: nothing of {probed.signal} came out")
    body = Draft(like.protocol, signal, probed.marker).body()
    added = replace(with_body(like, body), sequence=len(capture.exports) + 1)
    return replace(capture, exports=(*capture.exports, added))


def _chosen(capture: Capture, requirement: Requirement, having: str = "") -> Probed:
    """Return the first request that the requirement is about, with the field ``having``."""
    probes = observed(capture.run, Probes)
    pairs = list(zip(receiving(capture), probes.probed if probes else (), strict=True))
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    looser = {key: value for key, value in where.items() if key not in _RESULTS}
    for conditions in (where, looser):
        narrowed = replace(requirement, params={"where": conditions})
        for item, probed in pairs:
            if matches(narrowed, item) and _has(item, having):
                return probed
    raise ValueError(f"{capture.run.label}: no such request was sent")


def _has(item: Item, name: str) -> bool:
    return not name or name in item.view


def _edited(
    capture: Capture, requirement: Requirement, edit: Callable[[Probed], Probed]
) -> Capture:
    probed = _chosen(capture, requirement)
    return _with(capture, probed, edit(probed))


def _refused(capture: Capture, requirement: Requirement, status: str, code: str) -> Capture:
    probed = _chosen(capture, requirement)
    answered = _answered(capture, probed, status, code, {"code": 3, "message": "a lie"})
    return _without(_with(capture, probed, answered), probed)


def _answered(
    capture: Capture, probed: Probed, status: str, code: str, body: Mapping[str, object]
) -> Probed:
    """Return the request with this answer: a status over HTTP, a code over gRPC."""
    over_grpc = capture.run.protocol is Protocol.GRPC
    return replace(
        probed,
        status=code if over_grpc else status,
        content_type="" if over_grpc else probed.request.content_type,
        body=dict(body),
        body_error="",
        error="",
    )


def _with(capture: Capture, probed: Probed, other: Probed) -> Capture:
    def edit(probes: Probes) -> Probes:
        key = (probed.probe, probed.number)
        return Probes(
            tuple(other if (one.probe, one.number) == key else one for one in probes.probed)
        )

    return edit_observed(capture, Probes, edit)


def _without(capture: Capture, probed: Probed) -> Capture:
    """Take the item of a request out of everything that came out."""
    kept = []
    for export in capture.exports:
        message = copy_message(export) if _carries(export, probed.marker) else None
        if message is None:
            kept.append(export)
            continue
        refs = list(editing.item_refs(message))
        # From the back, so that what is still to be removed keeps its place.
        for ref in reversed(refs):
            if probed.marker in json.dumps(ref.item.view, default=str):
                editing.remove(ref)
        if editing.prune(message):
            kept.append(rewritten(export, message))
    return replace(capture, exports=tuple(kept))


def _item_edited(capture: Capture, probed: Probed, edit: Callable[[ItemRef], object]) -> Capture:
    """Edit the item of a request where it came out first."""
    for export in capture.exports:
        message = copy_message(export) if _carries(export, probed.marker) else None
        if message is None:
            continue
        for ref in editing.item_refs(message):
            if probed.marker in json.dumps(ref.item.view, default=str):
                edit(ref)
                return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label}: nothing of {probed.probe} came out")


def _one_of_many(capture: Capture) -> Probed:
    probes = observed(capture.run, Probes)
    for probed in probes.probed if probes else ():
        if probed.probe == "together":
            return probed
    raise ValueError(f"{capture.run.label}: never were many requests sent at once")


def _partial(probed: Probed) -> Mapping[str, str]:
    body: Any = probed.body
    partial: Mapping[str, str] = body["partialSuccess"]
    return partial


def _carries(export: Export, marker: str) -> bool:
    return bool(marker) and export.collector != SENT and marker.encode() in (export.content or b"")


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        takes_and_loses,
        refuses,
        refuses_otherwise,
        fails,
        fails_for_now,
        gives_no_answer,
        other_success,
        other_content_type,
        unreadable_body,
        no_message,
        no_details,
        partial_success_told,
        miscounts,
        rejects_without_a_word,
        rejects_without_a_reason,
        throttles_vaguely,
        is_exhausted_for_good,
        compresses,
        retypes,
        puts_in_another_trace,
        hangs_up,
        repeats,
        delivers_nonetheless,
    )
}
