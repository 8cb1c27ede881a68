"""Take stock of how a release sends: encoding, compression, framing, headers and user agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export

#: Headers that a scenario may set are the user's; what every request has is the release's.
_NEVER_TELLING = frozenset({"host", "content-length", "date"})


def transport_of(
    sent: Iterable[tuple[Capture, Sequence[Export]]], version: str
) -> dict[str, dict[str, Any]]:
    """Return for each protocol how requests are framed, and which headers every one carries."""
    headers: dict[str, set[str]] = {}
    facts: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, exports in sent:
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
