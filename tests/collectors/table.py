"""Print what each pipeline is judged as, and what the backends behind some of them answer.

    python -m tests.collectors.table

It needs Go, or the collector in the user's cache, and prometheus on PATH. With ``--write``, the
sums of the backends are written to the file that the tests hold them to.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.findings import Verdict
from harness.record.jsonl import RunRecord
from tests.collectors import otelcol, truth
from tests.collectors.backends import ClickHouse, clickhouse_library
from tests.collectors.judging import PASSING, judged, pipeline
from tests.collectors.page import SUMS
from tests.collectors.shapes import SHAPES
from tests.collectors.truth import Sum

#: What the table of sums shows: a sum with gaps, one of money, one of whole numbers.
METRICS = ("claude_code.token.usage", "claude_code.cost.usage", "claude_code.session.count")


def rows(name: str, backend: str, sums: Mapping[str, Sum]) -> list[dict[str, Any]]:
    """Return the rows of the table of sums for one pipeline."""
    return [
        {
            "pipeline": name,
            "backend": backend,
            "metric": metric,
            "sent": round(sums[metric].sent, 9),
            "stored": round(sums[metric].stored, 9),
        }
        for metric in METRICS
    ]


def quietly(*arguments: str) -> int:
    """Run pytest without showing what it says, and without the settings of this checkout."""
    with (
        tempfile.TemporaryDirectory(prefix="cc-otel-table-") as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        return int(pytest.main(list(arguments)))


def verdicts(binary: Path, folder: Path) -> Iterator[str]:
    """Yield the lines of the table of verdicts."""
    yield "| pipeline | pass | fail | not exercised | what fails |"
    yield "| --- | --- | --- | --- | --- |"
    for name, shape in SHAPES.items():
        if name == "clickhouse":
            continue
        options = (*pipeline(binary, shape.config, shape.changes), *PASSING, *shape.options)
        yield _line(name, judged(quietly, folder / name, *options))
    yield _line("the whole suite: grpc_to_grpc", _whole(binary, folder))


def _whole(binary: Path, folder: Path) -> RunRecord:
    return judged(quietly, folder / "whole", *pipeline(binary, SHAPES["grpc_to_grpc"].config))


def _line(name: str, record: RunRecord) -> str:
    counts = [
        str(sum(row.verdict is verdict for row in record.rows))
        for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.NOT_EXERCISED)
    ]
    failed = [row.requirement for row in record.rows if row.verdict is Verdict.FAIL]
    return f"| {name} | {' | '.join(counts)} | {', '.join(failed)} |"


def sums(binary: Path, folder: Path) -> list[dict[str, Any]]:
    """Ask the backends, and return the rows of the table of sums."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("expected prometheus on PATH, saw none (Debian: apt install prometheus)")
    found = []
    for name in ("scrape", "scrape_cumulative"):
        own = folder / name
        own.mkdir()
        of_name = truth.in_prometheus(name, binary, Path(program), quietly, own)
        found += rows(name, "Prometheus", of_name)
    with ClickHouse(clickhouse_library(_say), folder / "clickhouse") as backend:
        stored, _ = truth.in_clickhouse(binary, backend, quietly, folder)
        found += rows("clickhouse", "ClickHouse", stored)
    return found


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main(arguments: list[str]) -> None:
    """Print both tables."""
    binary = otelcol.built(_say)
    with tempfile.TemporaryDirectory(prefix="cc-otel-table-") as folder:
        for line in verdicts(binary, Path(folder)):
            _say(line)
    with tempfile.TemporaryDirectory(prefix="cc-otel-table-") as folder:
        made = sums(binary, Path(folder))
    for row in made:
        _say(" | ".join(map(str, row.values())))
    if arguments == ["--write"]:
        SUMS.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
