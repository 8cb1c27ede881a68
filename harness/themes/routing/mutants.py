"""Lies about where exports are sent, and how."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture, Connection
from ...capture.export import Export
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...mutants.rewriting import copy_message, instead, with_body
from ...otlp.codec import encode
from ...otlp.messages import ENCODINGS
from ...otlp.model import Protocol, Signal
from .measures import routes
from .observed import ApiHeaders
from .scenarios import OVERRIDDEN

Lie = Callable[[Capture, Requirement], Capture]
_Route = Mapping[str, Any]

_V1 = "/v1/metrics"


def _edit(
    capture: Capture,
    concerned: Callable[[_Route], bool],
    edit: Callable[[Export], Export],
) -> Capture:
    """Edit the first request whose route is ``concerned``."""
    recognised = [export for export in capture.exports if export.signal is not None]
    for export, item in zip(recognised, routes(capture), strict=True):
        if concerned(item.view):
            return instead(capture, export, edit(export))
    raise ValueError(f"{capture.run.label} has no such request")


def _astray(concerned: Callable[[_Route], bool]) -> Lie:
    """Make a lie: send one request to a collector that no variable names for it."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return _edit(capture, concerned, lambda export: replace(export, collector=OVERRIDDEN))

    return lie


def _otherwise(concerned: Callable[[_Route], bool]) -> Lie:
    """Make a lie: send one HTTP request in the other encoding, JSON or protobuf."""

    def travel(export: Export) -> Export:
        other = (
            Protocol.HTTP_PROTOBUF if export.protocol is Protocol.HTTP_JSON else Protocol.HTTP_JSON
        )
        message = copy_message(export)
        assert message is not None
        moved = replace(with_body(export, encode(message, ENCODINGS[other])), protocol=other)
        return moved if export.header("content-encoding") is None else _compressed(moved)

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return _edit(capture, lambda route: "added" in route and concerned(route), travel)

    return lie


def _at(concerned: Callable[[_Route], bool], path: Callable[[str], str]) -> Lie:
    """Make a lie: send one request over HTTP to another path."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return _edit(
            capture,
            lambda route: "added" in route and concerned(route),
            lambda export: replace(export, path=path(export.path)),
        )

    return lie


def inflated(capture: Capture, requirement: Requirement) -> Capture:
    """Send one request uncompressed, although it should be compressed."""

    def inflate(export: Export) -> Export:
        assert export.content is not None
        return with_body(export, export.content)

    return _edit(capture, lambda route: bool(route.get("compressed")), inflate)


def compressed_after_all(capture: Capture, requirement: Requirement) -> Capture:
    """Compress one request, although it should not be."""

    return _edit(capture, lambda route: route.get("compressed") is False, _compressed)


def _compressed(export: Export) -> Export:
    changed = with_body(export, gzip.compress(export.body))
    return replace(changed, headers=(*changed.headers, ("content-encoding", "gzip")))


def visits_the_overridden(capture: Capture, requirement: Requirement) -> Capture:
    """Open a connection to the overridden endpoint, and send nothing."""
    visit = Connection(OVERRIDDEN, capture.run.started_unix_nano)
    return replace(capture, connections=(visit, *capture.connections))


def headers_to_the_api(capture: Capture, requirement: Requirement) -> Capture:
    """Send a header that is meant for collectors to the Messages API."""
    return edit_observed(capture, ApiHeaders, lambda headers: replace(headers, with_otlp_headers=1))


def _without(signal: Signal) -> Lie:
    """Make a lie: export nothing of the signal."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        others = tuple(export for export in capture.exports if export.signal is not signal)
        if len(others) == len(capture.exports):
            raise ValueError(f"{capture.run.label} exported no {signal}")
        return replace(capture, exports=others)

    return lie


def _twice(name: str, value: str) -> Lie:
    """Make a lie: send a header twice in one request, first with a wrong value."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return _edit(
            capture,
            lambda route: True,
            lambda export: replace(export, headers=((name, value), *export.headers)),
        )

    return lie


def logs_by_default(capture: Capture, requirement: Requirement) -> Capture:
    """Export logs, although no exporter is configured for them."""
    last = capture.exports[-1]
    logs = replace(last, signal=Signal.LOGS, path="/v1/logs", sequence=last.sequence + 1)
    return replace(capture, exports=(*capture.exports, logs))


def _is(**wanted: object) -> Callable[[_Route], bool]:
    return lambda route: all(route.get(key) == value for key, value in wanted.items())


LIES: Mapping[str, Lie] = {
    **{
        lie.__name__: lie
        for lie in (
            inflated,
            compressed_after_all,
            visits_the_overridden,
            headers_to_the_api,
            logs_by_default,
        )
    },
    "without_logs": _without(Signal.LOGS),
    "without_metrics": _without(Signal.METRICS),
    "without_traces": _without(Signal.TRACES),
    "authorization_twice": _twice("authorization", "Bearer another"),
    "both_values": _twice("cc-both", "general"),
    "metrics_astray": _astray(_is(signal="metrics")),
    "logs_astray": _astray(_is(signal="logs")),
    "traces_astray": _astray(_is(signal="traces")),
    "general_astray": _astray(_is(endpoint_by="general", own_is_empty=False)),
    "emptied_astray": _astray(_is(own_is_empty=True)),
    "metrics_by_other_protocol": _otherwise(_is(signal="metrics", protocol_by="own")),
    "logs_by_other_protocol": _otherwise(_is(signal="logs", protocol_by="own")),
    "traces_by_other_protocol": _otherwise(_is(signal="traces", protocol_by="own")),
    "general_by_other_protocol": _otherwise(_is(protocol_by="general")),
    "base_dropped": _at(_is(endpoint_by="general", ending="path"), lambda path: _V1),
    "slash_doubled": _at(
        _is(endpoint_by="general", ending="/"), lambda path: path.replace("/v1/", "//v1/")
    ),
    "slash_dropped": _at(_is(endpoint_by="own", ending="/"), lambda path: path.rstrip("/")),
    "signal_added": _at(_is(endpoint_by="own"), lambda path: f"{path.rstrip('/')}{_V1}"),
}
