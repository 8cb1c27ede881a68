"""``record.jsonl``: a run for machines, one JSON object a line.

The first line is the header, the last the footer with the counts; between them
stands one line for each requirement that was judged.  A run that was broken off
has no footer, so that nobody takes a part for the whole.
``schemas/record.schema.json`` describes each line.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from harness.capture.run import SubjectFacts
from harness.contract.files import read_json, schema_root
from harness.errors import UsageError
from harness.findings import Finding, Level, RunName, Verdict
from harness.judging.checks.canaries import Spot
from harness.judging.verdicts import Row, counts
from harness.otlp.model import Protocol
from harness.record.header import CanaryTable, Fuzz, Header, Machine

FORMAT = 1
FILE_NAME = "record.jsonl"

#: What every finding has.
_FINDING = ("expected", "seen", "where")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Footer:
    """How the run ended.  ``selected`` requirements were to be judged, ``deselected``
    ones of the catalogue were not; ``exit_code`` is what the process answered, ``ratio``
    how long all took, over the longest unavoidable wait (None where nothing was run)."""

    selected: int
    deselected: int
    failed: bool
    why: str
    exit_code: int
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A complete record, as :func:`read` gives it."""

    header: Header
    rows: tuple[Row, ...]
    footer: Footer


def write(path: Path, header: Header, rows: Sequence[Row], footer: Footer | None) -> None:
    """Replace ``path`` as a whole.  ``footer`` is None for a run that was broken off.

    Raises UsageError where the folder cannot be written to.
    """
    lines: list[Mapping[str, Any]] = [_header(header), *map(row_to_plain, rows)]
    if footer is not None:
        lines.append(_footer(footer, rows))
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # mkstemp keeps the file to its owner; a report is to be read by others.
            Path(name).chmod(0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"report file {path}", seen=str(error), expected="a file that we can write"
        ) from error


def read(path: Path) -> Record:
    """The record in ``path``.

    Raises UsageError, naming file and line, for a line that is no JSON or not as the
    schema says, for a missing header or footer, and for counts that do not agree.
    """
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"record {path}", seen=str(error), expected="a readable file") from None
    schema = Draft202012Validator(read_json(schema_root() / "record.schema.json"))
    documents = [_line(path, number, text, schema) for number, text in enumerate(lines, start=1)]
    kinds = [document["kind"] for document in documents]
    if kinds[0] != "header":
        raise _broken(path, 1, f"a line of the kind {kinds[0]!r}", "header")
    if kinds[-1] != "footer":
        raise UsageError(
            f"record {path}",
            seen="no footer: the run that wrote it was broken off",
            expected="a footer as the last line",
        )
    for number, kind in enumerate(kinds[1:-1], start=2):
        if kind != "requirement":
            raise _broken(path, number, f"a second {kind}", "requirement")
    rows = tuple(map(row_from_plain, documents[1:-1]))
    _agree(path, documents[-1], rows)
    return Record(_header_from(documents[0]), rows, _footer_from(documents[-1]))


def row_to_plain(row: Row) -> dict[str, Any]:
    """A row as a line of the record: strings, numbers, lists and objects only."""
    return {
        "kind": "requirement",
        "requirement": row.requirement,
        "verdict": row.verdict.value,
        "level": row.level.value,
        "says": row.says,
        "source": row.source,
        "reason": row.reason,
        "evidence": row.evidence,
        "looked_at": row.looked_at,
        "findings": [_finding(each) for each in row.findings],
        "by_protocol": {
            protocol.value: verdict.value for protocol, verdict in row.by_protocol.items()
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    plain = asdict(finding)
    # Only what is there.
    return {name: value for name, value in plain.items() if name in _FINDING or value}


def _finding_from(document: Mapping[str, Any]) -> Finding:
    runs = tuple(RunName(**each) for each in document.get("runs", ()))
    return Finding(**{**document, "runs": runs})


def row_from_plain(document: Mapping[str, Any]) -> Row:
    """The row that :func:`row_to_plain` was given."""
    return Row(
        requirement=document["requirement"],
        level=Level(document["level"]),
        verdict=Verdict(document["verdict"]),
        says=document["says"],
        source=document["source"],
        reason=document["reason"],
        evidence=document["evidence"],
        looked_at=document["looked_at"],
        findings=tuple(map(_finding_from, document["findings"])),
        by_protocol={
            Protocol(protocol): Verdict(verdict)
            for protocol, verdict in document["by_protocol"].items()
        },
    )


def _header(header: Header) -> dict[str, Any]:
    subject, machine = header.subject, header.machine
    return {
        "kind": "header",
        "format": FORMAT,
        "tool": {"name": "pytest-cc-otel", "version": header.tool},
        "subject": {"spec": subject.spec, "path": subject.path, "version": subject.version},
        "contract": list(header.documents),
        "protocols": list(header.protocols),
        "exports": dict(header.exports),
        "started": _iso(header.started_unix_nano),
        "ended": _iso(header.ended_unix_nano),
        "recording_s": round(header.recording_s, 3),
        "canaries": {
            "gates": list(header.canaries.gates),
            "spots": [
                {"canary": spot.canary, "place": spot.place, "allowed": dict(spot.seen)}
                for spot in header.canaries.spots
            ],
        },
        "runs": {label: round(seconds, 3) for label, seconds in header.runs.items()},
        "unavoidable_s": round(header.unavoidable_s, 3),
        **({"fuzz": _fuzz(header.fuzz)} if header.fuzz else {}),
        "machine": {"os": machine.os, "arch": machine.arch, "python": machine.python},
    }


def _fuzz(fuzz: Fuzz) -> dict[str, Any]:
    return {**asdict(fuzz), "seconds": round(fuzz.seconds, 3)}


def _header_from(document: Mapping[str, Any]) -> Header:
    return Header(
        subject=SubjectFacts(**document["subject"]),
        documents=tuple(document["contract"]),
        exports=document["exports"],
        started_unix_nano=_unix_nano(document["started"]),
        ended_unix_nano=_unix_nano(document["ended"]),
        recording_s=document["recording_s"],
        tool=document["tool"]["version"],
        runs=document["runs"],
        unavoidable_s=document["unavoidable_s"],
        fuzz=Fuzz(**document["fuzz"]) if "fuzz" in document else None,
        canaries=CanaryTable(
            tuple(document["canaries"]["gates"]),
            tuple(
                Spot(spot["canary"], spot["place"], spot["allowed"])
                for spot in document["canaries"]["spots"]
            ),
        ),
        machine=Machine(**document["machine"]),
    )


def _footer(footer: Footer, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "kind": "footer",
        "counts": {verdict.value: number for verdict, number in counts(rows).items()},
        "total": len(rows),
        "selected": footer.selected,
        "deselected": footer.deselected,
        "failed": footer.failed,
        "why": footer.why,
        "exit_code": footer.exit_code,
        "ratio": None if footer.ratio is None else round(footer.ratio, 3),
    }


def _footer_from(document: Mapping[str, Any]) -> Footer:
    return Footer(
        selected=document["selected"],
        deselected=document["deselected"],
        failed=document["failed"],
        why=document["why"],
        exit_code=document["exit_code"],
        ratio=document["ratio"],
    )


def _agree(path: Path, footer: Mapping[str, Any], rows: Sequence[Row]) -> None:
    found = {verdict.value: number for verdict, number in counts(rows).items()}
    if footer["counts"] != found or footer["total"] != len(rows):
        raise UsageError(
            f"record {path}",
            seen=f"{len(rows)} requirements: {found}",
            expected=f"{footer['total']}: {footer['counts']}, as the footer says",
        )
    names = [row.requirement for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"record {path}",
            seen=f"more than one line for {', '.join(twice)}",
            expected="one line for each requirement",
        )


def _line(path: Path, number: int, text: str, schema: Draft202012Validator) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _broken(path, number, f"no JSON ({error})", "JSON object") from None
    for wrong in schema.iter_errors(document):
        raise _broken(path, number, f"at {wrong.json_path}: {wrong.message}", "line of a record")
    found: dict[str, Any] = document
    return found


def _broken(path: Path, number: int, seen: str, expected: str) -> UsageError:
    return UsageError(f"record {path}, line {number}", seen=seen, expected=f"a {expected}")


def _iso(unix_nano: int) -> str:
    moment = _EPOCH + timedelta(microseconds=unix_nano // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unix_nano(iso: str) -> int:
    return (datetime.fromisoformat(iso) - _EPOCH) // timedelta(microseconds=1) * 1000
