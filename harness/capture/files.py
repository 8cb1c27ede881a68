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

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.capture.capture import Capture, Connection
from harness.capture.export import Export
from harness.capture.run import Run
from harness.capture.serialization import SerializationError, from_plain, to_plain
from harness.errors import UsageError
from harness.otlp.codec import encode
from harness.otlp.messages import Encoding
from harness.otlp.model import Signal

FORMAT = 1
SIDECAR = "capture.json"
TRANSPORT = "transport.jsonl"

_FILES = {signal: f"{signal}.jsonl" for signal in Signal}
_TOP_KEYS = {
    "resourceMetrics": Signal.METRICS,
    "resourceLogs": Signal.LOGS,
    "resourceSpans": Signal.TRACES,
}


@dataclass(frozen=True, slots=True)
class _Sidecar:
    format: int
    exports: int
    forgotten: int
    run: Run
    connections: tuple[Connection, ...] = ()


def save(capture: Capture, folder: Path) -> None:
    """Write ``capture`` to ``folder``, which is made if need be; an older one is replaced."""
    lines: dict[Signal, list[bytes]] = {signal: [] for signal in Signal}
    transport: list[bytes] = []
    for export in capture.exports:
        place: dict[str, Any] = {"file": None, "line": None}
        if export.signal and export.message is not None and not export.rejected:
            lines[export.signal].append(encode(export.message, Encoding.JSON))
            place = {"file": _FILES[export.signal], "line": len(lines[export.signal])}
        transport.append(json.dumps({**place, **to_plain(export)}).encode())
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
    """The capture that :func:`save` wrote to ``folder``, equal to the one saved."""
    path = folder / SIDECAR
    if not path.is_file():
        _listing(folder)
        raise UsageError(
            f"capture folder {folder}",
            seen=f"no {SIDECAR}",
            expected="a folder that a finished run has saved (exports of other tools have no run)",
        )
    text = path.read_bytes()
    document = _object(text, str(path))
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


def load_exports(folder: Path) -> tuple[Export, ...]:
    """The exports in ``folder``: a saved capture's, or those that another tool left.

    Without a ``capture.json``, each line of each ``*.jsonl`` file, by file name, is an
    export in OTLP/JSON: its ``protocol`` is ``None``, its ``path`` says file and line.
    """
    if (folder / SIDECAR).is_file():
        return load(folder).exports
    files = sorted(path for path in _listing(folder) if path.suffix == ".jsonl")
    if not files:
        raise UsageError(
            f"capture folder {folder}",
            seen="no *.jsonl file",
            expected="files of OTLP-JSON lines, one export request a line",
        )
    lines = ((path, number, line) for path in files for number, line in _lines(path))
    return tuple(_foreign(n, *line) for n, line in enumerate(lines, start=1))


def _write(path: Path, lines: Iterable[bytes]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(line + b"\n" for line in lines)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _listing(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"capture folder {folder}", seen=str(error), expected="a folder with a saved capture"
        ) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their numbers from 1."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"file {path}", seen=str(error), expected="a readable file") from None
    for number, line in enumerate(content.split(b"\n"), start=1):
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


def _foreign(sequence: int, path: Path, number: int, line: bytes) -> Export:
    where = f"file {path} line {number}"
    document = _object(line, where)
    signal = next((_TOP_KEYS[key] for key in document if key in _TOP_KEYS), None)
    if signal is None:
        raise UsageError(
            where,
            seen=f"an object with {', '.join(document) or 'nothing in it'}"[:200],
            expected=f"one of {', '.join(_TOP_KEYS)}",
        )
    return Export(
        sequence=sequence,
        protocol=None,
        signal=signal,
        method="",
        path=f"{path.name}:{number}",
        http_version="",
        headers=(),
        body=line,
        arrived_unix_nano=0,
        peer="",
        status=200,
    )
