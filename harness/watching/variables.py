"""The variables that let a process export to a collector, over one protocol."""

from __future__ import annotations

from collections.abc import Mapping

from ..collector.collector import Collector
from ..otlp.model import Protocol, Signal

_PREFIX = "OTEL_EXPORTER_OTLP"

#: What switches the export on, wherever it goes.
SWITCHES = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_TRACES_EXPORTER": "otlp",
}

#: What would lead one signal elsewhere.
OVERRIDES = tuple(
    f"{_PREFIX}_{signal.name}_{what}" for signal in Signal for what in ("ENDPOINT", "PROTOCOL")
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY")
_NO_PROXY = ("NO_PROXY", "no_proxy")


def towards(collector: Collector, protocol: Protocol) -> dict[str, str]:
    """Return the variables that name the collector."""
    return {
        f"{_PREFIX}_PROTOCOL": protocol.value,
        f"{_PREFIX}_ENDPOINT": collector.endpoint(protocol),
    }


def environment(
    given: Mapping[str, str], collector: Collector, protocol: Protocol
) -> dict[str, str]:
    """Return an environment in which a process exports to the collector, and nowhere else.

    Everything else of it stays. A proxy must not be asked for the way to this machine.
    """
    made = {name: value for name, value in given.items() if name not in OVERRIDES}
    made |= SWITCHES | towards(collector, protocol)
    if any(made.get(each) or made.get(each.lower()) for each in _PROXIES):
        for name in _NO_PROXY:
            made[name] = ",".join(filter(None, [made.get(name), "127.0.0.1", "localhost"]))
    return made
