"""Lies about the collector with TLS that the requirement names, and about the model's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...otlp.model import Protocol, Signal
from .observed import TlsCollectors

_PATHS = {
    Protocol.GRPC: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    Protocol.HTTP_PROTOBUF: "/v1/metrics",
}


def export_in_spite(capture: Capture, requirement: Requirement) -> Capture:
    """Export to a collector that must not be trusted."""
    protocol = capture.run.protocol
    made = Export(
        sequence=len(capture.exports) + 1,
        protocol=protocol,
        signal=Signal.METRICS,
        method="POST",
        path=_PATHS[protocol],
        http_version="2" if protocol is Protocol.GRPC else "1.1",
        headers=(),
        body=b"",
        arrived_unix_nano=capture.run.ended_unix_nano,
        peer="127.0.0.1:1",
        status=0 if protocol is Protocol.GRPC else 200,
        collector=_collector(requirement),
    )
    return replace(capture, exports=(*capture.exports, made))


def no_export(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing to a collector that may be trusted."""
    return _at_the_collector(capture, requirement, lambda export: None)


def other_certificate(capture: Capture, requirement: Requirement) -> Capture:
    """Show another client certificate than the configured one."""
    return _at_the_collector(
        capture, requirement, lambda export: replace(export, peer_certificate="somebody")
    )


def given_up(capture: Capture, requirement: Requirement) -> Capture:
    """End the session with an error because it cannot export."""
    return replace(capture, run=replace(capture.run, exit_code=1))


def api_asked_in_spite(capture: Capture, requirement: Requirement) -> Capture:
    """Ask a model that must not be trusted."""
    return _api_shown(capture, ("",))


def api_not_asked(capture: Capture, requirement: Requirement) -> Capture:
    """Ask nothing of a model that may be trusted."""
    return _api_shown(capture, ())


def other_certificate_for_api(capture: Capture, requirement: Requirement) -> Capture:
    """Show the model another client certificate than the configured one."""
    return _api_shown(capture, ("somebody",))


def _api_shown(capture: Capture, certificates: tuple[str, ...]) -> Capture:
    return edit_observed(
        capture, TlsCollectors, lambda seen: replace(seen, api_certificates=certificates)
    )


def _at_the_collector(
    capture: Capture, requirement: Requirement, change: Callable[[Export], Export | None]
) -> Capture:
    collector = _collector(requirement)
    if not any(export.collector == collector for export in capture.exports):
        raise ValueError(f"{capture.run.label} exported nothing to {collector}")
    changed = [
        change(export) if export.collector == collector else export for export in capture.exports
    ]
    return replace(capture, exports=tuple(filter(None, changed)))


def _collector(requirement: Requirement) -> str:
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return str(where["collector"])


LIES = {
    lie.__name__: lie
    for lie in (
        export_in_spite,
        no_export,
        other_certificate,
        given_up,
        api_asked_in_spite,
        api_not_asked,
        other_certificate_for_api,
    )
}
