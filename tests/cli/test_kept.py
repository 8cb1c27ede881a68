"""Record once, judge many times: a kept recording tells all that the live run told."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness import Collector, cli
from harness.assessment.assessment import Assessment
from harness.assessment.recording import RecordingPlan, record_once
from harness.capture import files
from harness.findings import Verdict
from harness.fuzzing.exploration import PROFILES, Exploration
from harness.otlp.model import Protocol
from harness.running import stage
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS
from harness.themes.free_form.scenarios import Input
from tests.processes import leave_workers

Change = Callable[[Path], None]

#: The conforming emitter after some lines of shell.
EMITTER = '#!/bin/sh\n{before}\nexec {python} -m harness.themes.emitter "$@"\n'

#: Over gRPC it hangs up at once, but tells its version.
UNDRIVEN = """
case "$1" in --version) ;; *)
  if [ "$OTEL_EXPORTER_OTLP_PROTOCOL" = grpc ]; then echo "no gRPC today" >&2; exit 3; fi
esac
"""
#: It dies where a resource attribute was drawn, once it has begun.
DIES = """
case "$1" in --version) ;; *)
  if [ -n "$OTEL_RESOURCE_ATTRIBUTES" ]; then echo "dead" >&2; exit 7; fi
esac
"""
INDISCREET = "export OTEL_LOG_USER_PROMPTS=1"

#: A port that another process holds keeps one scenario from being run.
PORT = "example_prometheus"


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "record.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def stable_lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of a record, without what depends on when and how it was judged."""
    found = lines(folder)
    for name in ("started", "ended", "recording_s", "unavoidable_s"):
        del found[0][name]
    del found[-1]["ratio"]
    for line in found:
        if line["kind"] == "power":
            del line["seconds"]
    return found


def live_run(
    called: str,
    before: str,
    scenarios: str,
    exit_code: int,
    *options: str,
    also: str | None = None,
    slow: bool = True,
) -> Any:
    """What a live run is to be like; one of them is enough while working."""
    return pytest.param(
        before,
        [f"--cc-scenarios={scenarios}", *options],
        exit_code,
        {"recorded"} | ({also} if also else set()),
        id=called,
        marks=pytest.mark.slow if slow else (),
    )


@pytest.mark.parametrize(
    ("before", "options", "exit_code", "outcomes"),
    [
        live_run("failing", INDISCREET, "working_day,new_file", 1, slow=False),
        live_run("undriven", UNDRIVEN, "working_day", 1, also="undriven"),
        live_run("skipped", "", f"{PORT},working_day", 0, also="skipped"),
        live_run("died", DIES, "fuzz", 1, "--cc-fuzz-seconds=0"),
        live_run("selected", INDISCREET, "working_day", 1, "-k", "user_prompt"),
        live_run("distributed", INDISCREET, "working_day", 1, "-n", "2"),
    ],
)
def test_a_kept_recording_is_judged_as_the_live_run_was(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    before: str,
    options: list[str],
    exit_code: int,
    outcomes: set[str],
) -> None:
    leave_workers(monkeypatch)
    claude = pytester.path / "claude"
    claude.write_text(EMITTER.format(before=before, python=sys.executable))
    claude.chmod(claude.stat().st_mode | stat.S_IXUSR)
    if PORT in options[0]:
        pytester.makeconftest(SKIPPED)
    live = pytester.runpytest_subprocess(
        *(f"--cc-binary={claude}", "--cc-captures=kept", "--hypothesis-seed=1", "--cc-power"),
        *options,
        timeout=240,
    )
    assert live.ret == exit_code
    capsys.readouterr()
    again = f"--report={pytester.path / 'again'}"
    code = cli.main(["judge", "--power", "-v", again, str(pytester.path / "kept")])
    shown = capsys.readouterr().out
    assert code == exit_code
    for ours, theirs in zip(
        stable_lines(pytester.path / "again"), stable_lines(pytester.path / "kept"), strict=True
    ):
        assert ours == theirs
    runs = [line for line in lines(pytester.path / "again") if line["kind"] == "run"]
    assert {run["outcome"] for run in runs} == outcomes
    (power,) = [line for line in lines(pytester.path / "again") if line["kind"] == "power"]
    assert power["lies"] >= power["proven"] > 0
    assert f"of {power['kept']} promises kept, {power['proven']} would have failed" in shown
    for run in runs:
        if run["outcome"] == "undriven":
            assert "no gRPC today" in run["reason"]
            assert run["reason"] in shown
    ends = [line for line in live.outlines if line.startswith(("OK: ", "FAILED: "))]
    assert shown.splitlines()[-1] == ends[-1]
    # The live run shows some of its failures only.
    assert reruns(live.outlines) <= reruns(shown.splitlines())
    if exit_code == 1 and "undriven" not in outcomes:
        assert reruns(live.outlines) != set()


def reruns(shown: list[str]) -> set[str]:
    """The commands by which failures are judged again."""
    return {line.split("rerun ")[1].strip() for line in shown if line.strip().startswith("rerun ")}


@pytest.mark.slow
def test_one_drawn_capture_is_run_again_with_the_seed_of_its_recording(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    claude = pytester.path / "claude"
    claude.write_text(EMITTER.format(before=DIES, python=sys.executable))
    claude.chmod(claude.stat().st_mode | stat.S_IXUSR)
    profile = replace(PROFILES["quick"], seconds=0, grace_s=0)
    given = Input(Protocol.GRPC, "team=a")
    explore = Exploration("quick", profile, 7, None, lambda _: (), print, (given,))
    binary = resolve(str(claude), progress=print)
    folder = pytester.mkdir("kept")
    options = (f"--cc-binary={claude}", "--cc-fuzz-seconds=0")
    plan = RecordingPlan(
        *(binary, (SCENARIOS["fuzz"],), 300.0, folder), explore=explore, options=options
    )
    record_once(plan, print)
    capsys.readouterr()
    codes = {path.name: cli.main(["judge", "-v", str(path)]) for path in folder.glob("fuzz-*")}
    assert set(codes.values()) == {cli.OK, cli.FAILED}
    found = reruns(capsys.readouterr().out.splitlines())
    assert found
    for command in found:
        assert command.startswith(f"pytest --cc-binary={claude} --cc-fuzz-seconds=0 ")
        assert " --hypothesis-profile=quick --hypothesis-seed=7 " in command


#: Lets the live run be skipped on a machine where the judging process would not be.
SKIPPED = f"""
from dataclasses import replace
from harness.themes import catalogue

catalogue.SCENARIOS[{PORT!r}] = replace(
    catalogue.SCENARIOS[{PORT!r}], skip_reason=lambda: "port 9464 is taken on this machine"
)
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole recording of the conforming emitter, in two scenarios."""
    folder = tmp_path_factory.mktemp("kept")
    chosen = (SCENARIOS["working_day"], SCENARIOS["new_file"])
    binary = resolve("reference", progress=print)
    made = record_once(RecordingPlan(binary, chosen, 300.0, folder), print)
    assert made.summary.problem == ""
    assert cli.main(["judge", str(folder)]) == cli.OK, "each change is what makes the difference"
    return folder


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def in_run(**changes: Any) -> Change:
    """Change the run of one capture."""

    def change(folder: Path) -> None:
        edit(folder / "working_day-grpc" / files.SIDECAR, lambda each: each["run"].update(changes))

    return change


def in_sidecar(**changes: Any) -> Change:
    """Change what stands beside the run of one capture."""

    def change(folder: Path) -> None:
        edit(folder / "working_day-grpc" / files.SIDECAR, lambda each: each.update(changes))

    return change


def in_export(**changes: Any) -> Change:
    """Change the second export of one capture."""

    def change(folder: Path) -> None:
        path = folder / "working_day-grpc" / files.TRANSPORT
        found = path.read_text(encoding="utf-8").splitlines()
        found[1] = json.dumps({**json.loads(found[1]), **changes})
        path.write_text("\n".join(found) + "\n", encoding="utf-8")

    return change


def without(kind: str, label: str = "") -> Change:
    """Take lines out of the record."""

    def change(folder: Path) -> None:
        path = folder / "record.jsonl"
        documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        left = [
            each
            for each in documents
            if each["kind"] != kind or (label and each.get("label") != label)
        ]
        path.write_text("".join(json.dumps(each) + "\n" for each in left), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "working_day-grpc" / files.SIDECAR).unlink(),
            "working_day-grpc: expected a folder that a finished run has saved",
        ),
        (
            lambda folder: shutil.rmtree(folder / "new_file-http-protobuf"),
            "expected the capture of new_file over http/protobuf, as record.jsonl says, saw no",
        ),
        (
            lambda folder: shutil.copytree(folder / "working_day-grpc", folder / "another"),
            "another: expected captures of one recording",
        ),
        (lambda folder: (folder / "record.jsonl").unlink(), "saw neither record.jsonl nor"),
        (without("recording"), "expected the 4 runs that were planned, saw 4 captures, and no"),
        (without("run", "new_file over http/protobuf"), "saw nothing about new_file over"),
        (in_run(scenario="no_such_scenario"), "saw scenario 'no_such_scenario'"),
        (in_run(started_unix_nano=0), "expected Unix nanoseconds of this century"),
        (in_run(ended_unix_nano=1_600_000_000_000_000_000), "the start before the end"),
        (in_run(exit_code=float("nan")), "run.exit_code"),
        (
            in_run(subject={"spec": "npm:latest", "path": "/bin/claude", "version": "latest"}),
            "expected a release such as 2.1.31, saw subject.version 'latest'",
        ),
        (in_run(protocol="http/json"), "saw a capture of working_day over http/json"),
        (in_sidecar(forgotten=-1), "expected 0 or more, saw forgotten -1"),
        (in_sidecar(forgotten=5), "expected 0, as record.jsonl says, saw forgotten 5"),
        (in_export(arrived_unix_nano=0), "transport.jsonl line 2: expected a time of its run"),
        (in_export(arrived_unix_nano=10**40), "saw arrived_unix_nano 1000"),
        (in_export(arrived_unix_nano=-1), "saw arrived_unix_nano -1"),
        (in_export(sequence=1), "transport.jsonl line 2: expected more than 1"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_recording_that_is_not_whole_is_not_judged(
    kept: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Change,
    message: str,
) -> None:
    folder = tmp_path / "kept"
    shutil.copytree(kept, folder)
    capsys.readouterr()
    change(folder)
    assert cli.main(["judge", str(folder)]) == cli.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_what_is_over_our_limit_is_an_error_over_each_protocol(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live and from the captures that were kept; it says nothing about the subject."""
    monkeypatch.setattr(stage, "Collector", partial(Collector, max_body_bytes=9000))
    binary = resolve("reference", progress=print)
    folder = tmp_path / "kept"
    folder.mkdir()
    made = record_once(RecordingPlan(binary, (SCENARIOS["working_day"],), 300.0, folder), print)
    for capture in made.captures:
        assert any(export.over_limit for export in capture.exports)
        assert any(not export.rejected for export in capture.exports)
    live = Assessment(binary.spec, binary.version, lambda: made)
    row = live.row(live.contract.requirement("transport.accepted"))
    assert (row.verdict, row.findings) == (Verdict.ERROR, ())
    for protocol in Protocol:
        assert f"working_day over {protocol}: the bodies of " in row.reason
    out = tmp_path / "out"
    assert cli.main(["judge", str(folder), f"--report={out}", "-v"]) == cli.FAILED
    assert "were larger than the collector takes" in capsys.readouterr().out
    judged = {each["requirement"]: each for each in lines(out) if each["kind"] == "requirement"}
    assert judged[row.requirement]["verdict"] == "error"
    assert judged[row.requirement]["reason"] == row.reason
    assert not [each for each in judged.values() if each["verdict"] == "fail"]


def test_what_the_store_forgot_is_an_error_and_no_pass(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kept"
    shutil.copytree(kept, folder)
    in_sidecar(forgotten=5)(folder)
    path = folder / "record.jsonl"
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for each in documents:
        if each.get("label") == "working_day over grpc":
            each["forgotten"] = 5
    path.write_text("".join(json.dumps(each) + "\n" for each in documents), encoding="utf-8")
    assert cli.main(["judge", str(folder), f"--report={tmp_path / 'out'}", "-v"]) == cli.FAILED
    assert "5 exports were forgotten over the memory limit" in capsys.readouterr().out
    rows = [each for each in lines(tmp_path / "out") if each["kind"] == "requirement"]
    by_name = {each["requirement"]: each for each in rows}
    prompt = by_name["events.user_prompt.prompt.redacted_by_default"]
    assert prompt["verdict"] == "error"
    assert prompt["reason"].startswith("working_day over grpc: 5 exports were forgotten")
    # Nothing was lost of the run that this promise is about.
    assert by_name["metrics.lines_of_code_count.counted_new_file"]["verdict"] == "pass"
    # One capture alone says it, too.
    assert cli.main(["judge", str(folder / "working_day-grpc")]) == cli.FAILED
