"""The main job, on a release from npm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from filelock import FileLock

from harness.findings import Verdict
from harness.record import jsonl as record
from harness.subject.binary import Binary

Run = Callable[..., pytest.RunResult]

#: How long a whole run may take on a slow machine with other tests beside it: some four minutes on
#: two cores.
LONGEST_S = 900

#: One that runs on Node and is judged by the first document, and a native one by the second;
#: it is judged by several processes.
VERSIONS = {"2.1.31": (), "2.1.330": ("-n", "2")}


# Each may wait for the other one, and then has its own time.
@pytest.mark.longest
@pytest.mark.timeout(2 * LONGEST_S + 300)
@pytest.mark.parametrize("version", VERSIONS)
def test_each_deviation_is_listed_and_seen(
    pytester: pytest.Pytester,
    run: Run,
    version: str,
    release: Callable[[str], Binary],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    binary = release(version)
    # Whole runs, side by side, would keep each other from meeting their deadlines.
    with FileLock(tmp_path_factory.getbasetemp().parent / "whole-run.lock"):
        # A release on Node, beside other tests, takes its time. Inputs that are always tried are
        # enough for one that never changes again: what is drawn would only be luck.
        options = ("--cc-report=out", "--cc-fuzz-seconds=0", *VERSIONS[version])
        result = run(f"--cc-binary={binary.spec}", *options, timeout=LONGEST_S)
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert found.header.subject.version == version
    rows = [row for row in found.rows if row.verdict is Verdict.KNOWN]
    assert rows
    for row in rows:
        assert row.reason
        assert row.evidence
        assert row.findings
    metrics_and_events = [
        row for row in found.rows if row.requirement.startswith(("metrics.", "events."))
    ]
    idle = {row.reason for row in metrics_and_events if row.verdict is Verdict.NOT_EXERCISED}
    # What a release never sends has no value to judge; that it is missing is listed.
    assert all(" carried attributes." in reason for reason in idle), idle
    result.stdout.fnmatch_lines([f"listed deviations ({len(rows)})*"])
