"""Write and read ``record.jsonl``: a record for machines, one JSON object on each line.

The first line is the header with the plan. Then comes a line for each run, a line that says that
the recording is complete, one line for each requirement that was judged, one of the lies that
were told about the run, if any were, the lines of a comparison with another release, if there was
one, and last the footer with the counts. A recording that was broken off has no line
``recording``, a run that was broken off no footer: so no part can be mistaken for the whole.
``schemas/record.schema.json`` describes each line.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ..capture.run import SubjectFacts
from ..capture.serialization import from_plain, to_plain
from ..contract.files import JsonObject, read_json, schema_root
from ..errors import UsageError
from ..judging.checks.names import Undocumented
from ..judging.power import Power
from ..judging.verdicts import Row, counts
from . import comparison_lines
from .header import CLAUDE, CanaryTable, Fuzz, Header, Machine, RelayFacts
from .latency import Latency
from .run_record import Footer as Footer
from .run_record import RunRecord as RunRecord
from .summary import Plan, RecordingSummary, RunSummary

FORMAT = 2
FILE_NAME = "record.jsonl"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The order in which the kinds of lines stand.
_ORDER = (
    *("header", "run", "recording", "requirement", "power", "comparison", "difference", "query"),
    "footer",
)

#: Kinds of which there may be any number of lines.
_MANY = ("run", "requirement", "difference", "query")


def write(path: Path, record: RunRecord) -> None:
    """Write ``record`` to ``path``, which is replaced as a whole.

    Raises UsageError if the folder cannot be written to.
    """
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(record))
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            # What a path has that is no UTF-8 is escaped, as JSON escapes it.
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
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


def read(path: Path) -> RunRecord:
    """Read the complete record in ``path``.

    Raises UsageError, naming file and line, for a line that is no JSON or not as the
    schema says, for a missing header or footer, and for counts that do not agree.
    """
    record = read_part(path)
    if record.footer is None:
        raise UsageError(
            f"record {path}",
            seen="no footer: the run that wrote it was broken off",
            expected="a footer as the last line",
        )
    return record


def read_part(path: Path) -> RunRecord:
    """Read the record in ``path``, even if the run was broken off or is not judged yet.

    Raises UsageError as :func:`read` does.
    """
    if not path.is_file():
        raise UsageError(f"record {path}", seen="no such file", expected="a readable file")
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"record {path}", seen=str(error), expected="a readable file") from None
    schema = read_json(schema_root() / "record.schema.json")
    documents = [_line(path, number, text, schema) for number, text in enumerate(lines, start=1)]
    if documents[0]["kind"] != "header":
        raise _broken(path, 1, f"a line of the kind {documents[0]['kind']!r}", "header")
    by_kind: dict[str, list[Any]] = {kind: [] for kind in _ORDER}
    last = "header"
    for number, document in enumerate(documents, start=1):
        kind = document.pop("kind")
        if by_kind[kind] and kind not in _MANY:
            raise _broken(path, number, f"a second {kind}", "line of another kind")
        if _ORDER.index(kind) < _ORDER.index(last):
            raise _broken(path, number, f"a {kind} behind a {last}", "line in its place")
        last = kind
        by_kind[kind].append(document)
    (header,) = by_kind["header"]
    rows = tuple(from_plain(Row, plain) for plain in by_kind["requirement"])
    footer = None
    for plain in by_kind["footer"]:
        _agree(path, plain, rows)
        footer = _footer_from(plain)
    recording = None
    for plain in by_kind["recording"]:
        runs = tuple(from_plain(RunSummary, run) for run in by_kind["run"])
        recording = replace(from_plain(RecordingSummary, plain), runs=runs)
    comparison = comparison_lines.read(
        by_kind["comparison"], by_kind["difference"], by_kind["query"], f"record {path}"
    )
    power = next((from_plain(Power, plain) for plain in by_kind["power"]), None)
    plan = from_plain(Plan, header["plan"])
    return RunRecord(_header_from(header), plan, recording, rows, footer, comparison, power)


def row_to_plain(row: Row) -> dict[str, Any]:
    """Convert a row to strings, numbers, lists and objects only."""
    plain: dict[str, Any] = to_plain(row)
    for name in ("url", "silent", "listed_in", "news", "impact", "advice", "asked"):
        if not plain[name]:
            del plain[name]
    for finding in plain["findings"]:
        if not finding["around"]:
            del finding["around"]
    return plain


def row_from_plain(document: Mapping[str, Any]) -> Row:
    """Convert what :func:`row_to_plain` returned back to a row."""
    return from_plain(Row, dict(document))


def _lines(record: RunRecord) -> Iterator[Mapping[str, Any]]:
    yield _header(record.header, record.plan)
    if record.recording is not None:
        summary = to_plain(record.recording)
        for run in summary.pop("runs"):
            if not run["moments"]:
                del run["moments"]
            yield {"kind": "run", **run}
        yield {"kind": "recording", **summary}
    for row in record.rows:
        yield {"kind": "requirement", **row_to_plain(row)}
    if record.power is not None:
        yield {"kind": "power", **to_plain(record.power)}
    if record.comparison is not None:
        yield from comparison_lines.lines(record.comparison)
    if record.footer is not None:
        yield _footer(record.footer, record.rows)


def _header(header: Header, plan: Plan) -> dict[str, Any]:
    return {
        "kind": "header",
        "format": FORMAT,
        "tool": {"name": "pytest-cc-otel", "version": header.tool},
        "versions": dict(header.versions),
        "subject": to_plain(header.subject),
        "contract": list(header.documents),
        "plan": _plan(plan),
        "protocols": list(header.protocols),
        "exports": dict(header.exports),
        "started": _iso(header.started_unix_nano),
        "ended": _iso(header.ended_unix_nano),
        "recording_s": round(header.recording_s, 3),
        "canaries": to_plain(header.canaries),
        "undocumented": [to_plain(name) for name in header.undocumented],
        "runs": {label: round(seconds, 3) for label, seconds in header.runs.items()},
        "unavoidable_s": round(header.unavoidable_s, 3),
        **({"fuzz": _fuzz(header.fuzz)} if header.fuzz else {}),
        "machine": to_plain(header.machine),
        **({"job": header.job} if header.job != CLAUDE else {}),
        **({"collector": to_plain(header.relay)} if header.relay else {}),
        **({"latencies": to_plain(header.latencies)} if header.latencies else {}),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(plan)
    if not plan.fail_on:
        del plain["fail_on"]
    if plan.expectations is None:
        del plain["expectations"]
    elif not plan.expectations.newest_measured:
        del plain["expectations"]["newest_measured"]
    return plain


def _fuzz(fuzz: Fuzz) -> dict[str, Any]:
    return {**to_plain(fuzz), "seconds": round(fuzz.seconds, 3)}


def _header_from(document: Mapping[str, Any]) -> Header:
    return Header(
        subject=from_plain(SubjectFacts, document["subject"]),
        documents=tuple(document["contract"]),
        exports=document["exports"],
        started_unix_nano=_unix_nano(document["started"]),
        ended_unix_nano=_unix_nano(document["ended"]),
        recording_s=document["recording_s"],
        tool=document["tool"]["version"],
        runs=document["runs"],
        unavoidable_s=document["unavoidable_s"],
        fuzz=Fuzz(**document["fuzz"]) if "fuzz" in document else None,
        canaries=from_plain(CanaryTable, document["canaries"]),
        undocumented=tuple(
            from_plain(Undocumented, name) for name in document.get("undocumented", ())
        ),
        machine=from_plain(Machine, document["machine"]),
        versions=document["versions"],
        job=document.get("job", CLAUDE),
        relay=from_plain(RelayFacts, document["collector"]) if "collector" in document else None,
        latencies=tuple(from_plain(Latency, each) for each in document.get("latencies", ())),
    )


def _footer(footer: Footer, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "kind": "footer",
        "counts": {verdict.value: number for verdict, number in counts(rows).items()},
        "total": len(rows),
        **to_plain(footer),
        "ratio": None if footer.ratio is None else round(footer.ratio, 3),
    }


def _footer_from(document: Mapping[str, Any]) -> Footer:
    own = {name: value for name, value in document.items() if name not in ("counts", "total")}
    return Footer(**own)


def _agree(path: Path, footer: Mapping[str, Any], rows: Sequence[Row]) -> None:
    counted = {verdict.value: number for verdict, number in counts(rows).items()}
    if footer["counts"] != counted or footer["total"] != len(rows):
        raise UsageError(
            f"record {path}",
            seen=f"{len(rows)} requirements: {counted}",
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


def _line(path: Path, number: int, text: str, schema: JsonObject) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(path, number, f"no JSON ({error})", "JSON object") from None
    kind = document.get("kind") if isinstance(document, dict) else None
    # A line is held to its own kind: the message then tells what is wrong with it.
    own = {**schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]} if kind in _ORDER else schema
    wrong = best_match(Draft202012Validator(own).iter_errors(document))
    if wrong is not None:
        raise _broken(path, number, f"at {wrong.json_path}: {wrong.message}", "line of a record")
    checked: dict[str, Any] = document
    return checked


def _broken(path: Path, number: int, seen: str, expected: str) -> UsageError:
    return UsageError(f"record {path}, line {number}", seen=seen, expected=f"a {expected}")


def _iso(unix_nano: int) -> str:
    moment = _EPOCH + timedelta(microseconds=unix_nano // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unix_nano(iso: str) -> int:
    return (datetime.fromisoformat(iso) - _EPOCH) // timedelta(microseconds=1) * 1000
