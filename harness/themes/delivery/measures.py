"""Measure how often and when each delivery was sent, and how requests were framed."""

from __future__ import annotations

from collections.abc import Iterable

from ...capture.capture import Capture
from ...capture.deliveries import Deliveries, Delivery
from ...capture.export import Export
from ...judging.items.item import Item
from ...otlp.model import Protocol


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
    known = understood(capture)
    shortest_s = shortest_first_pause_s(known)
    return [
        Item(
            f"{capture.run.label} · {_called(delivery)}",
            _view(delivery, shortest_s, capture.run.ended_unix_nano),
        )
        for delivery in known
    ]


def understood(capture: Capture) -> list[Delivery]:
    """Return the deliveries of a capture, without requests that cannot be read."""
    return Deliveries(
        export
        for export in capture.exports
        if export.signal is not None and export.decode_error is None
    ).all


def shortest_first_pause_s(deliveries: Iterable[Delivery]) -> float:
    """Return the shortest pause after a first request, in seconds; 0 if nothing was sent again."""
    return min((pauses_s[0] for each in deliveries if (pauses_s := each.pauses_s)), default=0.0)


def _called(delivery: Delivery) -> str:
    first = delivery.attempts[0]
    return f"{delivery.signal} export {first.sequence} ({first.answered or 'taken'})"


def _view(delivery: Delivery, shortest_s: float, ended_unix_nano: int) -> dict[str, object]:
    first, *_ = attempts = delivery.attempts
    taken = [n for n, export in enumerate(attempts) if _taken(export)]
    pauses_s = delivery.pauses_s
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
    if pauses_s:
        view["first_wait_s"] = pauses_s[0]
    if len(pauses_s) > 1:
        view["growth"] = pauses_s[-1] / shortest_s
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
