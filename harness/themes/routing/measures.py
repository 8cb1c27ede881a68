"""Where each request went and how, beside what the variables of the run say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.observed import observed
from harness.judging.items.item import Item
from harness.otlp.model import Protocol, Signal
from harness.themes.routing.observed import ApiHeaders

_OTLP = "OTEL_EXPORTER_OTLP_"
_OWN, _GENERAL, _NONE = "own", "general", "none"


def routes(capture: Capture) -> list[Item]:
    """One item a request.

    ``way`` says which signal went to which collector.  ``endpoint_by`` and
    ``protocol_by`` say whether a variable of the signal's own decides, a general one, or
    none; ``own_is_empty`` that one of its own is set to nothing.  ``protocol`` is what the
    variables told and what came.  Over HTTP only: ``ending`` of the endpoint's path (``/``,
    ``path``, or ``none``), ``added`` to the endpoint to make the request's path (null where
    that does not begin with it), and whether the body is ``compressed``.
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
    """One item a run, where the session did its work.

    ``reached`` are the collectors that somebody connected to, ``signals`` what they
    accepted (``silent``: none); ``with_otlp_headers`` counts requests to the API with
    headers that are for collectors, where the scenario looked.
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
        view["reached"] = sorted({each.collector for each in capture.connections})
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
        "protocol": {"told": protocol.lower(), "came": str(export.protocol)},
    }
    if export.protocol is not Protocol.GRPC:
        told, came = urlsplit(endpoint).path, export.path.partition("?")[0]
        view |= {
            "ending": "none" if not told else "/" if told.endswith("/") else "path",
            "added": came.removeprefix(told) if came.startswith(told) else None,
            "compressed": export.header("content-encoding") is not None,
        }
    return view


def _decided(environment: Mapping[str, str], signal: Signal, name: str) -> tuple[str, str]:
    """Which variable decides, and its value; one that is empty decides nothing."""
    for by, variable in (
        (_OWN, f"{_OTLP}{signal.upper()}_{name}"),
        (_GENERAL, f"{_OTLP}{name}"),
    ):
        if value := environment.get(variable):
            return by, value
    return _NONE, ""


MEASURES = (destinations, routes)
