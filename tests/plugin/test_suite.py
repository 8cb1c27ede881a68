from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.assessment.assessment import catalogue
from harness.assessment.recording import Recording, RecordingPlan
from harness.errors import UsageError
from harness.findings import Finding, RunName, Verdict
from harness.plugin import suite
from harness.record import jsonl as record
from harness.record.header import Header
from harness.themes.canaries import CANARIES
from harness.themes.catalogue import needed

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]

ALL = [requirement.name for requirement in catalogue().requirements]
REDACTED = "events.user_prompt.prompt.redacted_by_default"

#: One session over each protocol instead of all scenarios.
ONE_SCENARIO = "--cc-scenarios=working_day"

#: A subject that shows the prompt although nobody opened that gate.
INDISCREET = "export OTEL_LOG_USER_PROMPTS=1"


def summary(result: pytest.RunResult) -> list[str]:
    """The lines of our section."""
    lines = result.outlines
    start = next(n for n, line in enumerate(lines) if "= claude telemetry =" in line)
    section = lines[start + 1 :]
    ends = (n for n, line in enumerate(section) if line.startswith(("===", "---")))
    return section[: next(ends, len(section))]


def ids(result: pytest.RunResult) -> list[str]:
    """What ``--co -q`` lists."""
    return result.outlines[: result.outlines.index("")]


@pytest.mark.slow
def test_from_an_empty_folder(pytester: pytest.Pytester, run: Run, recorded_sessions: str) -> None:
    assert not list(pytester.path.iterdir())
    options = ("--cc-report=out", "--junit-xml=junit.xml", "-p", recorded_sessions)
    result = run("--cc-binary=reference", "-v", *options)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["cc-otel: reference is claude *", "cc-otel: running claude * times over *: * scenarios"]
    )
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert [row.requirement for row in found.rows] == ALL
    assert found.footer is not None
    assert (found.footer.selected, found.footer.deselected) == (len(ALL), 0)
    assert (found.footer.failed, found.footer.exit_code) == (False, 0)
    assert found.header.subject.spec == "reference"
    assert set(found.header.exports) == {"grpc", "http/protobuf", "http/json"}
    verdicts = {row.requirement: row.verdict for row in found.rows}
    assert verdicts[REDACTED] is Verdict.PASS
    assert set(verdicts.values()) == {
        Verdict.PASS,
        Verdict.NOT_EXERCISED,
        Verdict.NOT_APPLICABLE,
    }
    shown = summary(result)
    assert shown[0].startswith(f"subject    reference · claude {found.header.subject.version} · ")
    assert "OK: no deviation was seen" in shown
    passed = sum(verdict is Verdict.PASS for verdict in verdicts.values())
    assert f"= {passed} passed, " in result.outlines[-1]
    check_junit(pytester.path / "junit.xml", verdicts)
    check_runs_and_canaries(found.header, shown)


def check_runs_and_canaries(header: Header, shown: list[str]) -> None:
    """What the record holds of them, and what the summary shows, is the same."""
    contract = catalogue(header.subject.version)
    assert set(header.runs) == {
        f"{scenario.name} over {protocol}"
        for scenario in needed(filter(contract.applies, contract.requirements))
        for protocol in scenario.protocols
    }
    assert all(seconds > 0 for seconds in header.runs.values())
    assert f"runs       {len(header.runs)}, the longest: {header.critical_run}" in shown
    table = header.canaries
    assert table.gates == ("closed", "prompts", "answers", "details", "prompts+details")
    everywhere = {"login_token", "key_passphrase", "folder", "user_name", "host_name"}
    of_their_sessions = {"plugin_name", "thinking"}
    assert {spot.canary for spot in table.spots} == {*CANARIES} | everywhere | of_their_sessions
    assert all(all(spot.seen.values()) for spot in table.spots)
    start = next(n for n, line in enumerate(shown) if line.startswith("canaries ("))
    assert shown[start + 1].split() == ["canary", "place", *table.gates]
    assert len(table.spots) == shown[start + 2 :].index("")


def check_junit(path: Path, verdicts: dict[str, Verdict]) -> None:
    cases = ElementTree.parse(path).getroot().findall("./testsuite/testcase")
    assert [case.get("name") for case in cases] == ALL
    assert {case.get("classname") for case in cases} == {"cc-otel"}
    for case in cases:
        properties = {each.get("name"): each.get("value") for each in case.iter("property")}
        verdict = verdicts[str(case.get("name"))]
        assert properties["verdict"] == verdict.value
        assert properties["level"] in ("MUST", "SHOULD", "MAY")
        assert "section" in str(properties["source"])
        skipped = case.find("skipped")
        assert (skipped is None) is (verdict is Verdict.PASS)
        if skipped is not None:
            assert str(skipped.get("message")).startswith(f"{verdict}: ")


def test_testpaths_give_way_to_the_suite(pytester: pytest.Pytester, run_here: Run) -> None:
    pytester.makeini("[pytest]\ntestpaths = tests")
    pytester.mkdir("tests").joinpath("test_own.py").write_text("def test_own(): pass")
    result = run_here("--cc-binary=reference", "--co", "-q")
    assert ids(result) == ALL
    assert "testpaths: " not in run_here("--cc-binary=reference", "--co").stdout.str()


def test_in_a_subfolder_of_a_project(
    pytester: pytest.Pytester, run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\ntestpaths = tests")
    pytester.mkdir("tests").joinpath("test_own.py").write_text("def test_own(): pass")
    monkeypatch.chdir(pytester.path / "tests")
    result = run_here("--cc-binary=reference", "--co", "-q")
    assert len(ids(result)) == len(ALL)


def test_named_paths_stand_alone(pytester: pytest.Pytester, run_here: Run) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    result = run_here("--cc-binary=reference", "--co", "-q", "test_own.py")
    assert ids(result) == ["test_own.py::test_own"]
    result = run_here(
        "--cc-binary=reference", "--co", "-q", "test_own.py", "--pyargs", "harness.suite"
    )
    assert ids(result) == ["test_own.py::test_own", *ALL]


@pytest.mark.slow
def test_the_suite_and_own_tests_in_one_run(pytester: pytest.Pytester, run_one: Run) -> None:
    pytester.makepyfile(test_own="def test_own(): assert False")
    result = run_one(
        *("--cc-binary=reference", "--cc-report=out", "--junit-xml=junit.xml"),
        *("--pyargs", "harness.suite", "test_own.py", "-k", "scopes or test_own"),
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert len(found.rows) == 4
    # The subject is not to blame for the other test, but the process did fail.
    assert found.footer is not None
    assert (found.footer.failed, found.footer.exit_code) == (False, 1)
    root = ElementTree.parse(pytester.path / "junit.xml").getroot()
    case = root.find("./testsuite/testcase[@name='test_own']")
    assert case is not None
    assert case.get("classname") == "test_own"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("events.user_prompt", [name for name in ALL if "events.user_prompt" in name]),
        ("metrics and not unit", [n for n in ALL if "metrics" in n and "unit" not in n]),
    ],
)
def test_keywords_select(run_here: Run, expression: str, expected: list[str]) -> None:
    assert expected
    assert ids(run_here("--cc-binary=reference", "--co", "-q", "-k", expression)) == expected


def test_other_ways_to_select(run_here: Run) -> None:
    # Only what does not begin with the prefix is left.
    left = ids(
        run_here("--cc-binary=reference", "--co", "-q", "--deselect=events.", "-k", "events")
    )
    assert left == [name for name in ALL if "events" in name and not name.startswith("events.")]
    assert ids(run_here("--cc-binary=reference", "--co", "-q", REDACTED)) == [REDACTED]
    # Names of requirements that begin with this one are not meant.
    whole = "metrics.active_time_total.type"
    assert [name for name in ALL if whole in name] != [whole]
    assert ids(run_here("--cc-binary=reference", "--co", "-q", whole)) == [whole]
    wrong = run_here("--cc-binary=reference", "--co", "-q", "events.user_prompt.prompts")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert "file or directory not found: events.user_prompt.prompts" in wrong.stderr.str()


def test_nothing_selected_keeps_the_exit_code(pytester: pytest.Pytester, run_here: Run) -> None:
    result = run_here("--cc-binary=reference", "-k", "nonesuch", "--cc-report=out")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert found.rows == ()
    assert found.footer is not None
    assert (found.footer.selected, found.footer.deselected) == (0, len(ALL))


def test_scenarios_that_show_nothing_of_what_is_selected(run: Run) -> None:
    name = "metrics.code_edit_tool_decision.exported_at_a_terminal"
    result = run("--cc-binary=reference", "--cc-scenarios=new_file", "-v", name)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"{name} NOT EXERCISED *", "FAILED: nothing was exercised"])


@pytest.mark.slow
def test_collecting_runs_nothing(pytester: pytest.Pytester, run: Run, subject: Subject) -> None:
    binary = subject("raise SystemExit('it ran')")
    for arguments in (["--co"], ["--co", "-n", "2"]):
        result = run(f"--cc-binary={binary}", *arguments, "-k", "scopes", "--cc-report=out")
        assert result.ret == pytest.ExitCode.OK
        assert "it ran" not in result.stdout.str()
        assert "claude telemetry" not in result.stdout.str()
        assert not list((pytester.path / "out").iterdir())


@pytest.mark.slow
def test_verdicts_are_words(run_one: Run) -> None:
    result = run_one("--cc-binary=reference:2.1.31", "-v", "-k", "events.user_prompt.prompt")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"{REDACTED} PASSED *",
            "events.user_prompt.prompt.opened NOT EXERCISED *",
            "events.user_prompt.prompt_id.present NOT APPLICABLE *",
        ]
    )


@pytest.mark.slow
def test_a_failure_can_be_read_and_run_again(
    pytester: pytest.Pytester, run_one: Run, emitter: Subject
) -> None:
    binary = emitter(INDISCREET)
    result = run_one(
        *(f"--cc-binary={binary}", "-k", "events.user_prompt.prompt", "--junit-xml=junit.xml"),
        *("--cc-report=out", "--cc-deadline=500", "-v"),
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    shown = summary(result)
    start = shown.index(f"  FAIL {REDACTED}")
    labels = [line.split()[0] for line in shown[start + 2 : start + 10]]
    assert labels == ["expected", "seen", "where", "and", "advice", "source", "link", "rerun"]
    assert "Please greet the world twice" in shown[start + 3]
    assert "· user_prompt ·" in shown[start + 4]
    assert "FAILED: 1 of 9 requirements fail the run" in shown
    result.stdout.fnmatch_lines([f"*_ requirement {REDACTED} _*", f"FAILED {REDACTED} - *"])
    assert "Traceback" not in result.stdout.str()
    assert ".py:" not in result.stdout.str()
    check_failure_in_junit(pytester.path / "junit.xml")
    check_record_of_failure(pytester.path / "out" / "record.jsonl")

    command = shlex.split(shown[start + 9].split(maxsplit=1)[1])
    assert command == [
        *("pytest", f"--cc-binary={binary}", "--cc-deadline=500"),
        *("--cc-scenarios=working_day", "--cc-protocols=grpc", REDACTED),
    ]
    again = pytester.run(sys.executable, "-m", *command, "--cc-report=again")
    assert again.ret == pytest.ExitCode.TESTS_FAILED
    again.assert_outcomes(failed=1)
    check_same_finding(pytester.path / "out", pytester.path / "again")

    last = run_one(f"--cc-binary={binary}", "--lf", "-k", "user_prompt")
    last.stdout.fnmatch_lines(["run-last-failure: rerun previous 1 failure"])
    last.assert_outcomes(failed=1, deselected=len(ALL) - 1)


def check_failure_in_junit(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    case = root.find(f"./testsuite/testcase[@name='{REDACTED}']")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert "expected" in str(failure.text)


def check_same_finding(one: Path, two: Path) -> None:
    """The second record has the first finding of the one, seen in a single run."""
    first, again = (record.read(folder / "record.jsonl") for folder in (one, two))
    (row,) = again.rows
    (before,) = (each for each in first.rows if each.requirement == row.requirement)
    # Which signal is exported first is up to the session.
    assert [without_number(each) for each in row.findings] == [without_number(before.findings[0])]
    assert row.findings[0].runs == (RunName("working_day", "grpc"),)
    assert list(again.header.runs) == ["working_day over grpc"]


def without_number(finding: Finding) -> Finding:
    return replace(finding, where=re.sub(r"export \d+", "export", finding.where))


def check_record_of_failure(path: Path) -> None:
    found = record.read(path)
    (row,) = (row for row in found.rows if row.requirement == REDACTED)
    assert row.verdict is Verdict.FAIL
    assert set(row.by_protocol.values()) == {Verdict.FAIL}
    assert row.looked_at == len(row.findings) == 3
    assert found.footer is not None
    assert (found.footer.failed, found.footer.exit_code) == (True, 1)


def test_a_listed_deviation_that_is_gone_fails(run: Run, emitter: Subject) -> None:
    # Called by its path the emitter is taken for the release that it emulates, and it
    # does right what that one is known to do wrong.
    binary = emitter('set -- --emulate 2.1.31 "$@"')
    fixed = "metrics.lines_of_code_count.counted_new_file"
    result = run(f"--cc-binary={binary}", "-v", fixed)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"{fixed} FIXED *"])
    shown = summary(result)
    assert f"  FIXED {fixed}" in shown
    assert any("schemas/expectations.json lists was not seen" in line for line in shown)


@pytest.mark.slow
def test_a_deviation_is_not_called_gone_where_it_was_not_looked_for(
    run_one: Run, emitter: Subject
) -> None:
    binary = emitter('set -- --emulate 2.1.31 "$@"')
    result = run_one(f"--cc-binary={binary}", "-v", "metrics.commit_count.unit")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["metrics.commit_count.unit PASSED *"])


def test_what_needs_a_protocol_that_is_left_out_says_so(
    pytester: pytest.Pytester, run_one: Run
) -> None:
    named = ("transport.same_metrics_everywhere", "metrics.commit_count.unit")
    result = run_one(
        *("--cc-binary=reference", "--cc-protocols=http/json", "--cc-report=out", *named)
    )
    assert result.ret == pytest.ExitCode.OK
    found = record.read(pytester.path / "out" / "record.jsonl")
    assert list(found.header.runs) == ["working_day over http/json"]
    rows = {row.requirement: row for row in found.rows}
    assert rows[named[1]].verdict is Verdict.PASS
    assert rows[named[0]].verdict is Verdict.NOT_EXERCISED
    assert rows[named[0]].reason == (
        "only one protocol was run (not run over grpc: --cc-protocols=http/json; "
        "not run over http/protobuf: --cc-protocols=http/json)"
    )


def test_the_time_of_the_recording_is_booked_apart(pytester: pytest.Pytester, run_one: Run) -> None:
    options = ("--durations=0", "-vv", "-k", "user_prompt", "--cc-report=out", "--junit-xml=x.xml")
    result = run_one("--cc-binary=reference", *options)
    assert result.ret == pytest.ExitCode.OK
    found = [re.fullmatch(r"([\d.]+)s (setup|call) +(\S+)", line) for line in result.outlines]
    took = [(each[2], float(each[1]), each[3]) for each in found if each]
    assert sum(phase == "call" for phase, _, _ in took) > 10
    # pytest shows hundredths of a second.  Whatever else had waited for the recording would
    # have taken as long; the first call judges all, which takes its time on a busy machine.
    recording_s = record.read(pytester.path / "out" / "record.jsonl").header.recording_s - 0.01
    first = next(line.split()[0] for line in result.outlines if " PASSED " in line)
    long = {(phase, name) for phase, seconds, name in took if seconds >= recording_s}
    assert long - {("call", first)} == {("setup", first)}
    _, *others = ElementTree.parse(pytester.path / "x.xml").iter("testcase")
    assert all(float(str(case.get("time"))) < recording_s for case in others)


def test_a_fault_of_the_recording_ends_the_run(
    pytester: pytest.Pytester, run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(plan: RecordingPlan, progress: Callable[[str], None]) -> Recording:
        raise RuntimeError("no space left")

    monkeypatch.setattr(suite, "record_once", broken)
    options = (ONE_SCENARIO, "--cc-binary=reference", "--cc-report=out")
    result = run_here(*options, REDACTED)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    (row,) = record.read(pytester.path / "out" / "record.jsonl").rows
    assert row.verdict is Verdict.ERROR
    assert "no space left" in row.reason


@pytest.mark.slow
def test_a_should_that_fails_only_warns(
    pytester: pytest.Pytester, run_one: Run, subject: Subject
) -> None:
    binary = subject(
        "from harness.reference import telemetry\n"
        "from harness.themes import emitter\n"
        "telemetry._EVENTS_SCOPE = 'events'\n"
        "sys.exit(emitter.main())",
        before="import sys\n",
    )
    result = run_one(f"--cc-binary={binary}", "-v", "-k", "scopes", "--junit-xml=junit.xml")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["scopes.logs.name WARNED *", "  scopes.logs.name [[]SHOULD]", "=* 3 passed, *1 warned*"]
    )
    case = ElementTree.parse(pytester.path / "junit.xml").find(".//*[@name='scopes.logs.name']")
    assert case is not None
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (properties["verdict"], properties["level"]) == ("fail", "SHOULD")
    skipped = case.find("skipped")
    assert skipped is not None
    assert "SHOULD: expected" in str(skipped.get("message"))


@pytest.mark.slow
def test_stopping_at_the_first_failure_is_not_a_whole_record(
    pytester: pytest.Pytester, run: Run, emitter: Subject
) -> None:
    """Nor is a session of half an hour waited for, which would show no more."""
    scenarios = ("--cc-scenarios=working_day,helper_half_hour", "--cc-slow")
    options = (f"--cc-binary={emitter(INDISCREET)}", *scenarios, "-x", "--cc-report=out")
    result = run(*options, REDACTED, "headers_helper.default_29_minutes", timeout=600)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert any(line.startswith("broken off: ") for line in summary(result))
    path = pytester.path / "out" / "record.jsonl"
    with pytest.raises(UsageError, match="no footer"):
        record.read(path)
    recording = record.read_part(path).recording
    assert recording is not None
    assert recording.stopped.startswith("the recording was stopped: working_day over ")
    assert "helper_half_hour over http/json" in {each.label for each in recording.skipped}


@pytest.mark.slow
def test_without_a_terminal(pytester: pytest.Pytester, run_one: Run) -> None:
    result = run_one(
        *("--cc-binary=reference", "-k", "scopes", "--cc-report=out"),
        *("-p", "no:terminal", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:junitxml"),
    )
    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == []
    assert len(record.read(pytester.path / "out" / "record.jsonl").rows) == 4


@pytest.mark.slow
def test_quiet_says_the_summary_only(run_one: Run) -> None:
    result = run_one("--cc-binary=reference", "-q", "-k", "scopes")
    assert result.ret == pytest.ExitCode.OK
    assert "cc-otel:" not in result.stdout.str()
    assert "answer     keeps its promises: all 4 that were exercised" in summary(result)
    assert not any(line.startswith("verdicts") for line in summary(result))
