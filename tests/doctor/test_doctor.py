"""What the doctor says of machines that lack something."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from harness import cli
from harness.doctor import machine, packages, programs, subjects
from harness.doctor.parts import parts
from harness.doctor.probe import Found, Part, State, Told, look, verdict
from harness.errors import HarnessError, UsageError
from harness.extras import SUITE
from harness.keeping import network
from harness.subject import npm


def found(listed: Sequence[Part], name: str) -> Found:
    (told,) = look(part for part in listed if part.name == name)
    return told.found


def nothing(*_: object, **__: object) -> None:
    return None


def fails(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_machine_that_judges_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    """This one is: the tests beside this one judge."""
    assert cli.main(["doctor", "--offline", "--json"]) == cli.OK
    told = json.loads(capsys.readouterr().out)
    assert told["able"] is True
    states = {each["part"]: each["state"] for each in told["parts"]}
    assert "stops" not in states.values()
    assert [name for name, state in states.items() if state == "ok"][:2] == [
        "python",
        "extra suite",
    ]
    assert all(
        each["without"] and each["change"] for each in told["parts"] if each["state"] != "ok"
    )
    assert cli.main(["doctor", "--offline"]) == cli.OK
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == told["why"]
    assert [line[7:25].strip() for line in lines if line[:6].strip()] == [*states]


def test_it_runs_without_the_extra_and_says_so() -> None:
    code = (
        f"import sys\nfor name in {SUITE!r}: sys.modules[name] = None\n"
        "from harness.__main__ import main\nsys.exit(main())"
    )
    command = [sys.executable, "-c", code, "doctor", "--offline"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert (done.returncode, done.stderr) == (cli.FAILED, "")
    assert "stops  extra suite" in done.stdout
    assert "pip install 'pytest-cc-otel[suite]'" in done.stdout
    assert done.stdout.endswith("cannot judge a CLI here, for want of: extra suite\n")


@pytest.mark.parametrize(
    ("stopped", "says"),
    [
        ([], "can judge a CLI here, with everything there is"),
        ([State.ABSENT], "can judge a CLI here, with everything there is"),
        ([State.LESS], "can judge a CLI here; with less than there could be: 0"),
        ([State.LESS, State.STOPS, State.STOPS], "cannot judge a CLI here, for want of: 1, 2"),
    ],
)
def test_the_verdict_names_what_is_lacking(stopped: list[State], says: str) -> None:
    told = [Told(str(number), Found(state, "")) for number, state in enumerate(stopped)]
    assert verdict(told) == (State.STOPS not in stopped, says)


def test_a_part_that_cannot_be_looked_at_is_not_there() -> None:
    broken = fails(HarnessError("broken"))
    first, second = look([Part("one", broken), Part("two", broken, needed=True)])  # type: ignore[arg-type]
    assert (first.found.state, second.found.state) == (State.LESS, State.STOPS)
    assert first.found.seen == "it cannot be looked at: broken"


def test_names_of_parts_are_told_once() -> None:
    names = [part.name for part in parts(offline=True)]
    assert len(names) == len({*names}) > 20


def test_a_want_of_the_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "check_loopback", fails(OSError("no")))
    monkeypatch.setattr(
        machine, "check_descriptors", fails(UsageError("n", seen="5", expected="9"))
    )
    monkeypatch.setattr(machine, "free_in", lambda _: 5.0)
    monkeypatch.setattr("pty.openpty", fails(OSError("no")))
    monkeypatch.setattr(machine, "why_not_apart", lambda: "not permitted")
    monkeypatch.setattr(machine, "_listens", lambda port: port == 4317)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", nothing)
    states = {told.name: told.found.state for told in look(machine.parts())}
    stops = {"loopback", "open files", "room"}
    assert {name for name, state in states.items() if state is State.STOPS} == stops
    assert {name for name, state in states.items() if state is State.LESS} == {*states} - stops
    assert found(machine.parts(), "open files").change == "ulimit -n: 9"
    assert found(machine.parts(), "usual ports").seen == "something listens at 4317"


def test_a_want_of_programs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(programs.parts(), "git").state is State.OK
    assert programs.version_of("/nowhere/program").startswith("it cannot be run: ")
    monkeypatch.setattr(programs, "version_of", lambda _: "2.27.1")
    assert found(programs.parts(), "git").state is State.STOPS
    monkeypatch.setattr("shutil.which", nothing)
    states = {told.name: told.found.state for told in look(programs.parts())}
    assert states.pop("git") is State.STOPS
    assert {name for name, state in states.items() if state is State.LESS} == {"bash", "unshare"}


def test_a_want_of_packages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(packages.parts(("json", "nothing.like", "nor_this")), "extra suite").seen == (
        "no nothing.like, nor_this"
    )
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "latin-1")
    python = found(packages.parts(()), "python")
    assert (python.state, python.change[:17]) == (State.STOPS, "a locale of UTF-8")


def test_a_want_of_subjects_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv(npm.CACHE_VARIABLE, str(cache))
    listed = subjects.parts(offline=True)
    monkeypatch.setattr("shutil.which", nothing)
    assert found(listed, "subject").seen == "--cc-binary=reference"
    monkeypatch.setattr("importlib.util.find_spec", nothing)
    assert found(listed, "subject").state is State.STOPS
    for version in ("2.1.9", "2.1.31", "2.1.100"):
        (cache / "npm" / f"{version}-linux-x64").mkdir(parents=True)
    assert found(listed, "subject").seen == "--cc-binary=npm:2.1.100 (in the cache)"
    assert found(listed, "cache").seen.endswith("releases in it: 2.1.9, 2.1.31, 2.1.100")
    monkeypatch.setattr(subjects, "free_in", lambda _: 5.0)
    assert found(listed, "cache").state is State.LESS
    monkeypatch.setattr(subjects, "find_npm", nothing)
    assert found(listed, "node and npm").state is State.LESS
    monkeypatch.setattr(subjects, "namespace", lambda: ())
    assert "--cc-allow-managed-settings" in found(listed, "mount namespace").change


def test_a_registry_that_is_not_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UsageError("network", seen="npm cannot reach it:\nmore", expected="one")
    monkeypatch.setattr(npm, "published", fails(error))
    monkeypatch.setattr(subjects, "find_npm", lambda: True)
    subjects._registry.cache_clear()
    asked = found(subjects.parts(offline=False), "registry")
    assert (asked.state, asked.seen) == (State.LESS, "npm cannot reach it:")
    subjects._registry.cache_clear()
