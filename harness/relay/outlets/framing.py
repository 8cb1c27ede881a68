"""Split what a file exporter has written so far into messages, as more of it comes.

OpenTelemetry's file exporter writes a line of OTLP/JSON for each message. With ``format: proto``,
and with any compression, it writes the length of each message before it (4 bytes, big-endian);
with ``compression: zstd`` each message is one zstd frame. Behind a feature gate, the file as a
whole is a stream of zstd frames instead, with the lines or the lengths inside. A gzip stream is
read in the same way. Which of these it is shows in the first bytes: as a length, each of the
others' would be a message of half a gigabyte or more.
"""

from __future__ import annotations

import zlib

import cramjam

from ...errors import HarnessError

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_LENGTH = 4
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)


class Framing:
    """Takes bytes as they come, and gives every message that is whole, uncompressed."""

    def __init__(self) -> None:
        self._rest = b""
        self._inflate: _Gzip | _Zstd | None = None
        self._inner: Framing | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that ``data`` completes; what is half there is kept for later.

        Raises :class:`HarnessError` for what no file exporter writes.
        """
        self._rest += data
        if self._inner is None and self._rest[:2] == _GZIP:
            self._inflate, self._inner = _Gzip(), Framing()
        elif self._inner is None and self._rest[:4] == _ZSTD:
            self._inflate, self._inner = _Zstd(), Framing()
        if self._inner is not None:
            assert self._inflate is not None
            new, self._rest = self._rest, b""
            return self._inner.feed(self._inflate.feed(new))
        if self._rest.lstrip()[:1] == b"{":
            *lines, self._rest = self._rest.split(b"\n")
            return [line for line in lines if line.strip()]
        return self._by_length()

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their message."""
        inner = self._inner.pending if self._inner is not None else 0
        held = self._inflate.pending if self._inflate is not None else 0
        return len(self._rest) + held + inner

    def _by_length(self) -> list[bytes]:
        messages = []
        at = 0
        while len(self._rest) - at >= _LENGTH:
            end = at + _LENGTH + int.from_bytes(self._rest[at : at + _LENGTH], "big")
            if end > len(self._rest):
                break
            message = self._rest[at + _LENGTH : end]
            messages.append(unzstd(message) if message[:4] == _ZSTD else message)
            at = end
        self._rest = self._rest[at:]
        return messages


class _Gzip:
    """A gzip stream that may still grow; it may have several members."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

    pending = 0

    def feed(self, data: bytes) -> bytes:
        parts = []
        while data:
            try:
                parts.append(self._stream.decompress(data))
            except zlib.error as error:
                raise HarnessError(f"no gzip stream: {error}") from None
            data = self._stream.unused_data
            if self._stream.eof:
                self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return b"".join(parts)


class _Zstd:
    """A stream of zstd frames, of which only whole ones are decompressed."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def pending(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        parts = []
        while (end := frame_end(self._rest)) is not None:
            parts.append(unzstd(self._rest[:end]))
            self._rest = self._rest[end:]
        return b"".join(parts)


def unzstd(frame: bytes) -> bytes:
    """Decompress one zstd frame; raises :class:`HarnessError` for what is none."""
    try:
        content: bytes = cramjam.zstd.decompress(frame).read()
    except cramjam.DecompressionError as error:
        raise HarnessError(f"no zstd frame: {error}") from None
    return content


def frame_end(data: bytes) -> int | None:
    """Return where the zstd frame at the start of ``data`` ends (RFC 8878); None if it is cut off.

    The sizes of its blocks tell it, nothing is decompressed.
    """
    if len(data) < 5:
        return None
    magic = int.from_bytes(data[:4], "little")
    if magic in _SKIPPABLE:
        end = 8 + int.from_bytes(data[4:8], "little")
        return end if len(data) >= max(end, 8) else None
    if data[:4] != _ZSTD:
        raise HarnessError(f"no zstd frame: it begins with {data[:4].hex()}")
    descriptor = data[4]
    single = bool(descriptor & 0x20)
    content_size = (int(single), 2, 4, 8)[descriptor >> 6]
    at = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + content_size
    last = False
    while not last:
        if len(data) < at + 3:
            return None
        header = int.from_bytes(data[at : at + 3], "little")
        last, repeated = bool(header & 1), (header >> 1) & 3 == 1
        at += 3 + (1 if repeated else header >> 3)
    at += 4 if descriptor & 0x04 else 0
    return at if len(data) >= at else None
