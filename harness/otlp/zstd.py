"""Decompress zstd as far as a limit: for HTTP bodies, by the extra ``zstd``.

One package for every Python: the standard library knows zstd from 3.14 on only.
"""

from __future__ import annotations

import importlib.util

from .errors import DecodeError

#: Of a body, so much is decompressed at once: 128 blocks at most, of 128 KiB at most each.
_PIECE = 512
#: The window that every decompressor is to support (RFC 8878, 3.1.1.1.2).
_LEAST_WINDOW = 8 * 1024 * 1024


def is_installed() -> bool:
    """Say whether zstd can be read here."""
    return importlib.util.find_spec("zstandard") is not None


def decompress(body: bytes, room: int) -> bytes | None:
    """Return the content of one or more frames; None if it is of more than ``room`` bytes.

    Raises DecodeError for what is no zstd, is cut off, or asks for a window that is larger than
    what there is room for.
    """
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_window(room))
    parts: list[bytes] = []
    frame = None
    rest = memoryview(body)
    while rest:
        frame = frame or decompressor.decompressobj()
        piece, rest = rest[:_PIECE], rest[_PIECE:]
        try:
            part = frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise DecodeError("", f"body is not valid zstd: {error}") from None
        room -= len(part)
        if room < 0:
            return None
        parts.append(part)
        if frame.eof:
            unused = len(frame.unused_data)
            rest = memoryview(body)[len(body) - len(rest) - unused :]
            frame = None
    if frame is not None or not parts:
        raise DecodeError("", "zstd body is cut off")
    return b"".join(parts)


def _window(room: int) -> int:
    """Return the largest window: a power of two, as large as what may come out of it."""
    return max(_LEAST_WINDOW, 1 << (room - 1).bit_length())
