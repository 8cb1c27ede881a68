"""Whatever is wrong with what we are given, one sentence says what to change, and nothing stays.

Each row is shown where it costs least: by the function that refuses it, by a command in this
process, and by a session of pytest's own only where nothing else would show it.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import cli, shortage
from harness.contract.versions import check_promised
from harness.errors import HarnessError
from harness.judging.crowding import most_crowded
from harness.running.shortages import ShortageWatch
from harness.subject import node, npm
from harness.subject.binary import check_encoding, resolve
from harness.subject.sandbox import Sandbox

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]


class Place:
    """A folder with all sorts of things in it that are no subject."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch

    def script(self, text: str, name: str = "claude", shebang: str = "#!/bin/sh") -> Path:
        return self.file(f"{shebang}\n{text}\n".encode(), name)

    def file(self, content: bytes, name: str = "claude", mode: int = 0o755) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def npm(self, text: str) -> str:
        """Put a stand-in for npm on PATH; return a release for it to install."""
        self.script(text, "npm")
        self.monkeypatch.setenv("PATH", str(self.folder), prepend=os.pathsep)
        self.monkeypatch.setenv(npm.CACHE_VARIABLE, str(self.folder / "cache"))
        return "npm:2.1.31"

    def without(self, *programs: str) -> None:
        """Leave nothing on PATH."""
        self.monkeypatch.setenv("PATH", str(self.folder / "empty"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place to be wrong in; whatever is refused in it leaves no temporary file behind."""
    made = tmp_path / "place"
    made.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(made)
    yield Place(made, monkeypatch)
    assert list(temporary.iterdir()) == []


def subject(spec: str | Path, deadline_s: float = 30.0) -> None:
    resolve(str(spec), progress=lambda line: None, version_deadline_s=deadline_s)


def _fifo(place: Place) -> None:
    os.mkfifo("fifo", 0o700)
    subject("./fifo")


def _socket(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        subject("./socket")


def _link(place: Place) -> None:
    os.symlink("nowhere", "link")
    subject("./link")


def _loop(place: Place) -> None:
    os.symlink("loop", "loop")
    subject("./loop")


def _no_node(place: Place) -> None:
    path = place.script("", shebang="#!/usr/bin/env node")
    place.without("node")
    place.monkeypatch.setattr(node, "packaged_bin", lambda: None)
    subject(path)


def _no_npm(place: Place) -> None:
    place.without("npm")
    place.monkeypatch.setattr(node, "packaged_bin", lambda: None)
    place.monkeypatch.setenv(npm.CACHE_VARIABLE, str(place.folder / "cache"))
    subject("npm:2.1.31")


def _cache_is_a_file(place: Place) -> None:
    spec = place.npm("exit 0")
    place.file(b"", "cache")
    subject(spec)


def _no_git(place: Place) -> None:
    place.without("git")
    with Sandbox():
        pass


def _no_tmpdir(place: Place) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nonexistent/folder")
        with Sandbox():
            pass


def _variable(value: str) -> Callable[[Place], None]:
    def set_and_read(place: Place) -> None:
        place.monkeypatch.setenv("CC_OTEL_MOST_CROWDED", value)
        most_crowded()

    return set_and_read


def _limit(soft: int, hard: int, runs: int) -> Callable[[Place], None]:
    def ask(place: Place) -> None:
        place.monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
        shortage.check_descriptors(runs)

    return ask


def _nearly_all_open(place: Place) -> None:
    place.monkeypatch.setattr(resource, "getrlimit", lambda which: (5, 5))
    with ShortageWatch() as watch:
        watch.check()


def _room(free: int) -> Callable[[Place], None]:
    def ask(place: Place) -> None:
        usage = SimpleNamespace(free=free)
        place.monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
        shortage.check_space([place.folder])

    return ask


def _room_gone(place: Place) -> None:
    place.monkeypatch.setattr(shortage, "free_in", lambda folder: 0.0)
    with ShortageWatch([place.folder]) as watch:
        watch.check()


def _want(error: BaseException) -> Callable[[Place], None]:
    def tell(place: Place) -> None:
        try:
            raise HarnessError("a run failed") from error
        except HarnessError as wrapped:
            want = shortage.want_of(wrapped)
        assert want is not None
        raise want

    return tell


def _os_error(number: int, file: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), file)


def _at(spec: str) -> Callable[[Place], None]:
    return lambda place: subject(spec)


def _script(text: str, deadline_s: float = 30.0, shebang: str = "#!/bin/sh") -> Any:
    return lambda place: subject(place.script(text, shebang=shebang), deadline_s)


def _npm_says(text: str) -> Callable[[Place], None]:
    return lambda place: subject(place.npm(text))


#: By name: what is done, and what the one sentence names.
ROWS: dict[str, tuple[Callable[[Place], None], str]] = {
    # Binaries.
    "no binary": (_at(""), "--cc-binary: expected a path"),
    "blanks": (_at("  "), "--cc-binary: expected a path"),
    "a missing path": (_at("./claude"), "--cc-binary=./claude: * saw no such file"),
    "a missing name": (_at("no-such-claude"), "saw no executable 'no-such-claude' on PATH"),
    "a name that is a file": (
        lambda place: subject(place.file(b"", "own").name),
        "(for the file of that name here, say ./own)",
    ),
    "a folder": (_at("./"), "--cc-binary=./: expected an executable file, saw a folder"),
    "a file in a file": (lambda place: subject(place.file(b"") / "x"), "saw no such file"),
    "a long name": (_at(f"./{'x' * 5000}"), "expected an executable file"),
    "a byte that is no UTF-8": (_at("./caf\udce9"), "saw no such file: *caf\\udce9"),
    "an escape sequence": (_at("./\033[2J"), "--cc-binary=./\\x1b[2J: expected an executable"),
    "a NUL": (_at("./x\0y"), "--cc-binary=./x\\x00y: expected an executable file"),
    "not executable": (
        lambda place: subject(place.file(b"x", mode=0o644)),
        "saw a file that is not executable",
    ),
    "a FIFO": (_fifo, "--cc-binary=./fifo: expected an executable file, saw no regular file"),
    "a socket": (_socket, "saw no regular file"),
    "a device": (_at("/dev/null"), "--cc-binary=/dev/null: expected an executable file"),
    "a link to nothing": (_link, "saw no such file"),
    "a link to itself": (_loop, "saw no such file"),
    "another architecture": (
        lambda place: subject(place.file(b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0\xff\xff")),
        "cannot be started: *Exec format error",
    ),
    "an empty file": (lambda place: subject(place.file(b"")), "cannot be started: *Exec format"),
    "no interpreter": (_script("", shebang="#!/no/such/shell"), "cannot be started: *No such file"),
    "no node": (_no_node, "PATH: expected Node.js, to run *claude"),
    "exits at once": (_script("echo no licence; exit 3"), "saw exit code 3; last output:?no lic"),
    "dies": (_script("kill -SEGV $$"), "saw signal 11 (SIGSEGV); last output:"),
    "hangs": (_script("exec sleep 600", 0.2), "saw no end after 0.2 s"),
    "tells no version": (_script("echo hello"), "saw no version; its output:?hello"),
    "prints noise": (_script("head -c 300000 /dev/zero"), "saw no version; its output"),
    "is another program": (_script("echo git version 2.47.3"), "to print a version such as"),
    "of no version": (_at("reference:latest"), "saw 'latest' as the version"),
    "of an empty version": (_at("reference:"), "saw '' as the version"),
    "older than all documents": (
        lambda place: check_promised("2.0.34", "--cc-binary=npm:2.0.34"),
        "--cc-binary=npm:2.0.34: expected a release from 2.1.31 on: no document of ours speaks",
    ),
    "much older": (lambda place: check_promised("1.0.88", "--as 1.0.88"), "saw claude 1.0.88"),
    # npm.
    "npm: nothing": (_at("npm:"), "saw '' after 'npm:'"),
    "npm: half a version": (_at("npm:2.1"), "such as npm:2.1.31 or npm:latest"),
    "npm: a range": (_at("npm:^2.1.0"), "saw '^2.1.0' after 'npm:'"),
    "npm: a path": (_at("npm:../x"), "saw '../x' after 'npm:'"),
    "npm: an option": (_at("npm:--global"), "saw '--global' after 'npm:'"),
    "npm: absent": (_no_npm, "PATH: expected * saw no npm on it"),
    "npm: unknown version": (
        _npm_says("echo npm error code ETARGET >&2; exit 1"),
        "--cc-binary=npm:2.1.31: * saw npm knows no such release",
    ),
    "npm: unreachable": (
        _npm_says("echo npm error code ECONNREFUSED >&2; exit 1"),
        "network*ECONNREFUSED",
    ),
    "npm: no such host": (_npm_says("echo npm error code ENOTFOUND >&2; exit 1"), "network*"),
    "npm: a full disk": (_npm_says("echo npm error code ENOSPC >&2; exit 1"), "the disk: expected"),
    "npm: fails": (_npm_says("echo npm error code EWEIRD >&2; exit 7"), "failed with exit code 7"),
    "npm: installs nothing": (_npm_says("exit 0"), "no executable of @anthropic-ai/claude-code"),
    "npm: a cache that is a file": (_cache_is_a_file, "environment variable CC_OTEL_CACHE"),
    # The machine and its variables.
    "no git": (_no_git, "PATH: expected git, for the subject's work tree, saw no git on it"),
    "no folder for temporary files": (_no_tmpdir, "environment variable TMPDIR: expected a writ"),
    "a bound that is no number": (_variable("many"), "CC_OTEL_MOST_CROWDED: expected a number"),
    "a bound below 0": (_variable("-1"), "CC_OTEL_MOST_CROWDED: expected a number"),
    "a bound that is nan": (_variable("nan"), "CC_OTEL_MOST_CROWDED: expected a number"),
    "Latin-1": (lambda place: check_encoding("iso8859-1"), "the locale (LC_ALL, *C.UTF-8"),
    "ASCII": (lambda place: check_encoding("ascii"), "saw one whose encoding is ascii"),
    "64 descriptors": (_limit(64, 64, 3), "ulimit -n: expected 109 at least, for 3 runs side by"),
    "100 descriptors": (_limit(64, 100, 12), "ulimit -n: expected 244 at least*at most 100 open"),
    "descriptors run out": (_nearly_all_open, "ulimit -n: expected more of them, saw * of 5 open"),
    "600 KB of room": (_room(600_000), "the room in *: expected 32 MiB at least*saw 0.6 MiB"),
    "room runs out": (_room_gone, "the room in *hardly any left while sessions ran"),
    "ENOSPC": (_want(_os_error(errno.ENOSPC, "/d/f")), "the room in /d/f: expected 32 MiB"),
    "EDQUOT": (_want(_os_error(errno.EDQUOT)), "the room in "),
    "EROFS": (_want(_os_error(errno.EROFS, "/d")), "the room in /d"),
    "EMFILE": (_want(_os_error(errno.EMFILE)), "ulimit -n: expected more open files"),
    "ENFILE": (_want(_os_error(errno.ENFILE)), "ulimit -n: expected more open files"),
    "EAGAIN": (_want(_os_error(errno.EAGAIN)), "ulimit -u: expected more processes"),
    "no thread": (_want(RuntimeError("can't start new thread")), "ulimit -u: expected more proc"),
    "ENOMEM": (_want(_os_error(errno.ENOMEM)), "memory: expected more of it"),
    "MemoryError": (_want(MemoryError()), "memory: expected more of it"),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_cannot_be_used_is_told_in_one_sentence(name: str, place: Place) -> None:
    act, words = ROWS[name]
    with pytest.raises(HarnessError) as told:
        act(place)
    text = str(told.value)
    pytest.LineMatcher([text.replace("\n", " ")]).fnmatch_lines([f"*{_literal(words)}*"])
    assert "Traceback" not in text
    assert "\033" not in text


def _literal(words: str) -> str:
    return words.replace("[", "[[]")


COMMANDS: dict[str, tuple[list[str], str]] = {
    "judge nothing": (["judge", "/nonexistent"], "capture folder /nonexistent: expected a folder"),
    "judge a file": (["judge", "file"], "capture folder *file: expected a folder"),
    "judge no recording": (["judge", "."], "capture folder .: expected a folder that"),
    "compare nothing": (["diff", "missing.json", "missing.json"], "missing.json"),
    "compare a text": (["diff", "file.json", "file.json"], "file.json"),
    "a matrix nowhere": (["matrix", "2.1.31"], "--output"),
    "a release that is none": (["requirements", "--version", "new"], "--version: expected a rel"),
    "a schema that is none": (["schema", "x", "--version", "2.1.31"], "schema x: expected a req"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_cannot_be_followed_ends_with_2(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.file(b"no recording", "file", 0o644)
    place.file(b"no inventory", "file.json", 0o644)
    argv, words = COMMANDS[name]
    assert cli.main(argv) == cli.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    pytest.LineMatcher([err]).fnmatch_lines([f"cc-harness: *{words}*"])


def test_a_working_directory_that_was_deleted_is_told_in_one_sentence(tmp_path: Path) -> None:
    shell = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"'
    command = (sys.executable, "-P", "-m", "harness", "judge", "kept")
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("the working directory: expected a folder that still exists")


def test_a_soft_limit_is_raised_as_far_as_a_run_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    shortage.check_descriptors(12)
    shortage.check_descriptors(1)
    assert asked == [(244, 4096)]


@pytest.mark.parametrize("error", [ValueError("x"), _os_error(errno.ENOENT), RuntimeError("x")])
def test_what_is_no_want_of_the_machine_is_left_alone(error: BaseException) -> None:
    assert shortage.want_of(error) is None


def test_a_profile_that_nobody_knows_is_refused(run_here: Run) -> None:
    result = run_here("--cc-binary=reference", "--hypothesis-profile=nosuch")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --hypothesis-profile=nosuch: expected quick, ci, deep*"])
    assert "INTERNALERROR" not in result.stdout.str()


def test_a_folder_without_room_is_refused(run_here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "free_in", lambda folder: 1000.0)
    result = run_here("--cc-binary=reference", "--cc-report=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --cc-report=out: expected a folder with room for *"])


def test_a_fault_that_stops_all_is_told_once(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without git nothing can be recorded: 652 promises said so once, each in six lines."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    result = run("--cc-binary=reference", "--junit-xml=junit.xml", "--cc-report=out", timeout=300)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    sentence = "PATH: expected git, for the subject's work tree, saw no git on it"
    assert result.outlines.count(sentence) == 1
    assert len(result.outlines) < 50
    junit = (pytester.path / "junit.xml").read_text(encoding="utf-8")
    assert (junit.count("<error "), junit.count("<failure")) == (1, 0)


@pytest.mark.slow
def test_workers_tell_it_once_together(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    result = run("--cc-binary=reference", "-n", "2", "-k", "transport", timeout=300)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.parseoutcomes()["errors"] == 1


@pytest.mark.slow
def test_what_a_user_has_set_changes_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No HOME, no input, proxies, a strict umask, and variables of the subject's own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name, value in {
        "NO_PROXY": "example.com",
        "OTEL_SDK_DISABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_RESOURCE_ATTRIBUTES": "a=b",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "0",
        "CLAUDE_CONFIG_DIR": "/nonexistent",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "LC_ALL": "C",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HOME", raising=False)
    folder = tmp_path / "a folder, with ümläuts"
    folder.mkdir()
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cc-binary=reference"),
        *("--cc-scenarios=identity", "--cc-report=r", "transport.accepted"),
    ]
    shell = 'umask 077; exec "$@" <&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK: no deviation was seen" in done.stdout
    assert stat.S_IMODE((folder / "r" / "record.jsonl").stat().st_mode) == 0o644
