"""``pytest --cc-recording``: an item for each row of each release, and one for the whole."""

from __future__ import annotations

import pytest

from tests.fleet.lines import Recorded, WriteLines, lines_of
from tests.processes import leave_workers

RELEASE = "2.1.332"


@pytest.fixture
def lines(recorded: Recorded) -> list[bytes]:
    return lines_of(recorded(RELEASE, "working_day"))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_workers(monkeypatch)


def test_a_true_capture_passes(
    pytester: pytest.Pytester, capture_file: WriteLines, lines: list[bytes]
) -> None:
    path = capture_file(lines)
    result = pytester.runpytest_inprocess(f"--cc-recording={path}", "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*capture PASSED*",
            f"*{RELEASE}/data_model.unique_keys PASSED*",
            "*cc-otel: capture*",
            f"release {RELEASE}: *log records*",
            "*not exercised, because*",
            "ok: no MUST is broken*",
        ]
    )


def test_a_lie_and_a_broken_line_fail(
    pytester: pytest.Pytester, capture_file: WriteLines, lines: list[bytes]
) -> None:
    lied = [line.replace(b'"unit":"USD"', b'"unit":"EUR"') for line in lines]
    path = capture_file([*lied, lines[0][:50]])
    result = pytester.runpytest_inprocess(f"--cc-recording={path}")
    assert result.ret == 1
    result.assert_outcomes(failed=2, passed=result.parseoutcomes()["passed"])
    result.stdout.fnmatch_lines(
        ["*1 message could not be read*", "*EUR*", f"*rerun*pytest --cc-recording={path}"]
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cc-recording=none"], "expected a file of a Collector's file exporter"),
        (["--cc-recording="], "expected a file or a folder, saw nothing"),
        (["--cc-recording=x", "--cc-binary=reference"], "expected no --cc-binary beside it"),
        (["--cc-recording=x", "--cc-report=y"], "expected no --cc-report beside it"),
        (["--cc-recording-env=A=1"], "expected --cc-recording=PATH beside it"),
        (["--cc-recording=.", "--cc-recording-env=A"], "expected NAME=VALUE"),
    ],
)
def test_wrong_calls_name_the_option(
    pytester: pytest.Pytester, arguments: list[str], told: str
) -> None:
    result = pytester.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{told}*"])
