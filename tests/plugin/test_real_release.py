"""The main job, on a release from npm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import HarnessError
from harness.findings import Verdict
from harness.report import record
from harness.subject.binary import resolve

Run = Callable[..., pytest.RunResult]

SPEC = "npm:2.1.31"


@pytest.fixture(scope="session")
def release() -> str:
    """The release is in the cache; skips where npm or its registry is out of reach."""
    try:
        resolve(SPEC, progress=print)
    except HarnessError as error:
        pytest.skip(f"{SPEC} cannot be had: {error}")
    return SPEC


def test_each_deviation_is_listed_and_seen(
    pytester: pytest.Pytester, run: Run, release: str
) -> None:
    result = run(f"--cc-binary={release}", "--cc-report=out")
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert found.header.subject.version == "2.1.31"
    rows = [row for row in found.rows if row.verdict is Verdict.KNOWN]
    assert rows
    for row in rows:
        assert row.reason
        assert row.evidence
        assert row.findings
    result.stdout.fnmatch_lines([f"known deviations, listed and seen again ({len(rows)})"])
