"""``--cc-baseline``: a release is judged, and compared with another one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from harness.assessment.comparing import Asked
from harness.assessment.recording import Recording, RecordingPlan, recorded
from harness.capture.run import SubjectFacts
from harness.drift.comparison import FAILING
from harness.drift.difference import Impact
from harness.plugin import upgrade
from harness.plugin.options import GRAVITIES
from harness.plugin.upgrade import Upgrade
from harness.record import jsonl
from harness.record.summary import RecordingSummary
from harness.subject.binary import Binary
from harness.themes.catalogue import SCENARIOS

Run = Callable[..., pytest.RunResult]

#: The conforming emitter as an older and as a newer release.
OLD, NEW = "reference:2.1.31", "reference:2.1.240"

#: One session, and few promises, which both keep: what differs is all that can fail the run.
FEW = ("--cc-protocols=http/json", "-k", "transport.accepted or transport.decodable")

QUERY = "sum by (query_source) (claude_code_token_usage_tokens_total{type='cache_read'})"


@pytest.mark.slow
def test_both_are_recorded_and_what_differs_is_reported(
    pytester: pytest.Pytester, run_one: Run
) -> None:
    (pytester.path / "own.promql").write_text(QUERY + "\n")
    written = ("--cc-report=out", "--cc-captures=kept", "--cc-accept=own.json")
    options = (*written, "--cc-queries=*.promql", "-n", "2", "-v", *FEW)
    result = run_one(f"--cc-binary={NEW}", f"--cc-baseline={OLD}", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"cc-otel: compared with {OLD}, claude 2.1.31",
            "verdicts *2 pass*",
            f"{OLD} -> {NEW}: * differences (*",
            "  attribute query_source: new",
            "    log  not in the changelog",
            "queries: 1 depend on what changed, 1 never could match",
            "compared   *: diff.json, diff.md, diff.html",
            "FAILED: * differences from the baseline are breaking or worse",
        ]
    )
    found = jsonl.read(pytester.path / "out" / "record.jsonl")
    assert found.footer is not None
    assert (found.footer.failed, found.footer.exit_code) == (True, 1)
    comparison = found.comparison
    assert comparison is not None
    assert (comparison.old, comparison.new, comparison.by) == (OLD, NEW, "2.1.240")
    assert comparison.fail_on == "breaking"
    assert comparison.hits is not None
    (hit,) = comparison.hits
    assert [each.subject for each in hit.differences] == ["attribute query_source"]
    assert hit.never[0].startswith("type is never 'cache_read'")
    plain = json.loads((pytester.path / "out" / "diff.json").read_text(encoding="utf-8"))
    assert [each["subject"] for each in plain["differences"]] == [
        each.subject for each in comparison.differences
    ]
    assert Impact.BREAKING in {each.impact for each in comparison.differences}
    # Kept beside the subject's own captures, which can be judged again as ever.
    kept = pytester.path / "kept"
    assert sorted(path.parent.name for path in kept.glob("baseline/*/capture.json")) == sorted(
        path.parent.name for path in kept.glob("*/capture.json")
    )
    assert jsonl.read(kept / "record.jsonl").comparison == comparison

    # What fails was proposed for a list.  The same again, by what was kept, when it is accepted.
    proposals = json.loads((pytester.path / "own.json").read_text(encoding="utf-8"))
    named = [name for entry in proposals["deviations"] for name in entry["differences"]]
    assert "attribute query_source: new" in named
    assert len(named) == sum(each.impact is Impact.BREAKING for each in comparison.differences)
    for entry in proposals["deviations"]:
        entry["reason"] = "Our dashboards were changed for it."
    (pytester.path / "own.json").write_text(json.dumps(proposals), encoding="utf-8")
    again = run_one(
        f"--cc-binary={NEW}",
        f"--cc-baseline={kept / 'baseline'}",
        "--cc-expectations=own.json",
        "-v",
        *FEW,
    )
    again.stdout.fnmatch_lines([f"--cc-expectations=own.json: {len(named)} differences accepted*"])
    assert again.ret == pytest.ExitCode.OK
    assert again.outlines[-2].startswith("OK: ")


def binary(version: str) -> Binary:
    return Binary(f"npm:{version}", ("claude",), "/bin/claude", version)


@pytest.mark.parametrize(
    ("baseline", "problem"),
    [
        (recorded((), undriven={"day over grpc": "it hung"}), "day over grpc: it hung"),
        (Recording(RecordingSummary(harness_fault="no port is free")), "no port is free"),
    ],
)
def test_a_baseline_that_could_not_be_recorded_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, baseline: Recording, problem: str
) -> None:
    subject = recorded(())
    plans: list[RecordingPlan] = []

    def record(asked: Sequence[RecordingPlan], progress: object) -> tuple[Recording, ...]:
        plans.extend(asked)
        return subject, baseline

    monkeypatch.setattr(upgrade, "record_together", record)
    made = Upgrade("npm:2.1.31", "breaking", ())
    made.asked = Asked(made.name, binary=binary("2.1.31"))
    scenarios = (SCENARIOS["working_day"], SCENARIOS["fuzz"])
    assert made.record(RecordingPlan(binary("2.1.240"), scenarios, 9, None), print) is subject
    # The subject first; and what is drawn is drawn for it alone.
    assert [plan.binary.version for plan in plans] == ["2.1.240", "2.1.31"]
    assert [plan.scenarios for plan in plans] == [scenarios, scenarios[:1]]
    facts = SubjectFacts("npm:2.1.240", "/bin/claude", "2.1.240")
    comparison = made.compared(facts, subject, (), None)
    assert comparison.problem == problem
    assert comparison.failure == "nothing was compared with the baseline"


def test_without_a_recording_nothing_is_compared() -> None:
    made = Upgrade("npm:2.1.31", "any", ())
    facts = SubjectFacts("npm:2.1.240", "/bin/claude", "2.1.240")
    assert made.compared(facts, None, (), None).problem.startswith("nothing was recorded")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--cc-fail-on=any",), "--cc-fail-on: expected --cc-baseline=SPEC beside it, saw no"),
        (
            ("--cc-fail-on=none,form",),
            "--cc-fail-on: expected --cc-baseline=SPEC beside it, saw no",
        ),
        (
            ("--cc-baseline=x", "--cc-fail-on=none,form"),
            "--cc-fail-on: expected none alone, saw none",
        ),
        (("--cc-queries=x",), "--cc-queries: expected --cc-baseline=SPEC beside it, saw no"),
        (("--cc-baseline=",), "--cc-baseline: expected a value, saw nothing"),
        (
            ("--cc-baseline=x", "--cc-fail-on=all"),
            "--cc-fail-on: expected names among privacy, breaking, any, none, loss-of-data, ",
        ),
        (
            (f"--cc-baseline={OLD}", "--cc-queries=none.json"),
            "--cc-queries */none.json: expected a dashboard (JSON), rules (YAML), SQL, or a list "
            "of queries, saw *No such file*",
        ),
        (
            (f"--cc-baseline={OLD}", "--cc-queries=none/*.json"),
            "--cc-queries none/[*].json: expected a pattern that files match, saw no such file",
        ),
        (
            ("--cc-baseline=old.json",),
            "inventory old.json: expected format *: take it again with cc-harness inventory, saw "
            "format 0",
        ),
        (
            ("--cc-baseline=no-such-binary",),
            "--cc-baseline=no-such-binary: expected a path, *saw no executable 'no-such-binary' *",
        ),
        (
            (f"--cc-baseline={OLD}", "test_own.py"),
            "--cc-baseline: expected the packaged suite in the run *, saw other tests only",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    pytester: pytest.Pytester, run_here: Run, options: tuple[str, ...], problem: str
) -> None:
    (pytester.path / "old.json").write_text('{"format": 0}')
    pytester.makepyfile(test_own="def test_own(): pass")
    result = run_here(f"--cc-binary={NEW}", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {problem}*"])


def test_the_option_knows_what_may_fail_a_run() -> None:
    assert set(GRAVITIES) == FAILING.keys()


def test_a_collector_is_not_compared(run_here: Run) -> None:
    result = run_here("--cc-collector=http://127.0.0.1:1", f"--cc-baseline={OLD}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --cc-baseline: expected it without --cc-collector*"])
