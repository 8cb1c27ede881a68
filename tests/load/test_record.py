"""How long telemetry took through a collector under test is in its record and its summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assessment.jobs import COLLECTOR
from harness.capture import files
from harness.record import jsonl

MakeRelay = Callable[[int, Callable[[int], int]], str]


@pytest.mark.slow
def test_latencies_are_recorded_and_shown(
    pytester: pytest.Pytester,
    relay: MakeRelay,
    out_port: int,
    tmp_path: Path,
) -> None:
    done = pytester.runpytest_subprocess(
        f"--cc-collector={relay(out_port, lambda number: 1)}",
        f"--cc-collector-out=http://127.0.0.1:{out_port}",
        *("--cc-scenarios=passing", "--cc-protocols=http/protobuf", "--cc-collector-settle=1"),
        *(f"--cc-captures={tmp_path / 'kept'}", "-v"),
    )
    record = jsonl.read(tmp_path / "kept" / jsonl.FILE_NAME)
    latencies = record.header.latencies
    assert [(each.where, each.signal) for each in latencies] == [
        ("passing -> http", "metrics"),
        ("passing -> http", "logs"),
        ("passing -> http", "traces"),
    ], done.stdout.str()
    for each in latencies:
        assert 0 < each.p50_ms <= each.p90_ms <= each.p99_ms <= each.max_ms
        assert sum(bar.items for bar in each.histogram) == each.items
    done.stdout.fnmatch_lines(["latency from sending to coming out (ms)"])
    shown = [line for line in done.outlines if line.startswith("  passing -> http ")]
    assert len(shown) == 3
    # They are nowhere but in the captures: who loads these measures the same.
    kept = [files.load(each.parent) for each in (tmp_path / "kept").glob(f"*/{files.SIDECAR}")]
    assert COLLECTOR.latencies(kept) == latencies
