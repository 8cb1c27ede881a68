"""Judge collectors as a person does: by the command line, each of them a process of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trustme

from harness import cli
from harness.capture import files
from harness.capture.export import SENT
from harness.collector.collector import Collector
from harness.collector.tls import Tls
from harness.findings import Verdict
from harness.record import jsonl
from harness.record.header import COLLECTOR
from harness.relay.ports import free_port
from harness.relay.process import listens
from harness.running.drive import closed_port
from harness.subject.binary import Binary

Run = Callable[..., pytest.RunResult]

RELAY = f"{sys.executable} {Path(__file__).with_name('passing_on.py')}"
HTTP = f"{RELAY} --http-in={{http_in}} --http-out={{http_out}}"
BOTH = f"{HTTP} --grpc-in={{grpc_in}}"
#: Recorded sessions over one protocol: what is the same with all is shown by one.
PASSING = ("--cc-scenarios=passing", "--cc-protocols=http/json")
LIVE = ("--cc-binary=reference", "--cc-scenarios=live_working_day", "--cc-protocols=http/json")
#: What is lost is waited for so long.
SETTLE = "--cc-collector-settle=1"


@pytest.fixture
def judged(pytester: pytest.Pytester, run: Run) -> Callable[..., pytest.RunResult]:
    """Judge the collector that a command starts."""

    def make(command: str, *arguments: str) -> pytest.RunResult:
        return run(f"--cc-collector-cmd={command}", SETTLE, "-v", *arguments)

    return make


def record(folder: Path) -> jsonl.RunRecord:
    found = jsonl.read(folder / jsonl.FILE_NAME)
    assert found.footer is not None
    return found


def verdicts(folder: Path) -> dict[str, Verdict]:
    return {row.requirement: row.verdict for row in record(folder).rows}


def test_a_collector_that_passes_everything_on_is_ok(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    result = judged(
        HTTP, *PASSING, "--cc-captures=kept", "--junit-xml=junit.xml", "-k", "passing or log"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "cc-otel: the collector is * --http-in={http_in} *",
            "collector  * --http-in={http_in} *",
            "sent       8 sessions of claude 2.1.332, recorded ????-??-?? from npm:2.1.332, as *",
            "seen at    http",
            "exports    http/json * runs took *",
            "OK: no deviation was seen",
        ]
    )
    assert "claude 0.0.0" not in result.stdout.str()
    found = record(pytester.path / "kept")
    assert found.header.job == COLLECTOR
    assert found.header.relay is not None
    assert found.header.relay.command.startswith(RELAY)
    assert [(sent.release, sent.sessions) for sent in found.header.relay.sent] == [("2.1.332", 8)]
    assert found.footer is not None
    assert (found.footer.failed, found.footer.exit_code) == (False, 0)
    cases = ElementTree.parse(pytester.path / "junit.xml").iter("testcase")
    assert {case.get("name") for case in cases} == set(verdicts(pytester.path / "kept"))


@pytest.mark.slow
def test_what_is_lost_of_a_live_cli_is_a_finding_and_its_rerun_finds_it_again(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    result = judged(f"{HTTP} --drops=logs", *LIVE, "--cc-report=out", "passing.logs.not_lost")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "cc-otel: in front of it, reference is claude *",
            "sent       1 session of claude *, run meanwhile (reference)",
            "FAILED: 1 of 1 requirements fail the run",
        ]
    )
    header = record(pytester.path / "out").header
    assert header.relay is not None
    assert [sent.origin for sent in header.relay.sent] == ["run meanwhile (reference)"]
    (line,) = {
        line.strip().removeprefix("rerun").strip()
        for line in result.outlines
        if line.strip().startswith("rerun ")
    }
    again = pytester.run(sys.executable, "-m", *shlex.split(line), "-p", "no:cacheprovider")
    again.stdout.fnmatch_lines(["*live_working_day over http/json -> http · event *lost*"])
    assert again.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_a_live_cli_goes_through_it_over_each_protocol(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    result = judged(BOTH, *LIVE[:2], "--cc-captures=kept", "-k", "passing")
    assert result.ret == 0
    found = record(pytester.path / "kept")
    assert set(found.header.runs) == {
        f"live_working_day over {protocol}" for protocol in ("grpc", "http/protobuf", "http/json")
    }
    passed = {
        name for name, verdict in verdicts(pytester.path / "kept").items() if verdict == "pass"
    }
    assert {"passing.metrics.not_lost", "passing.logs.not_lost", "passing.logs.times"} <= passed


@pytest.mark.slow
def test_a_real_release_goes_through_it(
    pytester: pytest.Pytester,
    judged: Callable[..., pytest.RunResult],
    release: Callable[[str], Binary],
) -> None:
    binary = release("2.1.332")
    arguments = (f"--cc-binary={binary.spec}", LIVE[1], "--cc-report=out", "-k", "passing")
    result = judged(BOTH, *arguments)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        [f"sent       3 sessions of claude 2.1.332, run meanwhile ({binary.spec})"]
    )
    found = verdicts(pytester.path / "out")
    assert found["passing.metrics.not_lost"] is found["passing.logs.not_lost"] is Verdict.PASS


@pytest.mark.slow
def test_the_collectors_own_answers_reach_the_cli(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    """It is told to come again, and does: nothing else makes it send the same twice."""
    result = judged(f"{HTTP} --busy=1", *LIVE, "--cc-captures=kept", "-k", "passing")
    assert result.ret == 0
    capture = files.load(pytester.path / "kept" / "live_working_day-http-json")
    sent = [export for export in capture.exports if export.collector == SENT]
    (refused,) = (export for export in sent if export.rejected)
    assert refused.rejected == "HTTP 503"
    assert [each.body for each in sent].count(refused.body) == 2


@pytest.mark.slow
def test_a_cli_that_exports_nothing_shows_nothing(
    judged: Callable[..., pytest.RunResult], tmp_path: Path
) -> None:
    silent = tmp_path / "claude"
    silent.write_text(
        "#!/bin/sh\nunset CLAUDE_CODE_ENABLE_TELEMETRY\n"
        f'exec {sys.executable} -m harness.themes.emitter "$@"\n'
    )
    silent.chmod(0o755)
    result = judged(HTTP, f"--cc-binary={silent}", *LIVE[1:], "passing.logs.not_lost")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["live_working_day over http/json: claude * exported nothing in *", "FAILED: nothing was *"]
    )


#: How a collector fails, what is said of it, and what of its log.
FAULTS = {
    "refuses its configuration": (
        f"{HTTP} --refuses=unknown-exporter",
        ["the collector ended by itself before it was ready (nothing listens *), with exit code 1"],
        "unknown-exporter",
    ),
    "is no program": (
        "no-such-collector {http_in} {http_out}",
        ["--cc-collector-cmd: no-such-collector cannot be started: *"],
        "",
    ),
    "dies meanwhile": (
        f"{HTTP} --dies-after=3",
        ["passing over http/json: the collector ended by itself in the run *, with exit code 3"],
        "out of memory",
    ),
    "cannot reach its downstream": (
        f"{RELAY} --http-in={{http_in}} --http-out=http://127.0.0.1:1 --says={{http_out}}",
        ["passing over http/json: the collector accepted none of * (the first: HTTP 503): *"],
        "cannot send: *",
    ),
    "lets nothing out": (
        f"{RELAY} --http-in={{http_in}} --says={{http_out}}",
        ["passing over http/json: the collector accepted * items, and nothing at all came out *"],
        "listening",
    ),
}

NEVER_READY = ("refuses its configuration", "is no program")


@pytest.mark.slow
@pytest.mark.parametrize("how", FAULTS)
def test_one_that_cannot_be_judged_is_one_clear_error_with_its_log(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult], how: str
) -> None:
    command, said, logged = FAULTS[how]
    result = judged(command, *PASSING, "--cc-report=out", "passing.logs.accepted")
    if how == "lets nothing out":
        # It took everything; that nothing came out is another promise.
        assert result.ret == 0
        result = judged(command, *PASSING, "--cc-report=out", "passing.logs.not_lost")
    result.stdout.fnmatch_lines([*said, *([logged] if logged else [])])
    if how in NEVER_READY:
        # Nothing was sent to it: told once, and nothing is judged.
        assert result.ret == pytest.ExitCode.INTERRUPTED
        made = jsonl.read_part(pytester.path / "out" / jsonl.FILE_NAME)
        assert made.rows == ()
        assert made.recording is not None
        assert made.recording.harness_fault
    else:
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert verdicts(pytester.path / "out").popitem()[1] is not Verdict.PASS
    assert "Traceback" not in result.stdout.str()


@pytest.mark.slow
def test_a_log_that_tells_of_lost_data_is_a_warning(
    judged: Callable[..., pytest.RunResult],
) -> None:
    says = shlex.quote("error Exporting failed. Dropping data. queue is full")
    result = judged(f"{HTTP} --says={says}", *PASSING, "-k", "log.")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*log.dropped [[]SHOULD[]]",
            "*passing over http/json · the collector’s log · * lines, the first: error Exporting *",
        ]
    )


LISTED = {
    "requirements": ["passing.logs.not_lost"],
    "reason": "It keeps no events: they are not wanted.",
    "evidence": "Its configuration has no pipeline for logs.",
}


@pytest.mark.slow
def test_a_list_of_ones_own_says_what_is_known(
    pytester: pytest.Pytester,
    judged: Callable[..., pytest.RunResult],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (pytester.path / "known.json").write_text(json.dumps({"deviations": [LISTED]}))
    options = ("--cc-expectations=known.json", "passing.logs.not_lost")

    result = judged(f"{HTTP} --drops=logs", *options, *PASSING, "--cc-captures=lossy")
    assert result.ret == 0
    listed = "--cc-expectations=known.json"
    result.stdout.fnmatch_lines([f"*passing.logs.not_lost (listed in {listed})", "OK: *"])
    assert verdicts(pytester.path / "lossy") == {"passing.logs.not_lost": Verdict.KNOWN}

    # What some runs do not show, others might have shown.
    assert judged(HTTP, *options, *PASSING).ret == 0
    result = judged(HTTP, *options, "--cc-captures=mended")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*fixed*the deviation that {listed} lists was not seen"])
    assert verdicts(pytester.path / "mended") == {"passing.logs.not_lost": Verdict.FIXED}

    # The record holds the list: judging again needs no file, and may be given another one.
    (pytester.path / "known.json").write_text('{"deviations": []}')
    folders = [str(pytester.path / name) for name in ("lossy", "mended")]
    assert [cli.main(["judge", folder]) for folder in folders] == [cli.OK, cli.FAILED]
    other = ["--expectations", str(pytester.path / "known.json")]
    assert [cli.main(["judge", each, *other]) for each in folders] == [cli.FAILED, cli.OK]
    capsys.readouterr()


@pytest.mark.slow
def test_a_list_of_ones_own_holds_for_a_cli_as_well(pytester: pytest.Pytester, run: Run) -> None:
    known = {**LISTED, "requirements": ["transport.accepted"]}
    (pytester.path / "known.json").write_text(json.dumps({"deviations": [known]}))
    result = run(
        *("--cc-binary=reference", "--cc-scenarios=working_day", "--cc-protocols=http/json"),
        *("--cc-expectations=known.json", "transport.accepted", "--cc-captures=kept"),
    )
    # Runs over other protocols might have shown it.
    assert result.ret == 0
    assert record(pytester.path / "kept").plan.expectations is not None


CONTENT = """
[[must_not_come_out]]
content = "prompt"
reason = "no prompt is to be stored"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "found"),
    [
        # Sessions with all gates open are among those that come with us.
        ("passing", {"tested": Verdict.PASS, "content": Verdict.FAIL}),
        ("live_toolbox_open", {"tested": Verdict.NOT_EXERCISED, "content": Verdict.FAIL}),
        # A CLI sends no prompts unless it is told to; that proves nothing of the collector.
        ("live_working_day", {"tested": Verdict.NOT_EXERCISED, "content": Verdict.PASS}),
    ],
)
def test_what_people_said_is_looked_for_in_what_comes_out(
    pytester: pytest.Pytester,
    judged: Callable[..., pytest.RunResult],
    scenario: str,
    found: dict[str, Verdict],
) -> None:
    (pytester.path / "duties.toml").write_text(CONTENT)
    binary = LIVE[:1] if scenario.startswith("live") else ()
    names = [f"privacy.must_not_come_out.{name}" for name in found]
    judged(
        *(HTTP, *binary, f"--cc-scenarios={scenario}", "--cc-protocols=http/protobuf", *names),
        *("--cc-collector-changes=duties.toml", "--cc-report=out"),
    )
    seen = verdicts(pytester.path / "out")
    assert {name: seen[f"privacy.must_not_come_out.{name}"] for name in found} == found


@pytest.mark.slow
def test_workers_share_one_recording(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    options = (*LIVE[:2], LIVE[2], "--cc-scenarios=live_working_day,passing", "-k", "passing.logs")
    spread = judged(f"{HTTP} --drops=logs", *options, "-n", "2", "--cc-report=spread")
    whole = judged(f"{HTTP} --drops=logs", *options, "--cc-report=whole")
    assert spread.ret == whole.ret == pytest.ExitCode.TESTS_FAILED
    assert verdicts(pytester.path / "spread") == verdicts(pytester.path / "whole")
    one, two = (record(pytester.path / name).header for name in ("spread", "whole"))
    assert one.relay == two.relay
    assert (
        set(one.runs)
        == set(two.runs)
        == {
            "live_working_day over http/json",
            "passing over http/json",
        }
    )


@pytest.fixture
def running() -> Iterator[tuple[int, int]]:
    """A collector that runs already: the port where it listens, and where it sends."""
    listening, downstream = free_port(), free_port()
    command = f"{RELAY} --http-in=127.0.0.1:{listening} --http-out=http://127.0.0.1:{downstream}"
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield listening, downstream
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_one_that_runs_already_is_judged_where_it_is(run: Run, running: tuple[int, int]) -> None:
    listening, downstream = running
    options = (SETTLE, *PASSING, "-v", "passing.logs.not_lost")
    result = run(
        f"--cc-collector=http://127.0.0.1:{listening}",
        f"--cc-collector-out=http://127.0.0.1:{downstream}",
        *options,
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"collector  http://127.0.0.1:{listening}", "seen at    http"])
    assert listens("127.0.0.1", listening), "it is not ours to stop"

    result = run(
        f"--cc-collector=http://127.0.0.1:{listening}",
        f"--cc-collector-out=http://127.0.0.1:{downstream}",
        *("--cc-collector-ready=http://127.0.0.1:1/", *options),
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["the collector is not ready: http://127.0.0.1:1/: *"])


def test_one_that_asks_who_is_there_is_shown_it(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    server, client = (authority.issue_cert(name) for name in ("127.0.0.1", "us.example"))
    folder = pytester.path
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (folder / "cert.pem").write_bytes(client.cert_chain_pems[0].bytes())
    (folder / "key.pem").write_bytes(client.private_key_pem.bytes())
    tls = Tls(
        server.cert_chain_pems[0].bytes(),
        server.private_key_pem.bytes(),
        authority.cert_pem.bytes(),
    )
    monkeypatch.setenv("TOKEN", "s3cret")
    with Collector(tls=tls) as collector:
        result = run(
            f"--cc-collector=https://127.0.0.1:{collector.http_port}",
            *("--cc-collector-ca=ca.pem", "--cc-collector-cert=cert.pem"),
            *("--cc-collector-key=key.pem", "--cc-collector-out=none", "--cc-captures=kept"),
            *("--cc-collector-headers=authorization=Bearer ${TOKEN}", "--cc-protocols=http/json"),
            "receiving.paths.logs",
        )
        exports = collector.exports
    assert result.ret == 0, result.stdout.str()
    shown = {(each.header("authorization"), bool(each.peer_certificate)) for each in exports}
    assert ("Bearer s3cret", True) in shown
    written = [path for path in (folder / "kept").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in result.stdout.str()


def test_places_in_its_configuration_are_filled_in(
    pytester: pytest.Pytester, judged: Callable[..., pytest.RunResult]
) -> None:
    pytester.makefile(
        ".sh", collector=f"exec {RELAY} --http-in=${{cc:http_in}} --http-out=${{cc:http_out}}\n"
    )
    config = "--cc-collector-config=collector.sh"
    result = judged("sh {config}", config, *PASSING, "passing.logs.not_lost")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["collector  sh {config} · configuration *collector.sh"])


def test_a_wrong_url_is_one_clear_error(run: Run) -> None:
    with closed_port() as port:
        nobody = f"http://127.0.0.1:{port}"
        result = run(f"--cc-collector={nobody}", "--cc-collector-out=none", "-k", "receiving")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines([f"--cc-collector={nobody}: nothing takes connections there"])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a collector that loses events, as ``--cc-captures`` keeps it."""
    folder = tmp_path_factory.mktemp("kept")
    arguments = (f"--cc-collector-cmd={HTTP} --drops=logs", SETTLE, *PASSING, "-k", "passing.logs")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, "--cc-captures=."],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    return folder


def judge(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main(["judge", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_kept_recording_is_judged_again(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = judge(capsys, kept, "-v", "--report", tmp_path)
    assert code == cli.FAILED
    assert f"collector  {HTTP} --drops=logs" in out
    assert f"judged from {kept}" in out
    live, again = record(kept), record(tmp_path)
    assert again.rows == live.rows
    assert again.header.relay == live.header.relay


def test_one_capture_of_it_is_judged_by_itself(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = judge(capsys, "-v", kept / "passing-http-json")
    assert code == cli.FAILED
    assert "rerun     pytest '--cc-collector-cmd=" in out
    assert "claude 0.0.0" not in out
    alone = tmp_path / "alone"
    (kept / "passing-http-json").rename(alone)
    try:
        code, out, _ = judge(capsys, "-v", alone)
    finally:
        alone.rename(kept / "passing-http-json")
    assert code == cli.FAILED
    assert f"rerun     pytest {shlex.quote(f'--cc-collector-cmd={HTTP} --drops=logs')}" in out


def test_it_is_no_recording_of_a_cli(
    kept: Path, capsys: pytest.CaptureFixture[str], run_here: Run
) -> None:
    code, _, err = judge(capsys, kept, "--as", "2.1.31")
    assert code == cli.USAGE
    assert "--as 2.1.31: expected one of the CLI" in err
    result = run_here(
        *("--cc-collector=http://127.0.0.1:1", "--cc-collector-out=none"),
        f"--cc-collector-recording={kept}",
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    expected = f"ERROR: recording {kept}: expected one of a claude, saw one of a collector"
    assert expected in result.stderr.str()


@pytest.mark.slow
def test_the_sessions_of_a_recording_are_sent(
    pytester: pytest.Pytester, run: Run, judged: Callable[..., pytest.RunResult]
) -> None:
    recorded = ("--cc-scenarios=working_day", "--cc-protocols=http/json", "--cc-captures=sessions")
    run("--cc-binary=reference", *recorded)
    result = judged(HTTP, *PASSING, "--cc-collector-recording=sessions", "passing.logs.not_lost")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["sent       1 session of claude *, recorded ????-??-?? from ref*"])


def test_no_process_is_left_behind(judged: Callable[..., pytest.RunResult], tmp_path: Path) -> None:
    """The collectors of a run have ended with it, each told apart by a word of its own."""
    word = str(tmp_path)
    judged(f"{HTTP} --says={word}", *PASSING, "passing.logs.not_lost")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"--says={word}" not in listed.stdout
