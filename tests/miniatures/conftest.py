"""Run the plugin on a collector in miniature, and read what it found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness
from harness.findings import Verdict
from harness.record import jsonl
from tests.processes import outside_of_workers

MINIATURE = Path(__file__).parent / "collector" / "miniature.py"
ROOT = Path(harness.__file__).parents[1]
#: What comes in over gRPC and HTTP comes out over gRPC, unless a test says otherwise.
IN = "--grpc-in {grpc_in} --http-in {http_in} --folder {folder}"
OUT = "--grpc-out {grpc_out}"


@dataclass(frozen=True)
class Judged:
    """What the plugin found: its exit code and output, the verdicts, and what failed where."""

    exit_code: int
    output: str
    verdicts: Mapping[str, Verdict]
    reasons: Mapping[str, str]
    failed: Mapping[str, str]


Judge = Callable[..., Judged]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judge a miniature as a user would: with ``pytest --cc-collector-cmd``."""

    def run(*options: str, fault: str = "", ways: str = OUT) -> Judged:
        words = [
            f"env PYTHONPATH={ROOT}",
            sys.executable,
            str(MINIATURE),
            IN,
            ways,
        ]
        if fault:
            words.append(f"--fault {fault}")
        made = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error"),
                f"--cc-collector-cmd={' '.join(words)}",
                f"--cc-report={tmp_path / 'report'}",
                *options,
            ],
            cwd=tmp_path,
            env={**outside_of_workers(), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        output = made.stdout + made.stderr
        record = tmp_path / "report" / jsonl.FILE_NAME
        assert record.exists(), output
        rows = jsonl.read(record).rows
        return Judged(
            made.returncode,
            output,
            {row.requirement: row.verdict for row in rows},
            {row.requirement: row.reason for row in rows},
            {
                row.requirement: "\n".join(
                    f"{each.where}: expected {each.expected}, saw {each.seen}"
                    for each in row.findings
                )
                for row in rows
                if row.verdict is Verdict.FAIL
            },
        )

    return run
