"""Take stock of how a release sends: encoding, framing, headers, user agent and connections."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export

#: Headers that a scenario may set are the user's; what every request has is the release's.
_NEVER_TELLING = frozenset({"host", "content-length", "date"})


def transport_of(
    sent: Iterable[tuple[Capture, Sequence[Export]]], version: str
) -> dict[str, dict[str, Any]]:
    """Return for each protocol how requests are framed, and which headers every one carries."""
    headers: dict[str, set[str]] = {}
    facts: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for capture, exports in sent:
        for protocol, way in _connections(capture, exports):
            facts[protocol]["connections"].add(way)
        for export in exports:
            if export.protocol is None:
                continue
            protocol = export.protocol.value
            names = {name.lower() for name, _ in export.headers} - _NEVER_TELLING
            headers[protocol] = headers.get(protocol, names) & names
            seen = facts[protocol]
            seen["http_version"].add(export.http_version)
            seen["content_type"].add(export.header("content-type") or "")
            seen["compression"].add(
                export.header("content-encoding") or export.header("grpc-encoding") or "none"
            )
            seen["framing"].add(
                "chunked" if export.header("transfer-encoding") else "content-length"
            )
            agent = export.header("user-agent") or ""
            seen["user_agent"].add(agent.replace(version, "(the release)"))
    return {
        protocol: {
            "headers": sorted(headers[protocol]),
            **{name: sorted(values) for name, values in sorted(seen.items())},
        }
        for protocol, seen in sorted(facts.items())
    }


def _connections(capture: Capture, exports: Sequence[Export]) -> Iterator[tuple[str, str]]:
    """Yield whether requests share a connection, of a session that makes many.

    That is one with a short interval of its own: elsewhere a busy machine decides how many
    requests there are. A connection that was kept once is kept, for it may also be closed by
    an idle timeout.
    """
    texts = [capture.run.environment.get(name, "") for name in _INTERVALS]
    if not any(text.isdigit() and int(text) < _LONG_MS for text in texts):
        return
    by_protocol: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for export in exports:
        if export.protocol is not None:
            by_protocol[export.protocol.value][export.peer] += 1
    for protocol, peers in by_protocol.items():
        if peers.total() >= _MANY:
            yield protocol, "kept" if max(peers.values()) > 1 else "one for each request"


_INTERVALS = ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_LOGS_EXPORT_INTERVAL")
#: Below such an interval a session makes many requests.
_LONG_MS = 3500
_MANY = 3
