"""Beside plugins that report, order, repeat or spread tests, the suite says what it says alone.

One recording is judged again in every session.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from harness.record import jsonl

Run = Callable[..., pytest.RunResult]

REDACTED = "events.user_prompt.prompt.redacted_by_default"


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> Callable[..., None]:
    """Let the next sessions have these neighbours, by the names of their entry points."""

    def let(*names: str) -> None:
        words = os.environ["PYTEST_ADDOPTS"].split()
        kept = [word for word in words if word.removeprefix("-pno:") not in names]
        assert len(kept) == len(words) - len(names)
        monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(kept))

    return let


def outcomes(result: pytest.RunResult) -> Counter[str]:
    """How many items ended how, by the last line."""
    words = result.outlines[-1].replace("not exercised", "unseen").replace(",", "").split()
    return Counter({name: int(n) for n, name in itertools.pairwise(words) if n.isdigit()})


def test_pytest_html(
    judge_again: Run, beside: Callable[..., None], pytester: pytest.Pytester
) -> None:
    beside("html", "metadata")
    result = judge_again("--html=out.html", "--self-contained-html", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    page = (pytester.path / "out.html").read_text(encoding="utf-8")
    assert REDACTED in page
    assert "the placeholder &amp;lt;REDACTED" in page
    counted = outcomes(result)
    for text in ("1 Failed", f"{counted['passed']} Passed", f"{counted['unseen']} Skipped"):
        assert text in page


def test_allure(judge_again: Run, beside: Callable[..., None], pytester: pytest.Pytester) -> None:
    beside("allure_pytest")
    result = judge_again("--alluredir=out", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = {
        told["name"]: told
        for told in (
            json.loads(path.read_text()) for path in pytester.path.glob("out/*-result.json")
        )
    }
    counted = outcomes(result)
    assert Counter(each["status"] for each in found.values()) == {
        "passed": counted["passed"],
        "skipped": counted["unseen"],
        "failed": 1,
    }
    assert len({each["historyId"] for each in found.values()}) == len(found)
    assert found[REDACTED]["status"] == "failed"
    assert found[REDACTED]["fullName"] == f"cc_otel.events#{REDACTED}"
    assert "expected  the placeholder <REDACTED>" in found[REDACTED]["statusDetails"]["message"]


def test_pytest_sugar(judge_again: Run, beside: Callable[..., None]) -> None:
    beside("sugar")
    result = judge_again("--force-sugar", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["answer * BROKEN: 1 of *", "FAILED: 1 of *"])


def test_pytest_randomly(judge_again: Run, beside: Callable[..., None]) -> None:
    beside("randomly")
    orders = []
    for seed in (1, 2):
        result = judge_again("-v", f"--randomly-seed={seed}")
        assert result.ret == pytest.ExitCode.OK
        orders.append([line.split()[0] for line in result.outlines if line.endswith("%]")])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert REDACTED in orders[0]


def test_pytest_rerunfailures(judge_again: Run, beside: Callable[..., None]) -> None:
    """What is judged again is the same recording: the verdict and its row stay."""
    beside("rerunfailures")
    result = judge_again("--reruns=1", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    counted = outcomes(result)
    assert (counted["failed"], counted["rerun"]) == (1, 1)
    result.stdout.fnmatch_lines(["FAILED: 1 of * requirements fail the run"])


def test_stopping_at_the_first_failure(judge_again: Run) -> None:
    result = judge_again("-x", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result)["failed"] == 1
    result.stdout.fnmatch_lines(["broken off: * of 27 requirements were judged"])


def test_collecting_only(judge_again: Run, beside: Callable[..., None]) -> None:
    """Nothing is recorded, and nothing else told, whoever orders and reports."""
    beside("allure_pytest", "html", "metadata", "randomly", "sugar")
    result = judge_again("--co", "-q", "--alluredir=out", "--html=out.html")
    assert result.ret == pytest.ExitCode.OK
    assert REDACTED in result.outlines
    assert not any(line.startswith("cc-otel:") for line in result.outlines)


def test_last_failed(judge_again: Run) -> None:
    """It is kept by the name; what was mended leaves nothing behind."""
    assert outcomes(judge_again("-pcacheprovider", told=True))["failed"] == 1
    again = judge_again("--lf", told=True)
    assert again.ret == pytest.ExitCode.TESTS_FAILED
    assert (outcomes(again)["failed"], outcomes(again)["passed"]) == (1, 0)
    mended = judge_again("--lf")
    assert mended.ret == pytest.ExitCode.OK
    assert (outcomes(mended)["failed"], outcomes(mended)["passed"]) == (0, 1)
    assert outcomes(judge_again("--lf"))["passed"] > 1


@pytest.mark.slow
def test_workers_are_reported_as_one(
    judge_apart: Run, beside: Callable[..., None], pytester: pytest.Pytester
) -> None:
    """Four workers, in another order, with three reporters beside the record."""
    beside("allure_pytest", "html", "metadata", "randomly")
    written = ("--junit-xml=junit.xml", "--alluredir=allure", "--html=out.html", "--cc-report=out")
    result = judge_apart("-n", "4", *written)
    assert result.ret == pytest.ExitCode.OK
    verdicts = Counter(
        row.verdict.value for row in jsonl.read(pytester.path / "out" / jsonl.FILE_NAME).rows
    )
    passed, unseen = verdicts["pass"], verdicts["not exercised"]
    assert passed > 10
    assert {"pass", "not exercised"} == {*verdicts}
    cases = [*ElementTree.parse(pytester.path / "junit.xml").iter("testcase")]
    assert len(cases) == passed + unseen
    assert sum(case.find("skipped") is not None for case in cases) == unseen
    page = (pytester.path / "out.html").read_text(encoding="utf-8")
    assert f"{passed} Passed" in page
    told = [json.loads(path.read_text()) for path in pytester.path.glob("allure/*-result.json")]
    assert Counter(each["status"] for each in told) == {"passed": passed, "skipped": unseen}
