"""What is told of one request that arrived: facts of its transport, names of its items, oddities.

No value of an item is among it, and no value of a header that may be a credential: what is
watched may be read over a shoulder. The exception is the value, shortened, for which a request
cannot be decoded: without it, nobody could tell what to mend.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..capture.describe import item_names
from ..capture.export import Export
from ..otlp.model import Protocol
from .headers import noted, without_values
from .streams import Intervals, Sequences, Windows

#: So many requests are remembered by their content, to tell which came again.
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, as it is told.

    ``since_s`` is the time since the last request of that signal from the same source (None: the
    first). ``rejected`` says why it was refused, ``notes`` what is odd about it. ``compression``
    is empty without one, and None where gRPC's library does not tell.
    """

    number: int
    arrived_unix_nano: int
    signal: str
    protocol: str
    encoding: str
    compression: str | None
    bytes: int
    status: int
    rejected: str
    path: str
    peer: str
    since_s: float | None = None
    items: Mapping[str, int] | None = None
    temporalities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON's values."""
        return {
            "kind": "export",
            "number": self.number,
            "arrived_unix_nano": str(self.arrived_unix_nano),
            "signal": self.signal or None,
            "protocol": self.protocol or None,
            "encoding": self.encoding or None,
            "compression": self.compression,
            "bytes": self.bytes,
            "status": self.status,
            "rejected": self.rejected or None,
            "path": self.path,
            "peer": self.peer,
            "since_s": None if self.since_s is None else round(self.since_s, 3),
            "items": dict(self.items or {}),
            "temporalities": list(self.temporalities),
            "sources": list(self.sources),
            "headers": [list(pair) for pair in self.headers],
            "notes": list(self.notes),
        }


class Watch:
    """Makes entries of requests, in the order of their arrival; its memory is bounded.

    Headers named in ``shown`` are told with their values, whatever they are.
    """

    def __init__(self, shown: frozenset[str] = frozenset()) -> None:
        self._shown = shown
        self._intervals = Intervals()
        self._windows = Windows()
        self._sequences = Sequences()
        self._contents: OrderedDict[int, int] = OrderedDict()

    def entry(self, export: Export) -> Entry:
        """Return the entry of the next request."""
        made = _transport(export, self._shown)
        if export.rejected:
            return made
        if export.decode_error is not None:
            return replace(made, notes=(f"cannot be decoded: {export.decode_error}",))
        sources = tuple(dict.fromkeys(map(_source, export.items)))
        since_s, gap = self._intervals.after(made.signal, sources, export.arrived_unix_nano)
        return replace(
            made,
            since_s=since_s,
            items=Counter(item_names(export)),
            temporalities=tuple(sorted({p.metric.temporality for p in export.data_points} - {""})),
            sources=sources,
            notes=(*gap, *self._odd(export)),
        )

    def _odd(self, export: Export) -> Iterator[str]:
        """Say what is odd about the content of a request."""
        if not export.items:
            yield "holds no items"
        content = hash((export.signal, export.content))
        before = self._contents.setdefault(content, export.sequence)
        self._contents.move_to_end(content)
        if len(self._contents) > _MOST_REMEMBERED:
            self._contents.popitem(last=False)
        if before != export.sequence and export.items:
            # Its windows and numbers are those of the first one.
            yield f"the same content as number {before}: sent again"
            return
        yield from self._windows.odd(export.data_points)
        yield from self._sequences.odd(export.events)
        if export.notes:
            first = export.notes[0]
            yield f"not in the canonical form: {first.detail} ({first.path})"


def _transport(export: Export, shown: frozenset[str]) -> Entry:
    coding = export.header("content-encoding")
    compression: str | None = "" if coding in (None, "identity") else coding
    if export.protocol is Protocol.GRPC:
        compression = export.header("grpc-encoding")
    return Entry(
        number=export.sequence,
        arrived_unix_nano=export.arrived_unix_nano,
        signal=export.signal.value if export.signal else "",
        protocol=export.protocol.value if export.protocol else "",
        encoding=_encoding(export),
        compression=compression,
        bytes=len(export.body),
        status=export.status,
        rejected=export.rejected,
        path=without_values(export.path),
        peer=export.peer,
        headers=tuple(noted(export.headers, shown)),
    )


def _encoding(export: Export) -> str:
    if export.protocol is None:
        # What the client called it: that is what it is refused for.
        return export.header("content-type") or ""
    return "json" if export.protocol is Protocol.HTTP_JSON else "protobuf"


def _source(item: Any) -> str:
    """Return what an item's resource says that it comes from."""
    said = item.resource.attributes
    name, version = said.get("service.name"), said.get("service.version")
    return " ".join(str(each) for each in (name or "(no service.name)", version) if each)
