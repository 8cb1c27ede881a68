"""A missing real part is a skip with a reason, and a failure where every part is required."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: These ask the kernel, which nobody can install.
SKIPS_BY_ITSELF = {
    "tests/keeping/test_attended.py",
    "tests/relay/test_ports.py",
    "tests/subject/test_managed.py",
}


@pytest.fixture
def without_promtool(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session with our conftest, on a machine that has no programs at all."""
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers = slow: as in pyproject.toml")
    pytester.makepyfile(
        test_parts="""
        import pytest

        @pytest.mark.needs("promtool")
        def test_real(): pass

        def test_release(release): pass

        def test_other(): pass
        """
    )
    monkeypatch.setenv("PATH", "/no/such/folder")
    monkeypatch.delenv("CC_OTEL_REQUIRE_REAL_PARTS", raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("without_promtool")
def test_a_missing_part_skips_with_the_reason(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-rs", "-k", "real or other")
    result.assert_outcomes(passed=1, skipped=1, deselected=1)
    result.stdout.fnmatch_lines(["SKIPPED * no promtool here (Debian: apt install prometheus)"])


@pytest.mark.slow
@pytest.mark.usefixtures("without_promtool")
def test_a_missing_part_fails_where_parts_are_required(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC_OTEL_REQUIRE_REAL_PARTS", "1")
    result = pytester.runpytest_subprocess("-k", "real or other")
    result.assert_outcomes(passed=1, errors=1, deselected=1)
    result.stdout.fnmatch_lines(
        ["CC_OTEL_REQUIRE_REAL_PARTS=1: expected promtool on *, saw none *"]
    )


@pytest.mark.usefixtures("without_promtool")
def test_what_needs_a_release_or_a_real_program_is_slow(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-m", "not slow", "-v")
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.fnmatch_lines(["*::test_other PASSED*"])


def test_no_test_skips_past_the_marker_needs() -> None:
    """Only ``needs`` knows that CI requires every part."""
    skips = re.compile(r"pytest\.(skip|mark\.skip(if)?|importorskip)\b")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if skips.search(path.read_text(encoding="utf-8"))
    }
    assert found == SKIPS_BY_ITSELF
