"""``cc-harness matrix``: what it makes, keeps, goes on with, and refuses."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.assessment.matrix import making
from harness.cli import matrix
from harness.errors import SubjectError, UsageError
from harness.subject import npm
from tests.processes import DEADLINE_S, assert_gone, until

#: Says that it is at work, and works for ever.
HANGING = """\
#!/bin/sh
[ "$1" = --version ] && {{ echo "2.1.77 (Claude Code)"; exit; }}
echo $$ > {pid}.part && mv {pid}.part {pid}
exec tail -f /dev/null
"""

DYING = """\
#!/bin/sh
[ "$1" = --version ] && echo "2.1.77 (Claude Code)" || exit 3
"""


def called(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, str]:
    code = cli.main(["matrix", *map(str, argv)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def release_77(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Lay a release 2.1.77 into a cache of our own, as a shell script."""
    monkeypatch.setenv("CC_OTEL_CACHE", str(tmp_path / "cache"))
    program = npm.folder_of("2.1.77") / "node_modules" / ".bin" / "claude"

    def make(text: str) -> None:
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    return make


@pytest.mark.slow
def test_a_matrix_is_interrupted_and_goes_on(
    tmp_path: Path, release_77: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    pid, output = tmp_path / "pid", tmp_path / "matrix"
    release_77(HANGING.format(pid=pid))
    options = ("--scenarios=mentions", "--as=2.1.332", "--keep-captures", f"--output={output}")
    command = ("reference:2.1.31", "2.1.77", *options)
    running = subprocess.Popen(
        [sys.executable, "-m", "harness", "matrix", *command, "--jobs=2"],
        stderr=subprocess.PIPE,
        text=True,
    )
    finished = output / "releases" / "2.1.31" / "release.json.gz"
    until(lambda: pid.exists() and finished.exists(), "one release done, and one at work")
    running.send_signal(signal.SIGTERM)
    _, told = running.communicate(timeout=DEADLINE_S)
    assert running.returncode == cli.USAGE
    last = told.strip().splitlines()[-1]
    assert last == (
        "cc-harness: interrupted: 1 of 2 releases are finished and kept in "
        f"{output}; the same command goes on"
    )
    assert "Traceback" not in told
    assert_gone(int(pid.read_text()))
    kept = finished.stat().st_mtime_ns

    release_77(DYING)
    code, out, err = called(capsys, *command)
    assert code == cli.OK
    assert finished.stat().st_mtime_ns == kept, "what is finished is not made again"
    assert "2.1.77: not run: it cannot be driven through any session: " in err
    assert out.splitlines()[0] == "1 releases were run, 1 were not"
    assert out.splitlines()[-3:] == [
        str(output / name) for name in ("matrix.html", "matrix.md", "matrix.json")
    ]
    made = json.loads((output / "matrix.json").read_text(encoding="utf-8"))
    assert [(each["version"], each["ran"]) for each in made["releases"]] == [
        ("2.1.31", True),
        ("2.1.77", False),
    ]
    assert any(row["cells"][0]["verdict"] == "pass" for row in made["requirements"])
    assert made["by"] == "2.1.332"
    assert (finished.parent / "record.jsonl").is_file()
    assert cli.main(["judge", str(finished.parent / "captures")]) == cli.OK
    capsys.readouterr()

    other = tmp_path / "merged"
    assert called(capsys, "merge", output, "--output", other)[0] == cli.OK
    assert json.loads((other / "matrix.json").read_text(encoding="utf-8")) == made
    # Nothing is listed of the emitter.
    code, out, _ = called(capsys, "check", output)
    assert (code, out.splitlines()[0]) == (cli.OK, "wrong: 0")
    checked = json.loads(called(capsys, "check", output, "--json")[1])
    assert {each["standing"] for each in checked} == {"not seen"}
    told = json.loads(called(capsys, "merge", output, "--json")[1])
    assert (told["ran"], [*told["not_run"]]) == (["2.1.31"], ["2.1.77"])
    assert told["written"] == [str(output / f"matrix.{kind}") for kind in ("html", "md", "json")]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "the disk of /x: expected room"),
        (UsageError("PATH", seen="no npm on it", expected="npm"), "PATH: expected npm"),
    ],
)
def test_what_would_stop_any_release_stops_the_matrix(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    problem: str,
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(making, "record_once", fail)
    output = tmp_path / "m"
    argv = ("reference:2.1.31", "reference:2.1.240", "--scenarios=mentions", "--output", output)
    code, out, err = called(capsys, *argv)
    assert (code, out) == (cli.USAGE, "")
    assert problem in err.splitlines()[-1]
    assert list((output / "releases").glob("2*")) == []


def test_a_full_disk_is_no_fault_of_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(making, "_ROOM_BYTES", 1 << 62)
    argv = ("reference:2.1.31", "--scenarios=mentions", "--output", tmp_path / "m")
    monkeypatch.setattr(making, "record_once", _undriven)
    code, _, err = called(capsys, *argv)
    assert code == cli.USAGE
    assert f"the disk of {tmp_path / 'm'}: expected room; what is finished is kept" in err


def _undriven(*arguments: object) -> None:
    raise SubjectError("it ended with exit code 3")


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("2.1.31",), "--output: expected a folder for what is found, saw nothing"),
        (("2.1.x", "--output=m"), "VERSION: expected releases such as 2.1.31"),
        (("2.1.99", "--output=m"), "release 2.1.99: expected a published one"),
        (("last:2", "--shard=3/2", "--output=m"), "--shard: expected I/N"),
        (("last:2", "--jobs=0", "--output=m"), "--jobs: expected 1 or more, saw 0"),
        (("last:2", "--cache-limit=5", "--output=m"), "--cache-limit: expected a size"),
        (("last:2", "--as=x", "--output=m"), "--as: expected a release such as 2.1.332"),
        (("last:2", "--scenarios=none", "--output=m"), "--scenarios: expected names among"),
        (("last:2", "--scenarios=fuzz", "--output=m"), "--scenarios: expected names among"),
        (("merge",), "matrix merge: expected folders of matrices, saw no folder"),
        (("merge", "a", "b"), "--output: expected a folder for all of them"),
        (("merge", "nowhere"), "expected a folder that cc-harness matrix made"),
        (("check",), "matrix check: expected one, saw 0 folders"),
        (("check", "nowhere"), "expected a folder that cc-harness matrix made"),
    ],
)
def test_bad_input(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CC_OTEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(matrix, "_published", lambda: ["2.1.31", "2.1.332"])
    code, out, err = called(capsys, *argv)
    assert (code, out) == (cli.USAGE, "")
    assert problem in err
    assert list(tmp_path.iterdir()) == [], "nothing is begun"
