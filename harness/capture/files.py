"""Captures as folders, readable by other tools.

A folder holds

``metrics.jsonl``, ``logs.jsonl``, ``traces.jsonl``
    the accepted exports that could be decoded, in the format of OpenTelemetry's
    file exporter: one export request a line, in canonical OTLP/JSON;
``transport.jsonl``
    every export in order of arrival, refused and undecodable ones too: the
    transport facts, the raw body in base64, and ``file`` and ``line`` (from 1) of
    its decoded form, or null;
``capture.json``
    the version of this format, the run with its ground truth, the number of
    exports and of forgotten ones, the connections that were opened.

Everything is stored as it came, the values of ``authorization`` and
``x-api-key`` headers and of the run's environment included: subjects are run with
made-up credentials only.  A folder made with real ones must be kept like them;
the files can be read by their owner alone.

Each file is replaced as a whole, and ``capture.json`` goes first and comes last:
a folder that has one is complete.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import UsageError
from ..otlp.codec import encode
from ..otlp.content import DEFAULT_LIMIT
from ..otlp.messages import Encoding
from ..otlp.model import Signal
from .capture import Capture, Connection
from .export import Export
from .run import Run
from .serialization import SerializationError, from_plain, to_plain

FORMAT = 2
SIDECAR = "capture.json"
TRANSPORT = "transport.jsonl"

_FILES = {signal: f"{signal}.jsonl" for signal in Signal}
#: The longest line that is read, in bytes, and the longest sidecar.  The largest body that
#: a collector takes by default grows by a third in base64; the rest is room for its headers.
LONGEST = 2 * DEFAULT_LIMIT

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True, slots=True)
class _Sidecar:
    format: int
    exports: int
    forgotten: int
    run: Run
    connections: tuple[Connection, ...] = ()


def folder_name(run: Run) -> str:
    """Return the name of the folder of a run's capture: ``working_day-http-json``."""
    return f"{run.scenario}-{run.protocol.replace('/', '-')}"


def save(capture: Capture, folder: Path) -> None:
    """Write ``capture`` to ``folder``; create the folder, or replace the capture in it."""
    lines: dict[Signal, list[bytes]] = {signal: [] for signal in Signal}
    transport: list[bytes] = []
    for export in capture.exports:
        location: dict[str, Any] = {"file": None, "line": None}
        if export.signal and export.message is not None and not export.rejected:
            lines[export.signal].append(encode(export.message, Encoding.JSON))
            location = {"file": _FILES[export.signal], "line": len(lines[export.signal])}
        transport.append(json.dumps({**location, **to_plain(export)}).encode())
    sidecar = _Sidecar(
        FORMAT, len(capture.exports), capture.forgotten, capture.run, capture.connections
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SIDECAR).unlink(missing_ok=True)
        for signal, name in _FILES.items():
            _write(folder / name, lines[signal])
        _write(folder / TRANSPORT, transport)
        _write(folder / SIDECAR, [json.dumps(to_plain(sidecar), indent=1).encode()])
    except OSError as error:
        raise UsageError(
            f"capture folder {folder}", seen=str(error), expected="a folder that we can write to"
        ) from error


def load(folder: Path) -> Capture:
    """Read a capture that :func:`save` wrote; it equals the one saved."""
    path = folder / SIDECAR
    if not os.path.lexists(path):
        _check_folder(folder)
        raise UsageError(
            f"capture folder {folder}",
            seen=f"no {SIDECAR}",
            expected="a folder that a finished run has saved",
        )
    document = _object(_whole(path), f"file {path}")
    if document.get("format") != FORMAT:
        raise UsageError(
            f"file {path}", seen=f"format {document.get('format')!r}", expected=f"format {FORMAT}"
        )
    try:
        sidecar = from_plain(_Sidecar, document)
    except SerializationError as error:
        raise UsageError(f"file {path}", seen=str(error), expected="a saved run") from None
    exports = tuple(_transport(folder / TRANSPORT))
    if len(exports) != sidecar.exports:
        raise UsageError(
            f"file {folder / TRANSPORT}",
            seen=f"{len(exports)} lines",
            expected=f"{sidecar.exports} lines, as {SIDECAR} says",
        )
    return Capture(sidecar.run, exports, sidecar.forgotten, sidecar.connections)


def _write(path: Path, lines: Iterable[bytes]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(line + b"\n" for line in lines)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _check_folder(folder: Path) -> None:
    try:
        os.listdir(folder)
    except OSError as error:
        raise UsageError(
            f"capture folder {folder}", seen=str(error), expected="a folder with a saved capture"
        ) from None


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading if it is a regular one.

    To open a FIFO could block, and to open a device could have an effect.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind != stat.S_IFREG:
            raise UsageError(
                f"file {path}", seen=_KINDS.get(kind, "something else"), expected="a regular file"
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"file {path}", seen=str(error), expected="a readable file") from None


def _whole(path: Path) -> bytes:
    with _reading(path) as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise UsageError(f"file {path}", seen="a longer one", expected=f"at most {LONGEST} bytes")
    return content


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers from 1."""
    with _reading(path) as file:
        for number in itertools.count(1):
            line = file.readline(LONGEST + 1)
            if not line:
                return
            if len(line) > LONGEST:
                raise UsageError(
                    f"file {path} line {number}",
                    seen="a longer one",
                    expected=f"a line of at most {LONGEST} bytes",
                )
            if line.strip():
                yield number, line.strip()


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(where, seen=f"no JSON: {error}", expected="a JSON object") from None
    if not isinstance(document, dict):
        raise UsageError(where, seen=type(document).__name__, expected="a JSON object")
    return document


def _transport(path: Path) -> Iterator[Export]:
    for number, line in _lines(path):
        where = f"file {path} line {number}"
        document = _object(line, where)
        # Where the decoded form is: for readers of the folder, not for us.
        document.pop("file", None)
        document.pop("line", None)
        try:
            yield from_plain(Export, document)
        except SerializationError as error:
            raise UsageError(where, seen=str(error), expected="an export") from None
