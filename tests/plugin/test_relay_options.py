"""Options about a collector under test: what each takes, and one clear error for all else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.assessment.live import SCENARIOS as LIVE
from harness.plugin import relay_options
from harness.relay_themes.catalogue import SCENARIOS

Run = Callable[..., pytest.RunResult]

URL = "--cc-collector=http://127.0.0.1:4318"
COMMAND = "--cc-collector-cmd=collect {http_in}"
OUT = "--cc-collector-out=none"
KNOWN = f"--cc-scenarios: expected names among {', '.join((*SCENARIOS, *LIVE))}"
LISTED = {
    "requirements": ["passing.logs.times"],
    "reason": "It rounds all times to seconds.",
    "evidence": "Seen in every run of November 2026.",
}


def listing(**changes: object) -> str:
    return json.dumps({"deviations": [{**LISTED, **changes}]})


FILES = {
    "file": "no folder, and not executable",
    "config.yaml": "listen: ${cc:http_in}\n",
    "no-such-place.yaml": "listen: ${cc:http_in}\n\nsend: ${cc:nowhere}\n",
    "changes.toml": '[[change]]\nkind = "attribute_dropped"\nattribute = "x"\nreason = "why not"\n',
    "no-toml.toml": "[[change",
    "good.json": listing(),
    "no-json.json": "{",
    "no-list.json": "[]",
    "no-reason.json": listing(reason="short"),
    "unknown.json": listing(requirements=["passing.logs.tims"]),
    "releases.json": listing(since="2.1.31"),
    "twice.json": json.dumps({"deviations": [LISTED, LISTED]}),
    "of-the-cli.json": listing(requirements=["transport.accepted"]),
}


@pytest.fixture(autouse=True)
def _files(pytester: pytest.Pytester) -> None:
    for name, text in FILES.items():
        (pytester.path / name).write_text(text)
    pytester.makepyfile(test_own="def test_own(): raise AssertionError('it ran')")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([URL, COMMAND, OUT], "expected either --cc-collector or --cc-collector-cmd, saw both"),
        ([OUT], "--cc-collector-cmd, saw neither, beside --cc-collector-out"),
        (["--cc-collector="], "--cc-collector: expected a value, saw nothing"),
        (["--cc-collector=localhost", OUT], "--cc-collector: expected grpc://host:port"),
        (["--cc-collector=http://a:1,https://b:2", OUT], "at most one for each of gRPC and HTTP"),
        ([COMMAND], "--cc-collector-out: expected a way out, or none"),
        ([URL], "--cc-collector-out: expected a way out, or none"),
        ([URL, "--cc-collector-out=,"], "--cc-collector-out=,: expected names, such as"),
        ([URL, "--cc-collector-out=ftp://x:1"], "--cc-collector-out: expected grpc://HOST:PORT"),
        ([URL, "--cc-collector-out=grpc://x:y"], "--cc-collector-out: expected grpc://HOST:PORT"),
        ([URL, OUT, "--cc-collector-config=config.yaml"], "expected --cc-collector-cmd beside it"),
        ([COMMAND, OUT, "--cc-collector-config=missing"], "=missing: expected a file, saw no such"),
        (
            ["--cc-collector-cmd=run {config}", OUT, "--cc-collector-config=no-such-place.yaml"],
            "no-such-place.yaml line 3: expected one of ${cc:config}",
        ),
        (
            ["--cc-collector-cmd=run {config} {http_in}", OUT],
            "--cc-collector-cmd: expected --cc-collector-config=FILE beside it, saw {config}",
        ),
        (
            [COMMAND, OUT, "--cc-collector-config=config.yaml"],
            "--cc-collector-cmd: expected {config} in it, for the file, saw 'collect {http_in}'",
        ),
        (["--cc-collector-cmd=run", OUT], "expected a place for the port on which the collector"),
        (["--cc-collector-cmd=run '{http_in}", OUT], "expected a command line, saw run '{http_in}"),
        ([URL, OUT, "--cc-collector-ca=missing"], "--cc-collector-ca=missing: expected a file"),
        ([URL, OUT, "--cc-collector-cert=missing"], "--cc-collector-cert=missing: expected a file"),
        ([URL, OUT, "--cc-collector-key=file"], "--cc-collector-key: expected --cc-collector-cert"),
        (
            [URL, OUT, "--cc-collector-headers=Bearer x"],
            "--cc-collector-headers: expected NAME=VAL",
        ),
        (
            [URL, OUT, "--cc-collector-headers=authorization=${NO_SUCH_TOKEN}"],
            "--cc-collector-headers: expected a variable NO_SUCH_TOKEN in the environment",
        ),
        ([URL, OUT, "--cc-collector-ready="], "--cc-collector-ready: expected a value"),
        ([URL, OUT, "--cc-collector-settle=soon"], "--cc-collector-settle=soon: expected seconds"),
        (
            [URL, OUT, "--cc-collector-settle=0"],
            "--cc-collector-settle=0: expected seconds above 0",
        ),
        ([URL, OUT, "--cc-collector-changes=missing"], "-changes=missing: expected a file"),
        ([URL, OUT, "--cc-collector-changes=no-toml.toml"], "no-toml.toml"),
        ([URL, OUT, "--cc-collector-recording=missing"], "expected what --cc-captures kept"),
        ([URL, OUT, "--cc-report=file/r"], "--cc-report=file/r: expected a folder that we can"),
        ([URL, OUT, "--cc-captures=file"], "--cc-captures=file: expected a folder that we can"),
        ([URL, OUT, "--cc-scenarios=holiday"], f"{KNOWN}, saw 'holiday'"),
        ([URL, OUT, "--cc-scenarios=working_day"], f"{KNOWN}, saw 'working_day'"),
        (
            [URL, OUT, "--cc-protocols=http"],
            "--cc-protocols: expected names among grpc, http/proto",
        ),
        ([URL, OUT, "test_own.py"], "--cc-collector: expected the packaged suite in the run"),
        ([COMMAND, OUT, "test_own.py"], "--cc-collector-cmd: expected the packaged suite"),
        ([URL, OUT, "--cc-slow"], "--cc-slow: expected it without --cc-collector: it is about"),
        ([COMMAND, OUT, "--cc-fuzz-seconds=0"], "--cc-fuzz-seconds: expected it without --cc-coll"),
        ([URL, OUT, "--cc-allow-managed-settings"], "--cc-allow-managed-settings: expected it wit"),
        ([URL, OUT, "--cc-deadline=5"], "--cc-deadline: expected --cc-binary=SPEC beside it"),
        (
            [URL, OUT, "--cc-binary=x", "--cc-deadline=no"],
            "--cc-deadline=no: expected seconds above",
        ),
        ([URL, OUT, "--cc-binary="], "--cc-binary: expected a value, saw nothing"),
        ([URL, OUT, "--cc-binary=./missing"], "--cc-binary=./missing: expected an executable file"),
        (
            [URL, OUT, "--cc-binary=x", "--cc-scenarios=passing"],
            "--cc-binary: expected one of live",
        ),
        (
            [URL, OUT, "--cc-scenarios=live_working_day"],
            "--cc-scenarios: expected --cc-binary beside 'live_working_day'",
        ),
        ([URL, OUT, "--cc-expectations=missing"], "--cc-expectations=missing: expected a file"),
        ([URL, OUT, "--cc-expectations="], "--cc-expectations: expected a value, saw nothing"),
        (
            [URL, OUT, "--cc-expectations=no-json.json"],
            "no-json.json: expected a JSON file, saw no",
        ),
        ([URL, OUT, "--cc-expectations=no-list.json"], "no-list.json at $: expected"),
        (
            [URL, OUT, "--cc-expectations=no-reason.json"],
            "no-reason.json at $.deviations[0].reason: expected",
        ),
        (
            [URL, OUT, "--cc-expectations=unknown.json"],
            "unknown.json: expected names of requirements, such as passing.logs.times, saw "
            "passing.logs.tims",
        ),
        ([URL, OUT, "--cc-expectations=of-the-cli.json"], "saw transport.accepted"),
        (
            [URL, OUT, "--cc-expectations=releases.json"],
            "expected none of them: the release of a collector is not known, saw since, until or",
        ),
        (
            [URL, OUT, "--cc-expectations=twice.json"],
            "twice.json: two expectations apply to passing.logs.times",
        ),
        (
            ["--cc-binary=reference", "--cc-expectations=good.json"],
            "good.json: expected names of requirements",
        ),
        (["--cc-expectations=good.json"], "--cc-expectations: expected --cc-binary=SPEC beside it"),
        (
            ["--cc-binary=reference", "test_own.py", "--cc-expectations=good.json"],
            "--cc-expectations: expected the packaged suite",
        ),
    ],
)
def test_a_wrong_value_is_one_clear_error_before_anything_runs(
    run_here: Run,
    arguments: Sequence[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = run_here(*arguments)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cc-otel")] == []
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = (line for line in result.errlines if line.startswith("ERROR: "))
    assert message in error
    assert "Traceback" not in result.stderr.str()
    assert "collector telemetry" not in result.stdout.str()


def options(pytester: pytest.Pytester, *arguments: str) -> relay_options.RelayOptions:
    found = relay_options.read(pytester.parseconfig(*arguments))
    assert found is not None
    return found


def test_each_option_is_read(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    read = options(
        pytester,
        COMMAND,
        *("--cc-collector-config=config.yaml", "--cc-collector-out=grpc://127.0.0.1:1,file:x"),
        *("--cc-collector-ready=http://127.0.0.1:2/", "--cc-collector-settle=2.5"),
        "--cc-collector-headers=Authorization=Bearer%20${TOKEN}, x-team = a%2Cb",
        *("--cc-collector-ca=file", "--cc-collector-cert=file", "--cc-collector-key=file"),
        *("--cc-collector-changes=changes.toml", "--cc-collector-recording=."),
        *("--cc-binary=npm:latest", "--cc-deadline=7", "--cc-expectations=good.json"),
        *("--cc-scenarios=passing", "--cc-protocols=grpc", "--cc-report=r", "--cc-captures=c"),
    )
    folder = pytester.path
    assert (read.url, read.command) == ("", "collect {http_in}")
    assert read.out == ("grpc://127.0.0.1:1", "file:x")
    assert (read.ready, read.settle_s) == ("http://127.0.0.1:2/", 2.5)
    assert read.headers == (("authorization", "Bearer s3cret"), ("x-team", "a,b"))
    assert {read.ca, read.certificate, read.key} == {folder / "file"}
    assert (read.config, read.changes) == (folder / "config.yaml", folder / "changes.toml")
    assert (read.binary, read.deadline_s) == ("npm:latest", 7.0)
    assert read.expectations == folder / "good.json"
    assert (read.scenarios, read.protocols) == (("passing",), ("grpc",))
    assert (read.report, read.captures) == (folder / "r", folder / "c")


def test_a_rerun_repeats_all_but_folders_and_credentials(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    plain = options(
        pytester,
        *(URL, OUT, "--cc-report=r", "--cc-captures=c", "--cc-binary=reference"),
        *("--cc-expectations=good.json", "--cc-deadline=7", "--cc-scenarios=live_working_day"),
        "--cc-collector-headers=authorization=Bearer k3y,x-team=a,x-token=${TOKEN}",
    )
    assert sorted(plain.rerun) == sorted(
        (
            *(URL, OUT, "--cc-binary=reference", "--cc-deadline=7"),
            *("--cc-expectations=good.json", "--cc-scenarios=live_working_day"),
            "--cc-collector-headers=authorization=${AUTHORIZATION},x-team=a,x-token=${TOKEN}",
        )
    )


def test_without_any_of_them_there_are_none(pytester: pytest.Pytester) -> None:
    assert relay_options.read(pytester.parseconfig("--cc-binary=x")) is None


def test_help_names_them_all(run: Run) -> None:
    shown = run("--help").stdout.str()
    assert all(f"{name}=" in shown for name in (*relay_options.NAMES, "--cc-expectations"))
