"""Judge a collector as a user does, by the plugin's options, and read the record."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.findings import Finding, Verdict
from harness.judging.verdicts import Row
from harness.record import jsonl
from harness.record.jsonl import RunRecord

#: What says everything about what passes through, over one protocol: a few seconds.
PASSING = ("--cc-scenarios=passing", "--cc-protocols=http/protobuf", "--cc-collector-settle=2")

#: Runs pytest with the options that are given, and returns its exit code.
Pytest = Callable[..., int]


def command(otelcol: Path) -> str:
    """Return the command that starts the OpenTelemetry Collector, as the documents show it."""
    return f"{shlex.quote(str(otelcol))} --config {{config}}"


def pipeline(otelcol: Path, config: Path, changes: Path | None = None) -> tuple[str, ...]:
    """Return the options that judge a pipeline of the OpenTelemetry Collector."""
    declared = () if changes is None else (f"--cc-collector-changes={changes}",)
    return (
        f"--cc-collector-cmd={command(otelcol)}",
        f"--cc-collector-config={config}",
        *declared,
    )


def judged(pytest: Pytest, folder: Path, *options: str) -> RunRecord:
    """Run pytest with ``options``, and return the record that it leaves in ``folder``."""
    # The outer session's timeout ends a test by the one signal that there is.
    quiet = ("-q", "-p", "no:timeout", "-p", "no:cacheprovider", "-p", "no:xdist")
    code = pytest(*quiet, f"--cc-report={folder}", *options)
    record = jsonl.read(folder / jsonl.FILE_NAME)
    assert record.footer is not None, "the run was broken off"
    assert record.footer.exit_code == code
    return record


def failing(record: RunRecord) -> Mapping[str, str]:
    """Return the requirements that are broken, each with the first place that shows it."""
    errors = [row for row in record.rows if row.verdict is Verdict.ERROR]
    assert not errors, errors
    return {
        row.requirement: row.findings[0].where for row in record.rows if row.verdict is Verdict.FAIL
    }


def findings(record: RunRecord, requirement: str) -> tuple[Finding, ...]:
    """Return what contradicts one requirement."""
    return _row(record, requirement).findings


def verdict(record: RunRecord, requirement: str) -> Verdict:
    """Return the verdict on one requirement."""
    return _row(record, requirement).verdict


def _row(record: RunRecord, requirement: str) -> Row:
    (row,) = (row for row in record.rows if row.requirement == requirement)
    return row
