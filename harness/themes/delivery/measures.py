"""Measure how often and when each delivery was sent, and how requests were framed."""

from __future__ import annotations

from itertools import pairwise

from harness.capture.capture import Capture
from harness.capture.deliveries import Deliveries, Delivery
from harness.capture.export import Export
from harness.judging.items.item import Item
from harness.otlp.model import Protocol


def deliveries(capture: Capture) -> list[Item]:
    """Return one item for each delivery: the same content, however often it was sent.

    ``first`` names the scripted answer to its first request (empty: an ordinary success).
    ``first_wait_s`` is the time between its first and its second request; ``growth`` is the last
    such pause divided by the shortest first one of the session, because a busy machine makes
    single pauses longer, never shorter. ``taken`` counts the requests that were answered with
    success, full or partial, ``after_taken`` the requests that came after one of those.
    ``watched_s`` is how long the session went on after the first request, ``given_up_s`` how long
    the client waited for an answer that did not come.
    """
    known = Deliveries(
        export
        for export in capture.exports
        if export.signal is not None and export.decode_error is None
    )
    shortest_s = min((waits_s[0] for each in known.all if (waits_s := _waits_s(each))), default=0.0)
    return [
        Item(
            f"{capture.run.label} · {_called(delivery)}",
            _view(delivery, shortest_s, capture.run.ended_unix_nano),
        )
        for delivery in known.all
    ]


def _waits_s(delivery: Delivery) -> list[float]:
    return [
        (later.arrived_unix_nano - earlier.arrived_unix_nano) / 1e9
        for earlier, later in pairwise(delivery.attempts)
    ]


def _called(delivery: Delivery) -> str:
    first = delivery.attempts[0]
    return f"{delivery.signal} export {first.sequence} ({first.answered or 'taken'})"


def _view(delivery: Delivery, shortest_s: float, ended_unix_nano: int) -> dict[str, object]:
    first, *_ = attempts = delivery.attempts
    taken = [n for n, export in enumerate(attempts) if _taken(export)]
    waits_s = _waits_s(delivery)
    view: dict[str, object] = {
        "signal": delivery.signal,
        "sequence": first.sequence,
        "first": first.answered,
        "items": delivery.items,
        "attempts": len(attempts),
        "resent": len(attempts) > 1,
        "taken": len(taken),
        "after_taken": len(attempts) - 1 - taken[0] if taken else 0,
        "watched_s": (ended_unix_nano - first.arrived_unix_nano) / 1e9,
    }
    if waits_s:
        view["first_wait_s"] = waits_s[0]
    if len(waits_s) > 1:
        view["growth"] = waits_s[-1] / shortest_s
    if first.given_up_unix_nano:
        view["given_up_s"] = (first.given_up_unix_nano - first.arrived_unix_nano) / 1e9
    return view


def _taken(export: Export) -> bool:
    return not export.rejected and not export.given_up_unix_nano


def framing(capture: Capture) -> list[Item]:
    """Return one item for each request over HTTP: how it says where its body ends.

    ``declared`` is the Content-Length in bytes, null without one; ``chunked`` says whether the
    body came in chunks.
    """
    return [
        Item(
            f"{capture.run.label} · request {export.sequence} · {export.path}",
            {
                "declared": int(length) if (length := export.header("content-length")) else None,
                "chunked": "chunked" in (export.header("transfer-encoding") or "").lower(),
            },
        )
        for export in capture.exports
        if export.protocol in (Protocol.HTTP_JSON, Protocol.HTTP_PROTOBUF)
    ]


MEASURES = (deliveries, framing)
