from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.assessment.recording import Recording, RecordingPlan, recorded
from harness.plugin import options, suite
from harness.plugin.options import DEFAULT_DEADLINE_S, Options
from harness.themes.catalogue import SCENARIOS

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]


COLLECTOR = "--cc-collector=http://127.0.0.1:1"
KNOWN = f"--cc-scenarios: expected names among {', '.join(SCENARIOS)}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cc-binary="], "--cc-binary: expected a value, saw nothing"),
        (["--cc-report=x"], "--cc-report: expected --cc-binary=SPEC beside it, saw no --cc-binary"),
        (["--cc-deadline=5"], "--cc-deadline: expected --cc-binary=SPEC beside it"),
        (["--cc-binary=x", "--cc-deadline=soon"], "--cc-deadline=soon: expected seconds above 0"),
        (["--cc-binary=x", "--cc-deadline=0"], "--cc-deadline=0: expected seconds above 0"),
        (["--cc-binary=x", "--cc-deadline=nan"], "--cc-deadline=nan: expected seconds above 0"),
        (["--cc-binary=x", "--cc-deadline=inf"], "--cc-deadline=inf: expected seconds above 0"),
        (["--cc-binary=x", "--cc-report="], "--cc-report: expected a value, saw nothing"),
        (["--cc-binary=x", "--cc-report=file/r"], "--cc-report=file/r: expected a folder that we"),
        (["--cc-binary=x", "--cc-captures=file"], "--cc-captures=file: expected a folder that we"),
        (["--cc-binary=./missing"], "--cc-binary=./missing: expected an executable file"),
        (["--cc-binary=file/"], "--cc-binary=file/: expected an executable file"),
        (["--cc-binary=no-such-claude"], "no executable 'no-such-claude' on PATH"),
        (["--cc-binary=npm:not a version"], "after 'npm:'"),
        (["--cc-binary=reference:latest"], "'latest' as the version"),
        (["--cc-binary=x", "test_own.py", "--cc-report=r"], "--cc-report: expected the packaged"),
        (["--cc-binary=x", "test_own.py", "--cc-captures=r"], "--cc-captures: expected the packag"),
        (["--cc-binary=x", "--cc-scenarios="], "--cc-scenarios: expected a value, saw nothing"),
        (["--cc-binary=x", "--cc-scenarios=, "], "--cc-scenarios=, : expected names, such as"),
        (["--cc-scenarios=working_day"], "--cc-scenarios: expected --cc-binary=SPEC beside it"),
        (["--cc-binary=x", "--cc-scenarios=working_day,holiday"], f"{KNOWN}, saw 'holiday'"),
        (
            ["--cc-binary=x", "test_own.py", "--cc-scenarios=working_day"],
            "--cc-scenarios: expected the packaged suite",
        ),
        (["--cc-binary=x", "--cc-protocols=,"], "--cc-protocols=,: expected names, such as grpc"),
        (["--cc-protocols=grpc"], "--cc-protocols: expected --cc-binary=SPEC beside it"),
        (
            ["--cc-binary=x", "--cc-protocols=grpc,http"],
            "--cc-protocols: expected names among grpc, http/protobuf, http/json, saw 'http'",
        ),
        (
            ["--cc-binary=x", "test_own.py", "--cc-protocols=grpc"],
            "--cc-protocols: expected the packaged suite",
        ),
        (
            [COLLECTOR, "--cc-collector-out=https://127.0.0.1:2"],
            "--cc-collector-out: expected --cc-collector-out-cert and --cc-collector-out-key",
        ),
        (
            [COLLECTOR, "--cc-collector-out-cert=file"],
            "--cc-collector-out-cert: expected --cc-collector-out-key beside it",
        ),
        (
            [COLLECTOR, "--cc-collector-out-key=file"],
            "--cc-collector-out-key: expected --cc-collector-out-cert beside it",
        ),
        (["--cc-fuzz-seconds=5"], "--cc-fuzz-seconds: expected --cc-binary=SPEC beside it"),
        (["--cc-binary=x", "--cc-fuzz-seconds=-1"], "--cc-fuzz-seconds=-1: expected seconds from"),
        (["--cc-binary=x", "--cc-fuzz-seconds=x"], "--cc-fuzz-seconds=x: expected seconds from 0"),
        (
            ["--cc-binary=x", "test_own.py", "--cc-fuzz-seconds=0"],
            "--cc-fuzz-seconds: expected the packaged suite",
        ),
        (["--cc-slow"], "--cc-slow: expected --cc-binary=SPEC beside it"),
        (["--cc-binary=x", "test_own.py", "--cc-slow"], "--cc-slow: expected the packaged suite"),
        (["--cc-power"], "--cc-power: expected --cc-binary=SPEC beside it"),
        (["--cc-binary=x", "test_own.py", "--cc-power"], "--cc-power: expected the packaged suite"),
        (["--cc-otlp-endpoint=http://a"], "--cc-otlp-endpoint: expected --cc-binary=SPEC beside"),
        (
            ["--cc-binary=x", "test_own.py", "--cc-otlp-endpoint=http://a"],
            "--cc-otlp-endpoint: expected the packaged suite",
        ),
        (
            ["--cc-binary=x", "--cc-otlp-endpoint=localhost:4318"],
            "--cc-otlp-endpoint: expected a URL of OTLP over HTTP without credentials, such as",
        ),
        (
            ["--cc-binary=x", "--cc-otlp-endpoint=http://me:secret@a"],
            "--cc-otlp-endpoint: expected a URL of OTLP over HTTP without credentials, such as",
        ),
        (
            ["--cc-binary=x", "--cc-otlp-endpoint=http://a:99999"],
            "--cc-otlp-endpoint: expected a URL of OTLP over HTTP",
        ),
        (
            ["--cc-binary=x", "--cc-otlp-headers=a=b"],
            "--cc-otlp-headers: expected --cc-otlp-endpoint=URL beside it, saw none",
        ),
        (
            ["--cc-binary=x", "--cc-otlp-endpoint=http://a", "--cc-otlp-headers=a=${NO_SUCH}"],
            "--cc-otlp-headers: expected a variable NO_SUCH in the environment, saw none",
        ),
        (["--cc-allow-managed-settings"], "--cc-allow-managed-settings: expected --cc-binary=SP"),
        (
            ["--cc-binary=x", "test_own.py", "--cc-allow-managed-settings"],
            "--cc-allow-managed-settings: expected the packaged suite",
        ),
    ],
)
def test_a_wrong_value_is_one_clear_error_before_anything_runs(
    pytester: pytest.Pytester, run_here: Run, arguments: Sequence[str], message: str
) -> None:
    pytester.makefile("", file="not a folder, not executable")
    pytester.makepyfile(test_own="def test_own(): raise AssertionError('it ran')")
    result = run_here(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = (line for line in result.errlines if line.startswith("ERROR: "))
    assert message in error
    assert "Traceback" not in result.stderr.str()
    assert "claude telemetry" not in result.stdout.str()


@pytest.fixture
def _telling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder tells what it was asked for, and records nothing."""

    def record_once(plan: RecordingPlan, progress: Callable[[str], None]) -> Recording:
        slow = any(each.slow for each in plan.scenarios)
        progress(f"slow {slow}, managed settings {plan.allow_managed}")
        progress(f"over {', '.join(plan.protocols)}; left out: {len(plan.left_out) > 0}")
        return recorded(())

    monkeypatch.setattr(suite, "record_once", record_once)


@pytest.mark.usefixtures("_telling")
@pytest.mark.parametrize("slow", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
def test_what_a_run_may_do_reaches_the_recording(run_here: Run, slow: bool, allowed: bool) -> None:
    given = ["--cc-slow"] * slow + ["--cc-allow-managed-settings"] * allowed
    result = run_here("--cc-binary=reference", *given)
    result.stdout.fnmatch_lines(
        [
            f"cc-otel: slow {slow}, managed settings {allowed}",
            "cc-otel: over grpc, http/protobuf, http/json; left out: False",
        ]
    )


@pytest.mark.usefixtures("_telling")
def test_the_protocols_reach_the_recording(run_here: Run) -> None:
    result = run_here("--cc-binary=reference", "--cc-protocols=grpc, http/json")
    result.stdout.fnmatch_lines(["cc-otel: over grpc, http/json; left out: True"])


def test_a_rerun_repeats_what_matters() -> None:
    plain = Options("claude", None, None, DEFAULT_DEADLINE_S)
    assert plain.rerun == ("--cc-binary=claude",)
    whole = Options("claude", Path("r"), Path("c"), 2.5, ("a", "b"), True, True, 0.0, ("grpc",))
    assert whole.rerun == (
        "--cc-binary=claude",
        "--cc-deadline=2.5",
        "--cc-scenarios=a,b",
        "--cc-protocols=grpc",
        "--cc-slow",
        "--cc-fuzz-seconds=0",
        "--cc-allow-managed-settings",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("print('hello')\n", "saw no version; its output:"),
        ("raise SystemExit('broken')\n", "saw exit code 1; last output:"),
    ],
)
def test_a_binary_without_a_version(run: Run, subject: Subject, before: str, message: str) -> None:
    result = run(f"--cc-binary={subject(before=before)}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    result.stdout.no_fnmatch_line("*collected*")


@pytest.mark.slow
def test_a_distributed_session_refuses_a_binary_just_as_well(run: Run) -> None:
    result = run("--cc-binary=./missing", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "no such file" in result.stderr.str()


def test_without_the_option_the_plugin_keeps_out_of_the_way(
    pytester: pytest.Pytester, run: Run
) -> None:
    pytester.makepyfile("def test_own(): pass")
    result = run()
    result.assert_outcomes(passed=1)
    assert "cc-otel:" not in result.stdout.str()
    assert "claude telemetry" not in result.stdout.str()


def test_help_names_the_options(run: Run) -> None:
    result = run("--help")
    result.stdout.fnmatch_lines(["telemetry of the claude CLI:", "*--cc-binary=SPEC*"])


def test_switched_off_by_name(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile("def test_own(): pass")
    run("-p", "no:cc-otel").assert_outcomes(passed=1)
    assert run("-p", "no:cc-otel", "--cc-binary=x").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("words", "gravity", "impacts"),
    [
        ((), "breaking", ()),
        (("privacy",), "privacy", ("privacy",)),
        (("form", "loss-of-data"), "breaking", ("loss of data", "form")),
        (("privacy", "any"), "any", ("privacy",)),
        (("none",), "none", ()),
    ],
)
def test_one_option_says_what_fails_a_run(
    pytester: pytest.Pytester, words: tuple[str, ...], gravity: str, impacts: tuple[str, ...]
) -> None:
    given = [f"--cc-fail-on={','.join(words)}", "--cc-baseline=x"] if words else []
    chosen = options.read(pytester.parseconfig("--cc-binary=reference", *given))
    assert chosen is not None
    assert (chosen.fail_on, chosen.fail_impacts) == (gravity, impacts)
    said = [word for word in chosen.rerun if word.startswith("--cc-fail-on=")]
    asked = ",".join(impact.replace(" ", "-") for impact in impacts)
    assert said == ([f"--cc-fail-on={asked}"] if asked else [])
