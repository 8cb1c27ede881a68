"""Measure where and how each request was sent, against the variables of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Protocol, Signal
from .observed import ApiHeaders

_OTLP = "OTEL_EXPORTER_OTLP_"
_OWN, _GENERAL, _NONE = "own", "general", "none"


def routes(capture: Capture) -> list[Item]:
    """Return one item for each request: where and how it was sent.

    ``way`` says which signal went to which collector. ``endpoint_by`` and ``protocol_by`` say
    whether a variable of the signal's own decides (``own``), a general one, or none;
    ``own_is_empty`` is whether one of the signal's own is set to an empty text. ``protocol`` is
    the one that the variables name (``configured``) and the one used (``used``).

    Over HTTP only: ``ending`` of the endpoint's path (``/``, ``path``, or ``none``), ``added``,
    the rest of the request's path after the endpoint's (null if it does not begin with it), and
    whether the body is ``compressed``.
    """
    return [
        Item(
            f"{capture.run.label} · {export.signal} export {export.sequence}",
            _route(export, capture.run.environment),
        )
        for export in capture.exports
        if export.signal is not None
    ]


def destinations(capture: Capture) -> list[Item]:
    """Return one item for a session that asked the model something: whom it reached.

    ``reached`` are the collectors that got a connection, ``signals`` what collectors accepted
    (``silent``: nothing); ``with_otlp_headers`` counts requests to the Messages API with headers
    that are meant for collectors, if the scenario looked.
    """
    run = capture.run
    if not run.truth.api_calls:
        return []
    signals = sorted({str(export.signal) for export in capture.accepted})
    view: dict[str, Any] = {
        "signals": signals,
        "silent": not signals,
    }
    headers = observed(run, ApiHeaders)
    if headers is not None:
        view["with_otlp_headers"] = headers.with_otlp_headers
    if capture.connections:
        view["reached"] = sorted({connection.collector for connection in capture.connections})
    return [Item(f"{run.label} · the whole session", view)]


def _route(export: Export, environment: Mapping[str, str]) -> dict[str, Any]:
    assert export.signal is not None
    endpoint_by, endpoint = _decided(environment, export.signal, "ENDPOINT")
    protocol_by, protocol = _decided(environment, export.signal, "PROTOCOL")
    view: dict[str, Any] = {
        "signal": str(export.signal),
        "collector": export.collector,
        "way": f"{export.signal} to {export.collector}",
        "endpoint_by": endpoint_by,
        "protocol_by": protocol_by,
        "own_is_empty": any(
            environment.get(f"{_OTLP}{export.signal.upper()}_{name}") == ""
            for name in ("ENDPOINT", "PROTOCOL")
        ),
        "protocol": {"configured": protocol.lower(), "used": str(export.protocol)},
    }
    if export.protocol is not Protocol.GRPC:
        configured_path, request_path = urlsplit(endpoint).path, export.path.partition("?")[0]
        view |= {
            "ending": "none"
            if not configured_path
            else "/"
            if configured_path.endswith("/")
            else "path",
            "added": request_path.removeprefix(configured_path)
            if request_path.startswith(configured_path)
            else None,
            "compressed": export.header("content-encoding") is not None,
        }
    return view


def _decided(environment: Mapping[str, str], signal: Signal, name: str) -> tuple[str, str]:
    """Return which variable decides, and its value; an empty variable decides nothing."""
    for by, variable in (
        (_OWN, f"{_OTLP}{signal.upper()}_{name}"),
        (_GENERAL, f"{_OTLP}{name}"),
    ):
        if value := environment.get(variable):
            return by, value
    return _NONE, ""


MEASURES = (destinations, routes)
