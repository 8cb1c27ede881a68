"""Read the file that a collector under test writes, while it grows."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from glob import escape
from pathlib import Path

from ...capture.export import Export
from ...clock import time_ns
from ...collector.store import DEFAULT_LIMIT
from ...errors import HarnessError
from ...otlp.model import Protocol, Signal
from ...otlp.unmarked import KEYS, protobuf_signal
from .base import Polled
from .framing import Framing

FILE = "file"
INTERVAL_S = 0.1

#: Enough of a file's start to tell another file in its place: resource, scope and first times.
_HEAD = 4096


class FileOutlet(Polled):
    """A file as OpenTelemetry's file exporter writes it, in any of its formats.

    Placeholder: ``file_out``, the path. Files that it was rotated to (``NAME-….EXT`` beside it) are
    read to their ends first; a file that was emptied, or replaced, is read from its start. Each
    message is an export; a last one that is half written is waited for.
    """

    name = FILE

    def __init__(
        self,
        path: Path,
        *,
        interval_s: float = INTERVAL_S,
        limit_bytes: int = DEFAULT_LIMIT,
    ) -> None:
        super().__init__(interval_s, limit_bytes)
        self._path = path
        self._open: dict[tuple[int, int], _Tail] = {}

    def placeholders(self) -> Mapping[str, str]:
        """Return ``file_out``."""
        return {"file_out": str(self._path)}

    @property
    def pending(self) -> int:
        """How many bytes were read that are no whole message yet."""
        return sum(tail.framing.pending for tail in self._open.values())

    def look(self) -> None:
        """Read what is new in the file, and in those that it was rotated to."""
        for path in self._paths():
            self._follow(path)
        # What was rotated is named by its time, so it comes in the order in which it was written.
        # One that was deleted meanwhile can still be read: it is open.
        for tail in self._open.values():
            for message in tail.messages():
                for part in _one_signal_each(message):
                    self._store.append(self._export(part))

    def _paths(self) -> list[Path]:
        rotated = self._path.parent.glob(f"{escape(self._path.stem)}-*{self._path.suffix}")
        return [*sorted(rotated), self._path]

    def _follow(self, path: Path) -> None:
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        facts = os.fstat(file)
        if (facts.st_dev, facts.st_ino) in self._open:
            os.close(file)
        else:
            self._open[facts.st_dev, facts.st_ino] = _Tail(file, path)

    def _close(self) -> None:
        for tail in self._open.values():
            os.close(tail.file)

    def _export(self, message: bytes) -> Export:
        signal, protocol, rejected = _read(message)
        return Export(
            sequence=0,
            protocol=protocol,
            signal=signal,
            method="",
            path=str(self._path),
            http_version="",
            headers=(),
            body=message,
            arrived_unix_nano=time_ns(),
            peer="",
            status=200,
            rejected=rejected,
            collector=self.name,
        )


class _Tail:
    """One file that is open, and how far it was read."""

    def __init__(self, file: int, path: Path) -> None:
        self.file = file
        self.framing = Framing()
        self._path = path
        self._offset = 0
        self._head = b""

    def messages(self) -> Iterator[bytes]:
        """Yield every message that was completed since the last time."""
        head = os.pread(self.file, _HEAD, 0)
        if os.fstat(self.file).st_size < self._offset or not head.startswith(self._head):
            self._offset, self.framing = 0, Framing()
        while data := os.pread(self.file, 1 << 20, self._offset):
            self._offset += len(data)
            try:
                yield from self.framing.feed(data)
            except HarnessError as error:
                raise HarnessError(f"{self._path}, before byte {self._offset}: {error}") from None
        self._head = os.pread(self.file, min(_HEAD, self._offset), 0)


def _one_signal_each(message: bytes) -> Iterator[bytes]:
    """Yield a message, or, of one in JSON that holds several signals, each of them."""
    if sum(key.encode() in message for key in KEYS) > 1 and message.lstrip()[:1] == b"{":
        with contextlib.suppress(ValueError):
            document = json.loads(message)
            signals = [key for key in document if key in KEYS]
            if len(signals) > 1:
                yield from (json.dumps({key: document[key]}).encode() for key in signals)
                return
    yield message


def _read(message: bytes) -> tuple[Signal | None, Protocol | None, str]:
    """Return a message's signal, protocol (none for JSON), and why it cannot be read, if so."""
    if message.lstrip()[:1] != b"{":
        signal = protobuf_signal(message)
        rejected = "" if signal else "neither OTLP/JSON nor OTLP's protobuf"
        return signal, Protocol.HTTP_PROTOBUF, rejected
    try:
        keys = json.loads(message)
    except ValueError as error:
        return None, None, f"no JSON: {error}"
    signal = next((KEYS[key] for key in keys if key in KEYS), None)
    return signal, None, "" if signal else f"no signal among its keys: {', '.join(keys)}"
