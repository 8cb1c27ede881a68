"""Read files as a Collector's file exporter writes them, message by message, as a stream.

OTLP/JSON, one message a line; or, for ``format: proto`` and with compression, messages with their
length before them (4 bytes, big-endian), each of which may be a zstd frame. The file as a whole
may be gzip or zstd. Which of these it is shows in its first bytes.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..errors import UsageError
from ..extras import require_fleet

#: The longest message that is read, in bytes: what is decoded of one must fit into memory.
LONGEST = 32 * 1024 * 1024

#: How OTLP/JSON names a signal; an inventory of ours tells of a ``resource``, too.
_SIGNAL = re.compile(rb'"resource(Logs|Metrics|Spans)"')
_LINE = re.compile(rb'\n\{"resource(Logs|Metrics|Spans)"')

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 20
_LENGTH = 4
#: How much of a compressed file is expanded at once.
_CHUNK = 16 * 1024

#: The time in the name of a file that the exporter has rotated: NAME-2026-11-27T10-00-00.000.EXT.
_ROTATED = re.compile(r"-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3})(?=\.|$)")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a file: where it begins, counted from 1 and in (uncompressed) bytes."""

    file: str
    number: int
    byte: int
    body: bytes

    @property
    def where(self) -> str:
        """The place for a reader: ``otel.json line 3 (byte 1234)``."""
        unit = "line" if self.body[:1] == b"{" else "message"
        return f"{self.file} {unit} {self.number} (byte {self.byte})"


@dataclass(frozen=True, slots=True)
class Broken:
    """A message, or the rest of a file, that cannot be read, and why."""

    where: str
    why: str


def find(names: Sequence[Path], option: str) -> list[Path]:
    """Return the files of a capture in the order in which they were written.

    Of a folder, all files in it (hidden ones aside): rotated ones by the time in their name,
    before the one that they were rotated from. Raises UsageError for what is neither, or empty.
    """
    found: list[Path] = []
    for name in names:
        try:
            if name.is_dir():
                inside = [p for p in name.iterdir() if p.is_file() and p.name[0] != "."]
                if not inside:
                    raise UsageError(
                        f"{option} {name}", seen="a folder without files", expected="a capture"
                    )
                found += sorted(inside, key=_written)
                continue
            with name.open("rb"):
                pass
        except OSError as error:
            raise UsageError(
                f"{option} {name}",
                seen=str(error),
                expected="a file of a Collector's file exporter, or a folder of them",
            ) from None
        found.append(name)
    return found


def _written(path: Path) -> tuple[str, str]:
    """Return a key that sorts the files of a folder: what is being written comes last."""
    rotated = _ROTATED.search(path.name)
    name = _ROTATED.sub("", path.name).removesuffix(".gz").removesuffix(".zst")
    return name, rotated[1] if rotated else "~"


def looks_written(head: bytes) -> bool:
    """Say whether a file that begins so can be one of a file exporter.

    As a length, the first byte of anything else (a program, a script) would be of a message that
    is too long; or it is the rest of a line that a rotation cut, before whole ones.
    """
    if head[:2] == _GZIP or head[:4] == _ZSTD:
        return True
    text = head.lstrip()
    if text[:1] == b"{":
        return _SIGNAL.search(text) is not None
    return (len(head) > _LENGTH and not _too_long(head)) or _LINE.search(head) is not None


def messages(paths: Sequence[Path]) -> Iterator[Message | Broken]:
    """Yield every message of these files, and what cannot be read."""
    for path in paths:
        try:
            with path.open("rb", buffering=_BUFFER) as file:
                yield from _messages(str(path), file)
        except OSError as error:
            yield Broken(str(path), str(error))


def _messages(name: str, raw: BinaryIO) -> Iterator[Message | Broken]:
    file, problems = _uncompressed(raw)
    at = _Place(name)
    try:
        yield from (_lines if _in_lines(_peek(file)) else _by_length)(file, at)
    except problems as error:
        yield Broken(at.next, f"the file is cut off or damaged from here on: {error}")


def _in_lines(head: bytes) -> bool:
    return head.lstrip()[:1] in (b"{", b"")


def _too_long(head: bytes) -> bool:
    return int.from_bytes(head[:_LENGTH], "big") > LONGEST


class _Place:
    """How far a file was read: the message that comes next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 1
        self.byte = 0

    @property
    def next(self) -> str:
        return f"{self.name} line or message {self.number} (byte {self.byte})"


def _uncompressed(raw: BinaryIO) -> tuple[BinaryIO, tuple[type[Exception], ...]]:
    """Return the content of a file, and what reading it raises where it is damaged."""
    head = _peek(raw)
    if head[:2] == _GZIP:
        return cast(BinaryIO, gzip.open(raw)), (EOFError, gzip.BadGzipFile, zlib.error)
    if head[:4] == _ZSTD:
        require_fleet("a file that is compressed by zstd")
        import zstandard

        content = _Zstd(raw, lambda: zstandard.ZstdDecompressor().decompressobj())
        damaged = (EOFError, zstandard.ZstdError)
        return cast(BinaryIO, io.BufferedReader(content, _BUFFER)), damaged
    return raw, (EOFError,)


class _Zstd(io.RawIOBase):
    """The content of zstd frames; one that is cut off is an EOFError, as it is in gzip."""

    def __init__(self, raw: BinaryIO, frame: Callable[[], Any]) -> None:
        self._raw = raw
        self._new_frame = frame
        self._frame: Any = None
        self._rest = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if not self._rest:
                self._rest = self._raw.read(_CHUNK)
            if not self._rest:
                if self._frame is not None:
                    raise EOFError("a zstd frame ended before its end")
                return 0
            if self._frame is None:
                self._frame = self._new_frame()
            self._ready = self._frame.decompress(self._rest)
            self._rest = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        part = self._ready[: len(buffer)]
        buffer[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)


def _peek(file: Any) -> bytes:
    return bytes(file.peek(16)[:64])


def _lines(file: BinaryIO, at: _Place) -> Iterator[Message | Broken]:
    while line := file.readline(LONGEST + 1):
        size = len(line)
        if size > LONGEST:
            while not line.endswith(b"\n") and (line := file.readline(_BUFFER)):
                size += len(line)
            yield Broken(
                f"{at.name} line {at.number} (byte {at.byte})",
                f"a line of {size} bytes; those up to {LONGEST} are read",
            )
        elif text := line.strip():
            yield Message(at.name, at.number, at.byte, text)
        at.number += 1
        at.byte += size


def _by_length(file: BinaryIO, at: _Place) -> Iterator[Message | Broken]:
    if _too_long(_peek(file)):
        yield from _after_a_cut(file, at)
        return
    expand = _expander()
    while head := file.read(_LENGTH):
        length = int.from_bytes(head, "big")
        where = f"{at.name} message {at.number} (byte {at.byte})"
        if len(head) < _LENGTH or length > LONGEST:
            yield Broken(where, "neither OTLP/JSON nor messages with their length before them")
            return
        body = file.read(length)
        if len(body) < length:
            yield Broken(where, f"cut off: {len(body)} of {length} bytes")
            return
        if body[:4] == _ZSTD:
            try:
                body = expand(body)
            except ValueError as error:
                yield Broken(where, str(error))
                body = b""
        if body:
            yield Message(at.name, at.number, at.byte, body)
        at.number += 1
        at.byte += _LENGTH + length


def _after_a_cut(file: BinaryIO, at: _Place) -> Iterator[Message | Broken]:
    """Yield the lines after the first, of which a rotation has left the end alone."""
    rest = file.readline(LONGEST + 1)
    if rest.endswith(b"\n") and (head := _peek(file)) and _in_lines(head):
        yield Broken(f"{at.name} line {at.number} (byte {at.byte})", "cut off: it has no beginning")
        at.number += 1
        at.byte += len(rest)
        yield from _lines(file, at)
    else:
        where = f"{at.name} message {at.number} (byte {at.byte})"
        yield Broken(where, "neither OTLP/JSON nor messages with their length before them")


def _expander() -> Callable[[bytes], bytes]:
    """Return what decompresses one zstd frame; it raises ValueError for a damaged one."""

    def expand(frame: bytes) -> bytes:
        require_fleet("messages that are compressed by zstd")
        import zstandard

        try:
            with zstandard.ZstdDecompressor().stream_reader(frame) as reader:
                content = reader.read(LONGEST + 1)
        except zstandard.ZstdError as error:
            raise ValueError(f"no zstd frame: {error}") from None
        if len(content) > LONGEST:
            raise ValueError(f"a message of more than {LONGEST} bytes")
        return bytes(content)

    return expand
