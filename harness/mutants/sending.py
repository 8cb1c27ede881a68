"""The fields of requests: where each went, by what protocol, and its headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from ..contract.catalogue import contract_files
from ..judging.items.item import MISSING
from ..otlp.codec import encode
from ..otlp.messages import ENCODINGS
from ..otlp.model import Protocol
from .rewriting import copy_message, with_body

#: What a request has besides its headers and what it carries.  Not when it came: that is told by
#: the clock of our own collector.
_OWN = ("collector", "protocol", "peer_certificate")

#: The protocol that a liar uses for each.
OTHER = {
    Protocol.HTTP_PROTOBUF: Protocol.HTTP_JSON,
    Protocol.HTTP_JSON: Protocol.HTTP_PROTOBUF,
    Protocol.GRPC: Protocol.HTTP_PROTOBUF,
}


def paths() -> tuple[tuple[str, ...], ...]:
    """Return the path of every field of a request: its own, and the headers of the contract."""
    named = {
        header
        for _, data in contract_files()
        for header in data.get("properties", {}).get("headers", {}).get("properties", {})
    }
    return ((), *((name,) for name in _OWN), *(("headers", name) for name in sorted(named)))


def value(export: Export, path: tuple[str, ...]) -> Any:
    """Return a field of a request; MISSING if it has no such header or certificate."""
    match path:
        case ():
            return MISSING
        case ("headers", name):
            found = export.header(name)
            return MISSING if found is None else found
        case (name,):
            return getattr(export, name) or MISSING
    raise ValueError(f"no request has {path}")


def beside(export: Export) -> Mapping[str, Any]:
    """Return what tells one request from another, to find two that are much alike."""
    return {"signal": export.signal, "collector": export.collector, "path": export.path}


def edited(export: Export, path: tuple[str, ...], told: Any, erased: bool) -> Export:
    """Return the request with another value in one field, or without it."""
    match path:
        case ("headers", name):
            headers = [pair for pair in export.headers if pair[0].lower() != name]
            if not erased:
                headers.append((name, told))
            return replace(export, headers=tuple(headers))
        case ("protocol",):
            message = copy_message(export)
            body = export.body if message is None else encode(message, ENCODINGS[told])
            return replace(with_body(export, body), protocol=told)
        case (name,):
            changed: dict[str, Any] = {name: "" if erased else told}
            return replace(export, **changed)
    raise ValueError(f"no request has {path}")


def sent(capture: Capture) -> Iterator[tuple[int, Export]]:
    """Yield the requests of a capture with their numbers; what was shown is no request."""
    for number, export in enumerate(capture.exports):
        if export.method and export.protocol is not None:
            yield number, export


def with_copies(exports: Sequence[Export], copied: Sequence[Export]) -> tuple[Export, ...]:
    """Return requests of which some were sent once more, after all others."""
    last = max(export.sequence for export in exports)
    return (
        *exports,
        *(replace(each, sequence=last + n) for n, each in enumerate(copied, start=1)),
    )
