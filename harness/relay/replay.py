"""Make requests to send out of recorded ones: the same telemetry, of another session, of today.

Times and ids are replaced consistently, so that a session can be sent often: to a collector that
remembers what it got, and to backends that refuse what is old. Whatever else was recorded stays.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.run import GroundTruth
from ..otlp.codec import encode
from ..otlp.messages import (
    ENCODINGS,
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
    signal_of,
)
from ..otlp.model import Protocol, Signal

SESSION = "session.id"
INSTANCE = "service.instance.id"
TIMESTAMP = "event.timestamp"
#: Attributes whose values are ids of what happened, not of who or where.
ID_KEYS = frozenset(
    {
        *(SESSION, "prompt.id", "message.uuid", "request_id", "client_request_id"),
        *("tool_use_id", "use_id", "agent_id", "parent_agent_id"),
    }
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded request, decoded; ``at_unix_nano`` is when it was exported."""

    message: Request
    at_unix_nano: int

    @property
    def signal(self) -> Signal:
        return signal_of(self.message)


def recorded(exports: Iterable[Export]) -> tuple[Recorded, ...]:
    """Return the accepted requests among ``exports`` that hold something, in order of arrival."""
    return tuple(
        Recorded(export.message, export.arrived_unix_nano)
        for export in exports
        if export.method and not export.rejected and export.message is not None and export.items
    )


def secrets_of(sessions: Iterable[Capture]) -> GroundTruth:
    """Return what was private in recorded sessions: it is so still when they are sent again."""
    hidden = dict.fromkeys(secret for session in sessions for secret in session.run.truth.hidden)
    return GroundTruth(secrets=tuple(hidden))


def again(requests: Sequence[Recorded], *, ends_unix_nano: int, salt: str) -> tuple[Recorded, ...]:
    """Return copies of a session's requests with other times and ids.

    All times are moved by the same amount of whole milliseconds, so that the last request was
    exported at ``ends_unix_nano``. Every id is replaced by one that is made of it and ``salt``,
    the same everywhere.
    """
    if not requests:
        return ()
    shift = Rewrite(moved_by(requests, ends_unix_nano), salt, _ids(requests))
    return tuple(
        Recorded(shift.rewritten(request.message), request.at_unix_nano + shift.moved)
        for request in requests
    )


def with_pauses(requests: Sequence[Recorded], pause_s: float) -> tuple[Recorded, ...]:
    """Return a session's requests with a pause of ``pause_s`` seconds after each of metrics.

    Everything up to such a request is moved to the past, the last burst stays where it is.
    """
    ordered = sorted(requests, key=lambda request: request.at_unix_nano)
    pauses = sum(request.signal is Signal.METRICS for request in ordered)
    paused = []
    for request in ordered:
        pauses -= request.signal is Signal.METRICS
        shift = Rewrite(-pauses * int(pause_s * 1000) * _MS, "", frozenset())
        paused.append(
            Recorded(shift.rewritten(request.message), request.at_unix_nano + shift.moved)
        )
    return tuple(paused)


def of_instance(requests: Sequence[Recorded], instance: str) -> tuple[Recorded, ...]:
    """Return a session's requests of a process that names itself in its resource."""
    made = []
    for request in requests:
        message = copy.deepcopy(request.message)
        for resource in _resources(message):
            resource.attributes.add(key=INSTANCE).value.string_value = instance
        made.append(Recorded(message, request.at_unix_nano))
    return tuple(made)


def without_session(requests: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Return requests whose data points do not name their session.

    So sends the CLI with ``OTEL_METRICS_INCLUDE_SESSION_ID=false``.
    """
    made = []
    for request in requests:
        message = copy.deepcopy(request.message)
        if isinstance(message, ExportMetricsServiceRequest):
            for record in _records(message):
                attributes: Any = getattr(record, "attributes", ())
                for n in reversed(range(len(attributes))):
                    if attributes[n].key == SESSION:
                        del attributes[n]
        made.append(Recorded(message, request.at_unix_nano))
    return tuple(made)


def _ids(requests: Sequence[Recorded]) -> frozenset[str]:
    return frozenset(
        pair.value.string_value
        for request in requests
        for pairs in _attributes(request.message)
        for pair in pairs
        if pair.key in ID_KEYS and pair.value.string_value
    )


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The replacement of times and ids in one session's requests.

    Times are moved by ``moved`` nanoseconds; ``ids`` are those values of attributes that are
    replaced, each by one that is made of it and ``salt`` and is as long.
    """

    moved: int
    salt: str
    ids: frozenset[str]

    def rewritten(self, message: Request) -> Request:
        """Return a copy of a request with other times and ids."""
        copied = copy.deepcopy(message)
        for record in _records(copied):
            for field in _TIMES:
                if getattr(record, field, 0):
                    setattr(record, field, getattr(record, field) + self.moved)
            for field in _BINARY_IDS:
                if getattr(record, field, b""):
                    setattr(record, field, self.binary_id(getattr(record, field)))
        for pairs in _attributes(copied):
            for pair in pairs:
                self._rewrite(pair)
        return copied

    def _rewrite(self, pair: KeyValue) -> None:
        text = pair.value.string_value
        if text in self.ids:
            pair.value.string_value = self.text_id(text)
        elif pair.key == TIMESTAMP and text:
            pair.value.string_value = moved_timestamp(text, self.moved)

    def text_id(self, text: str) -> str:
        """Return what replaces an id: as long, and a UUID for a UUID."""
        own, kind, length = _shape(text)
        digits = f"{own ^ _number(self.salt):064x}"
        if not length:
            # Version 4, as a random one has.
            return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
        return f"{kind}{(digits * (length // len(digits) + 1))[:length]}"

    def binary_id(self, value: bytes) -> bytes:
        """Return what replaces the id of a trace or a span: as long as that."""
        own = _number(value.hex()) ^ _number(self.salt)
        return own.to_bytes(_DIGEST_BYTES, "big")[: len(value)]


_DIGEST_BYTES = hashlib.sha256().digest_size


# Remembered: a load generator asks for the same ids, and for each salt often, again and again.
@lru_cache(maxsize=65536)
def _number(text: str) -> int:
    """Return the digest of a text; two of them, combined, are as good as one of both texts."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


@lru_cache(maxsize=65536)
def _shape(text: str) -> tuple[int, str, int]:
    """Return an id's digest, what of it stays, and the length of the rest (0: it is a UUID)."""
    if _UUID.fullmatch(text):
        return _number(text), "", 0
    # Ids of the API have a kind in front: req_…, toolu_….
    kind, mark, rest = text.rpartition("_")
    return _number(text), kind + mark, len(rest)


def moved_timestamp(text: str, nanos: int) -> str:
    """Return an ISO 8601 time in UTC with milliseconds, moved; other texts as they are."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    later = moment.astimezone(UTC) + timedelta(microseconds=nanos / 1000)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: Fields of records that are times, and those that are ids of traces and spans.
_TIMES = (
    *("time_unix_nano", "start_time_unix_nano", "end_time_unix_nano", "observed_time_unix_nano"),
)
_BINARY_IDS = ("trace_id", "span_id", "parent_span_id")


def _records(message: Request) -> Iterator[Any]:
    """Yield everything that has times or ids: points and exemplars, records, spans and links."""
    if isinstance(message, ExportMetricsServiceRequest):
        for resource in message.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    for point in getattr(metric, kind).data_points if kind else ():
                        yield point
                        yield from getattr(point, "exemplars", ())
    elif isinstance(message, ExportLogsServiceRequest):
        for logs in message.resource_logs:
            for block in logs.scope_logs:
                yield from block.log_records
    elif isinstance(message, ExportTraceServiceRequest):
        for spans in message.resource_spans:
            for group in spans.scope_spans:
                for span in group.spans:
                    yield span
                    yield from span.events
                    yield from span.links


def _resources(message: Request) -> Iterator[Any]:
    for field in ("resource_metrics", "resource_logs", "resource_spans"):
        for group in getattr(message, field, ()):
            yield group.resource


def _attributes(message: Request) -> Iterator[Iterable[KeyValue]]:
    """Yield the attributes of every resource, scope and record."""
    for resource in _resources(message):
        yield resource.attributes
    for field in ("resource_metrics", "resource_logs", "resource_spans"):
        for resource in getattr(message, field, ()):
            for part in ("scope_metrics", "scope_logs", "scope_spans"):
                for scope in getattr(resource, part, ()):
                    yield scope.scope.attributes
    for record in _records(message):
        if hasattr(record, "attributes"):
            yield record.attributes


def moved_by(requests: Sequence[Recorded], ends_unix_nano: int) -> int:
    """Return by how much times are moved so that the last request was exported at that time."""
    moved = ends_unix_nano - max(request.at_unix_nano for request in requests)
    return moved // _MS * _MS


@dataclass(frozen=True, slots=True)
class Replaced:
    """Everything in a session's requests that is another in every copy of it.

    ``ids`` are values of attributes, ``binary_ids`` those of traces and spans, ``times`` Unix
    nanoseconds, and ``timestamps`` the texts that say a time.
    """

    ids: frozenset[str]
    binary_ids: frozenset[bytes]
    times: frozenset[int]
    timestamps: frozenset[str]


def replaced(requests: Sequence[Recorded]) -> Replaced:
    """Find what a copy of a session's requests has otherwise."""
    records = [each for request in requests for each in _records(request.message)]
    return Replaced(
        _ids(requests),
        frozenset(getattr(each, name, b"") for each in records for name in _BINARY_IDS) - {b""},
        frozenset(getattr(each, name, 0) for each in records for name in _TIMES) - {0},
        frozenset(
            pair.value.string_value
            for request in requests
            for pairs in _attributes(request.message)
            for pair in pairs
            if pair.key == TIMESTAMP and pair.value.string_value
        ),
    )


def body(message: Request, protocol: Protocol) -> bytes:
    """Encode a request as the CLI does over ``protocol``.

    Its JSON is that of JavaScript: 64-bit integers in values are numbers, times are texts.
    """
    encoded = encode(message, ENCODINGS[protocol])
    if ENCODINGS[protocol] is not Encoding.JSON:
        return encoded
    return json.dumps(_as_javascript(json.loads(encoded)), separators=(",", ":")).encode()


#: Up to here a number of JavaScript is exact.
_SAFE = 2**53


def _as_javascript(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_javascript(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {key: _INTEGERS.get(key, _as_javascript)(member) for key, member in value.items()}


def _integer(text: Any) -> Any:
    return int(text) if isinstance(text, str) and abs(int(text)) <= _SAFE else text


_INTEGERS: Mapping[str, Callable[[Any], Any]] = {"intValue": _integer, "asInt": _integer}
