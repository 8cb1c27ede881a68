"""Prepare a recorded session once, so that each copy of it costs microseconds and no encoding.

Ids and times keep their lengths, so each request is a row of constant pieces with places between
them into which the values of a copy are put. What comes out are the very bytes of
:func:`harness.relay.replay.again`; that is tried on each session when it is prepared.
"""

from __future__ import annotations

import re
import secrets
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter

from ..errors import HarnessError
from ..otlp.flatten import items_of
from ..otlp.messages import ENCODINGS, Encoding
from ..otlp.model import Protocol, Signal
from ..relay.arriving import Identity, identity
from ..relay.replay import (
    Recorded,
    Replaced,
    Rewrite,
    again,
    body,
    moved_by,
    moved_timestamp,
    replaced,
)

#: Times between which copies are made to find the places of times: none occurs by chance.
_FAR_UNIX_NANO = (4_100_000_000_000_000_000, 7_200_000_000_000_000_000)
_FIXED64 = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """One request of a session: its signal, what its items are recognised by, and its bytes.

    ``assemble`` chooses from the values of a copy, and what stays, in the order of the bytes.
    """

    signal: Signal
    items: tuple[Identity, ...]
    assemble: Callable[[Sequence[bytes]], tuple[bytes, ...]]


class PreparedSession:
    """A recorded session whose requests are ready for one protocol, but for ids and times."""

    def __init__(self, label: str, requests: Sequence[Recorded], protocol: Protocol) -> None:
        """Find the places of ids and times. Raises HarnessError if copies would not be exact."""
        self.label = label
        self.protocol = protocol
        self._recorded = requests
        self._replaced = replaced(requests)
        self._is_json = ENCODINGS[protocol] is Encoding.JSON
        self._text_ids = sorted(self._replaced.ids)
        self._binary_ids = sorted(self._replaced.binary_ids)
        self._times = sorted(self._replaced.times)
        self._timestamps = _milliseconds(self._replaced)
        salt, ends = secrets.token_hex(8), _far_away()
        slots = {value: n for n, value in enumerate(self._values(salt, ends))}
        pieces: dict[bytes, int] = {}
        copies = again(requests, ends_unix_nano=ends, salt=salt)
        #: The requests of the session, in the order in which they are sent.
        self.requests = tuple(
            PreparedRequest(
                copy.signal,
                tuple(map(identity, items_of(request.message))),
                _getter([*_order(body(copy.message, protocol), slots, pieces)]),
            )
            for request, copy in zip(requests, copies, strict=True)
        )
        self._pieces = tuple(pieces)
        self._try()

    def copy(self, *, ends_unix_nano: int, salt: str) -> list[bytes]:
        """Return the body of each request, as :func:`harness.relay.replay.again` makes it."""
        parts = (*self._values(salt, ends_unix_nano), *self._pieces)
        return [b"".join(request.assemble(parts)) for request in self.requests]

    def identities(self, *, ends_unix_nano: int, salt: str) -> list[list[Identity]]:
        """Return what the items of each request in a copy are recognised by."""
        rewrite = self._rewrite(salt, ends_unix_nano)
        return [[_moved(each, rewrite) for each in request.items] for request in self.requests]

    def _rewrite(self, salt: str, ends_unix_nano: int) -> Rewrite:
        return Rewrite(moved_by(self._recorded, ends_unix_nano), salt, self._replaced.ids)

    def _values(self, salt: str, ends_unix_nano: int) -> list[bytes]:
        """Return the bytes of every id and time in a copy, always in the same order."""
        rewrite = self._rewrite(salt, ends_unix_nano)
        moved = rewrite.moved
        values = [rewrite.text_id(each).encode() for each in self._text_ids]
        binary_ids = [rewrite.binary_id(each) for each in self._binary_ids]
        if self._is_json:
            values += [each.hex().encode() for each in binary_ids]
            values += [b"%d" % (each + moved) for each in self._times]
        else:
            values += binary_ids
            values += [_FIXED64.pack(each + moved) for each in self._times]
        moved_ms = moved // 1_000_000
        values += [_timestamp(each + moved_ms) for each in self._timestamps]
        return values

    def _try(self) -> None:
        salt, ends = secrets.token_hex(8), _far_away()
        expected = [
            body(each.message, self.protocol)
            for each in again(self._recorded, ends_unix_nano=ends, salt=salt)
        ]
        if self.copy(ends_unix_nano=ends, salt=salt) != expected:
            raise HarnessError(
                f"session {self.label}: its requests cannot be prepared over {self.protocol}: a "
                "copy that was put together is another than one that was encoded"
            )


def _moved(item: Identity, rewrite: Rewrite) -> Identity:
    """Return what an item of a copy is recognised by, as :func:`identity` would."""
    if isinstance(item.moment, str):
        return item._replace(moment=rewrite.binary_id(bytes.fromhex(item.moment)).hex())
    session = rewrite.text_id(item.session) if item.session else ""
    return Identity(item.name, session, item.moment + rewrite.moved)


def _far_away() -> int:
    first, last = _FAR_UNIX_NANO
    return first + secrets.randbelow(last - first)


def _order(content: bytes, slots: dict[bytes, int], pieces: dict[bytes, int]) -> Iterator[int]:
    """Yield the places, among values and then pieces, of what the bytes consist of."""
    if not slots:
        yield len(slots) + pieces.setdefault(content, len(pieces))
        return
    # The longest first: where one value begins as another does, the longer one is meant.
    pattern = b"|".join(map(re.escape, sorted(slots, key=len, reverse=True)))
    for n, piece in enumerate(re.split(b"(" + pattern + b")", content, flags=re.DOTALL)):
        if n % 2:
            yield slots[piece]
        else:
            yield len(slots) + pieces.setdefault(piece, len(pieces))


def _getter(order: Sequence[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    # With one index, itemgetter would return the bytes themselves; a slice returns a sequence.
    return itemgetter(*order) if len(order) > 1 else itemgetter(slice(order[0], order[0] + 1))


def _milliseconds(found: Replaced) -> list[int]:
    """Return the timestamps as milliseconds; what is no time is never moved, so is no place."""
    return sorted(
        {
            round(datetime.fromisoformat(text).timestamp() * 1000)
            for text in found.timestamps
            if moved_timestamp(text, 1_000_000) != text
        }
    )


def _timestamp(ms: int) -> bytes:
    seconds, left = divmod(ms, 1000)
    return b"%s.%03dZ" % (_second(seconds), left)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
