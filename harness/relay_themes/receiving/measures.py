"""Measure how each request was answered, and how often its item came out."""

from __future__ import annotations

from typing import Any

from ...capture.capture import Capture
from ...capture.observed import observed
from ...contract.applicability import WITHOUT_OUTLET
from ...judging.items.item import Item
from ...relay.answer_bodies import partial_success, rejected
from .arriving import Arrivals
from .observed import Probed, Probes
from .probes import PLAIN, Group

#: gRPC's codes by which a server says that the fault is its own.
_FAILURES = frozenset(
    {"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)

#: The answers after which a client is to send the same again.
_RETRIED = frozenset(
    {"429", "502", "503", "504", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE"}
    | {"UNAVAILABLE", "DATA_LOSS"}
)

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def receiving(capture: Capture) -> list[Item]:
    """Return one item for each request of the probes: what was sent, answered, and came out.

    ``outcome`` is ``accepted``, ``accepted in part``, ``refused`` (a 3xx or 4xx, or a code that
    blames the request), ``failed`` (a 5xx, or any other code) or ``unanswered``. ``arrived`` says
    how often the item came out, missing where it has no marker or nothing is seen of
    what comes out. ``fate`` says of an accepted request what became of its item: ``delivered``,
    ``lost``, ``repeated``, or still ``accepted`` if that is not known; of any other its outcome.

    ``changed`` says what else the item of a valid request has lost or another value for than that
    of the plainest request of its signal, and ``trace`` which trace it is in: both are missing
    where the item did not come out. ``untold`` counts the items of a request with an odd one that
    neither came out nor were said to be rejected; more are rejected than missing if it is negative.

    ``same_content_type`` compares the answer's with the request's, without parameters; ``partial``
    is the partial success with how many items were ``rejected``, missing without one; ``notice``
    is what a success says besides: ``none``, ``empty`` (a partial success without anything in it),
    ``warning`` or ``rejection``; ``retried`` says whether OTLP has a client send the same again,
    and ``retry_after`` when; ``details`` are the types of those of an error. ``reused`` is there
    from the second request over a connection on.
    """
    probes = observed(capture.run, Probes)
    if probes is None:
        return []
    arrivals = None if WITHOUT_OUTLET in capture.run.traits else Arrivals(capture.exports)
    plain = {one.signal: one.marker for one in probes.probed if one.probe in PLAIN}
    return [
        Item(
            f"{capture.run.label} · {_called(one)} · {one.request.path}",
            _view(one, arrivals, plain.get(one.signal, "")),
        )
        for one in probes.probed
    ]


def _called(one: Probed) -> str:
    return f"probe {one.probe}" + (f", request {one.number}" if one.number > 1 else "")


def _view(one: Probed, arrivals: Arrivals | None, plain: str) -> dict[str, Any]:
    request = one.request
    view: dict[str, Any] = {
        "probe": one.probe,
        "group": one.group,
        "number": one.number,
        "signal": one.signal,
        "outcome": _outcome(one),
        "request": {
            "method": request.method,
            "content_type": request.content_type,
            "content_encoding": request.content_encoding,
            "framing": request.framing,
            "size": request.size,
        },
        "seconds": one.seconds,
    }
    if one.error:
        view["error"] = one.error
    if one.status:
        view |= _answer(one)
    if arrivals is not None and one.marker:
        view |= _arrived(one, arrivals, plain, view.get("partial", {}).get("rejected", 0))
    view["fate"] = _fate(view["outcome"], view.get("arrived"))
    if one.probe == "kept_alive" and one.number > 1:
        view["reused"] = one.reused
    return view


def _arrived(one: Probed, arrivals: Arrivals, plain: str, rejected: int) -> dict[str, Any]:
    """Return what is known of the item of a request from what came out."""
    view: dict[str, Any] = {"arrived": arrivals.times(one.signal, one.marker)}
    if (trace := arrivals.trace(one.signal, one.marker)) is not None:
        view["trace"] = trace
    if one.group == Group.VALID and one.marker != plain:
        changed = arrivals.changes(one.signal, one.marker, plain)
        if changed is not None:
            view["changed"] = changed
    if one.odd:
        came = sum(arrivals.times(one.signal, each) > 0 for each in (one.marker, one.odd))
        view["untold"] = 2 - came - rejected
    return view


def _answer(one: Probed) -> dict[str, Any]:
    view: dict[str, Any] = {
        "status": one.status,
        "retried": one.status in _RETRIED or _recovers(one),
        "body": one.body_error or "read",
    }
    if one.status.isdecimal():
        view["content_type"] = one.content_type
        media_types = [
            text.partition(";")[0].strip().lower()
            for text in (one.request.content_type, one.content_type)
        ]
        view["same_content_type"] = media_types[0] == media_types[1]
        view["content_encoding"] = one.content_encoding
    if one.retry_after:
        view["retry_after"] = one.retry_after
    body: Any = one.body if isinstance(one.body, dict) else {}
    view |= {name: body[name] for name in ("message", "details") if name in body}
    if (partial := partial_success(one.body)) is not None:
        view["partial"] = {
            "rejected": rejected(partial),
            "message": partial.get("errorMessage", ""),
        }
    if _succeeded(one):
        view["notice"] = _notice(view.get("partial"))
    return view


def _notice(partial: dict[str, Any] | None) -> str:
    if partial is None:
        return "none"
    if partial["rejected"]:
        return "rejection"
    return "warning" if partial["message"] else "empty"


def _recovers(one: Probed) -> bool:
    """Whether a server that has run out of something says that it will have it again."""
    body: Any = one.body if isinstance(one.body, dict) else {}
    return one.status == "RESOURCE_EXHAUSTED" and _RETRY_INFO in body.get("details", ())


def _succeeded(one: Probed) -> bool:
    return one.status == "OK" or one.status.startswith("2")


def _outcome(one: Probed) -> str:
    if not one.status:
        return "unanswered"
    if _succeeded(one):
        return "accepted in part" if rejected(partial_success(one.body)) else "accepted"
    if one.status.isdecimal():
        return "failed" if one.status.startswith("5") else "refused"
    return "failed" if one.status in _FAILURES else "refused"


def _fate(outcome: str, arrived: int | None) -> str:
    if outcome != "accepted" or arrived is None:
        return outcome
    return {0: "lost", 1: "delivered"}.get(arrived, "repeated")


MEASURES = (receiving,)
