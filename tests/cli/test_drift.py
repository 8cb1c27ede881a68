"""``cc-harness inventory`` and ``cc-harness diff``: what they take, print and answer."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.assessment import comparing, looking, sides
from harness.assessment.recording import RecordingPlan, record_once
from harness.assessment.sides import find_side
from harness.cli import drift
from harness.errors import UsageError
from harness.subject.binary import Binary, resolve
from harness.themes.catalogue import SCENARIOS

SHORT = ("working_day", "toolbox", "identity", "helper_fails")


def kept(folder: Path, binary: Binary, scenarios: tuple[str, ...] = SHORT) -> Path:
    """Record these scenarios, as ``--cc-captures`` does."""
    folder.mkdir()
    chosen = tuple(SCENARIOS[name] for name in scenarios)
    made = record_once(RecordingPlan(binary, chosen, 300.0, folder), print)
    assert made.summary.problem == ""
    return folder


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What two releases of the conforming emitter left, and the newer of them again."""
    folder = tmp_path_factory.mktemp("recordings")
    versions = {"old": "2.1.31", "new": "2.1.240", "again": "2.1.240"}
    return {
        name: kept(folder / name, resolve(f"reference:{version}", progress=print))
        for name, version in versions.items()
    }


def called(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, str]:
    code = cli.main([str(each) for each in argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_two_recordings_of_one_release_do_not_differ(
    recordings: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    new, again = recordings["new"], recordings["again"]
    code, out, err = called(capsys, "diff", new, again, "--fail-on", "any")
    assert (code, err) == (cli.OK, "")
    assert out == f"{new} (2.1.240) -> {again} (2.1.240): 0 differences\n"
    first, second = (find_side(str(folder), print).inventory for folder in (new, again))
    assert first["metrics"]
    assert first["facts"]["accounting"]
    assert first == second


def test_what_a_release_changed(
    recordings: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = called(capsys, "diff", recordings["old"], recordings["new"], "--json")
    assert code == cli.OK
    found = {
        (each["subject"], each["change"], each["impact"]) for each in json.loads(out)["differences"]
    }
    assert ("attribute prompt.id", "new", "additive") in found
    assert ("attribute query_source", "new", "breaking") in found


def test_what_is_printed_is_reported_as_well(
    recordings: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    argv = ("diff", recordings["old"], recordings["new"], "--format", "html", "--report", folder)
    code, out, err = called(capsys, *argv)
    assert code == cli.OK
    files = ("diff.json", "diff.md", "diff.html")
    assert err.splitlines() == [f"cc-harness: wrote {folder / name}" for name in files]
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    assert (folder / "diff.html").read_text(encoding="utf-8") == out
    page = (folder / "diff.md").read_text(encoding="utf-8")
    assert "| 2.1.172: `claude_code.lines_of_code.count` carries `model`. |" in page
    assert "| not in the changelog |" in page


def test_sessions_of_one_side_alone_are_not_compared(
    recordings: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = recordings["new"]
    alone = new / "working_day-grpc"
    code, out, _ = called(capsys, "diff", new, alone, "--fail-on", "any")
    lines = out.splitlines()
    # What only the other sessions show is no difference.
    assert (code, lines[0].endswith(": 0 differences")) == (cli.OK, True), out
    others = "helper_fails, identity, toolbox, working_day"
    left_out = f"  left out, for {new} alone was run through it: {others}"
    assert left_out in lines
    # Of an inventory nothing can be taken away.
    file = tmp_path / "whole.json"
    assert called(capsys, "inventory", new, "--output", file)[0] == cli.OK
    out = called(capsys, "diff", file, alone)[1]
    assert f"  in the inventory {file} alone, so that what it alone has may be theirs: " in out
    # A release is run through what the other side was run through.
    inventory = tmp_path / "short.json"
    assert called(capsys, "inventory", alone, "--output", inventory)[0] == cli.OK
    code, out, err = called(capsys, "diff", inventory, "reference:2.1.240")
    assert code == cli.OK
    assert "running claude 2.1.240 3 times over grpc, http/protobuf, http/json: working_day" in err


@pytest.mark.parametrize(
    ("choice", "code"), [("none", 0), ("privacy", 1), ("breaking", 1), ("any", 1)]
)
def test_what_fails(
    recordings: dict[str, Path], capsys: pytest.CaptureFixture[str], choice: str, code: int
) -> None:
    sides_of_it = (recordings["old"], recordings["new"])
    assert called(capsys, "diff", *sides_of_it, "--fail-on", choice)[0] == code


def test_an_inventory_is_a_side(
    recordings: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.json"
    assert called(capsys, "inventory", recordings["new"], "--output", file)[0] == cli.OK
    printed = called(capsys, "inventory", recordings["new"])[1]
    assert printed == file.read_text(encoding="utf-8")
    code, out, _ = called(capsys, "diff", file, recordings["again"])
    assert (code, out.rstrip()[-13:]) == (cli.OK, "0 differences")
    # Without captures nothing is judged, and what was sent is compared all the same.
    out = called(capsys, "diff", recordings["old"], file)[1]
    assert "promise " not in out
    assert "attribute prompt.id: new" in out


def test_a_release_is_run_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {name: SCENARIOS[name] for name in ("working_day", "intervals_short")}
    monkeypatch.setattr(sides, "SCENARIOS", few)
    code, out, err = called(capsys, "inventory", "reference:2.1.31", "--quick")
    assert code == cli.OK
    assert sorted(json.loads(out)["scenarios"]) == ["working_day"]
    assert "running claude 2.1.31" in err


def test_to_be_quick_most_sessions_are_left_out(
    recordings: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    quick, whole = (sides.usual_scenarios(quick=quick) for quick in (True, False))
    assert set(sides.SOON) < {scenario.name for scenario in quick}
    assert not any(scenario.waits_s for scenario in quick)
    runs = [sum(len(list(each.planned())) for each in chosen) for chosen in (quick, whole)]
    assert runs[0] < runs[1] / 5
    capture = recordings["new"] / "working_day-grpc"
    out = called(capsys, "diff", capture, capture, "--quick")[1]
    assert out.splitlines()[1].startswith("  left out, to be quick: ")
    assert "how often telemetry is exported" in out


def test_a_release_that_cannot_be_driven(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sides, "SCENARIOS", {"working_day": SCENARIOS["working_day"]})
    script = tmp_path / "claude"
    script.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "2.1.31 (Claude Code)" || exit 3\n')
    script.chmod(0o755)
    code, out, err = called(capsys, "inventory", script)
    assert (code, out) == (cli.USAGE, "")
    assert "working_day over grpc: claude 2.1.31 ended with exit code 3" in err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "expected format 2: take it again with cc-harness inventory, saw format None"),
        ('{"format": 0}', "saw format 0"),
        ('{"format": 2}', "'subject' is a required property at $"),
    ],
)
def test_a_file_that_is_no_inventory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    file = tmp_path / "side.json"
    file.write_text(text, encoding="utf-8")
    code, out, err = called(capsys, "diff", file, file)
    assert (code, out) == (cli.USAGE, "")
    assert err.startswith(f"cc-harness: inventory {file}: expected ")
    assert problem in err


def test_other_bad_input(
    recordings: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = recordings["new"]
    for argv, problem in (
        (("diff", new, tmp_path / "none.json"), "No such file"),
        (("diff", new, "no-such-binary"), "no executable 'no-such-binary' on PATH"),
        (("inventory", new, "--output", tmp_path / "x.txt"), "a name that ends in .json, saw"),
        (("inventory", new, "--output", tmp_path / "no" / "x.json"), "a file that can be written"),
    ):
        code, out, err = called(capsys, *argv)
        assert (code, out) == (cli.USAGE, "")
        assert problem in err
    broken = tmp_path / "broken"
    shutil.copytree(new, broken)
    shutil.rmtree(broken / "working_day-grpc")
    code, _, err = called(capsys, "diff", broken, new)
    assert code == cli.USAGE
    assert f"capture folder {broken / 'working_day-grpc'}: expected" in err


def test_a_release_that_does_not_exist_costs_no_recording(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def resolved(spec: str, progress: object) -> Binary:
        if spec == "npm:9.9.9":
            raise UsageError(f"--cc-binary={spec}", seen="no such release", expected="another")
        return Binary(spec, ("x",), "/x", "2.1.31")

    monkeypatch.setattr(comparing, "resolve", resolved)
    for argv in (("npm:2.1.31", "npm:9.9.9"), ("npm:9.9.9", "npm:2.1.31")):
        expected = "cc-harness: release npm:9.9.9: expected another, saw no such release\n"
        assert called(capsys, "diff", *argv) == (cli.USAGE, "", expected)


def test_a_folder_that_takes_no_report_is_found_out_first(
    recordings: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    code, out, err = called(capsys, "diff", "npm:9.9.9", "npm:9.9.9", "--report", file)
    assert (code, out) == (cli.USAGE, "")
    assert err.startswith(f"cc-harness: --report {file}: expected a folder that we can write to")


def test_what_was_finished_before_the_disk_was_full_is_kept(
    recordings: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        if "diff.md" in path.name:
            write(path, text[:10], encoding=encoding)
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, text, encoding=encoding)

    monkeypatch.setattr(Path, "write_text", full)
    capture = recordings["new"] / "working_day-grpc"
    code, out, err = called(capsys, "diff", capture, capture, "--report", tmp_path)
    assert code == cli.USAGE
    assert out.rstrip().endswith(": 0 differences")
    assert err.splitlines()[-1] == (
        f"cc-harness: report file {tmp_path / 'diff.md'}: expected a file that we can write, saw "
        "[Errno 28] No space left on device"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["diff.json"]


@pytest.mark.needs("/dev/full")
def test_a_full_disk_behind_the_output(
    recordings: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capture = recordings["new"] / "working_day-grpc"
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code = cli.main(["diff", str(capture), str(capture)])
        monkeypatch.undo()
        # What could not be written is still in its buffer.
        with contextlib.suppress(OSError):
            full.close()
    assert code == cli.USAGE
    assert "standard output: expected something that takes what is printed, saw " in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ((), "NAME or --run: expected one of the two, saw neither"),
        (("event x", "--run", "true"), "NAME or --run: expected one of the two, saw both"),
        (("no.such.promise",), "NAME 'no.such.promise': expected one, or a difference that begins"),
        (("event x", "--scenarios", "none"), "--scenarios: expected names among "),
    ],
)
def test_bad_input_of_a_search(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.setattr(drift, "published", lambda progress, change: ["2.1.31", "2.1.332"])
    code, out, err = called(capsys, "bisect", "--good", "2.1.31", "--bad", "2.1.332", *argv)
    assert (code, out) == (cli.USAGE, "")
    assert problem in err


def test_a_search_by_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    versions = [f"2.1.{n}" for n in range(31, 41)]
    monkeypatch.setattr(drift, "published", lambda progress, change: versions)
    monkeypatch.setattr(
        looking, "resolve", lambda spec, progress: Binary(spec, ("x",), "/x", spec[4:])
    )
    command = f"{sys.executable} -c \"import sys; sys.exit('{{version}}' >= '2.1.36')\""
    log = tmp_path / "log"
    argv = ("bisect", "--good", "2.1.31", "--bad", "2.1.40", "--run", command, "--log", log)
    code, out, err = called(capsys, *argv)
    assert code == cli.OK
    assert out.splitlines()[0] == "changed after 2.1.35, in 2.1.36"
    assert "8 releases left, about 4 steps" in err
    assert len(log.read_text().splitlines()) <= 1 + 2 + 4
    code, out, _ = called(capsys, *argv, "--json")
    told = json.loads(out)
    assert (told["good"]["release"], told["bad"]["release"]) == ("2.1.35", "2.1.36")
    assert told["bad"]["evidence"]
    assert (code, told["skipped"]) == (cli.OK, [])
