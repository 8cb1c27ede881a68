"""The search for the release in which something changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.assessment import looking
from harness.assessment.bisecting import (
    BAD,
    GOOD,
    SKIP,
    Log,
    Look,
    bisect,
    releases_between,
)
from harness.assessment.looking import at_command, requirement_named
from harness.errors import HarnessError, UsageError
from harness.findings import Finding
from harness.judging.verdicts import Row, broken
from harness.subject.binary import Binary

PUBLISHED = [f"2.1.{n}" for n in range(1, 101)]


class Releases:
    """Releases that change in one of them; each look at one is counted."""

    def __init__(self, changed_in: int, skipped: frozenset[int] = frozenset()) -> None:
        self.changed_in = changed_in
        self.skipped = skipped
        self.looked: list[str] = []

    def inspect(self, version: str) -> Look:
        self.looked.append(version)
        number = int(version.rpartition(".")[2])
        if number in self.skipped:
            return Look(version, SKIP, "does not start")
        return Look(version, BAD if number >= self.changed_in else GOOD, f"seen in {version}")


def silent(line: str) -> None:
    """Take progress and say nothing."""


@pytest.mark.parametrize("changed_in", [2, 3, 50, 77, 100])
def test_the_release_is_found_in_few_steps(changed_in: int) -> None:
    releases = Releases(changed_in)
    found = bisect(PUBLISHED, releases.inspect, Log(None, "x"), silent)
    assert found.good == Look(f"2.1.{changed_in - 1}", GOOD, f"seen in 2.1.{changed_in - 1}")
    assert found.bad.version == f"2.1.{changed_in}"
    assert found.skipped == ()
    assert len(releases.looked) <= 2 + 7, "both ends, and a step for each halving"
    assert len(set(releases.looked)) == len(releases.looked)


def test_what_cannot_run_is_passed_over() -> None:
    releases = Releases(50, frozenset(range(40, 61)) - {48, 53})
    found = bisect(PUBLISHED, releases.inspect, Log(None, "x"), silent)
    assert (found.good.version, found.bad.version) == ("2.1.48", "2.1.53")
    assert [look.version for look in found.skipped] == ["2.1.49", "2.1.50", "2.1.51", "2.1.52"]


@pytest.mark.parametrize(
    ("changed_in", "problem"),
    [(1, "2.1.1 was to be good, and is bad"), (101, "2.1.100 was to be bad, and is good")],
)
def test_ends_that_are_not_as_they_were_said_to_be(changed_in: int, problem: str) -> None:
    with pytest.raises(HarnessError, match=problem):
        bisect(PUBLISHED, Releases(changed_in).inspect, Log(None, "x"), silent)


def test_an_interrupted_search_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    whole = Releases(77)
    bisect(PUBLISHED, whole.inspect, Log(path, "x"), silent)
    lines = path.read_text().splitlines(keepends=True)
    # Killed while it wrote its fifth look.
    path.write_text("".join(lines[:5]) + lines[5][:10])
    rest = Releases(77)
    found = bisect(PUBLISHED, rest.inspect, Log(path, "x"), silent)
    assert found.bad.version == "2.1.77"
    assert rest.looked == whole.looked[4:]
    assert path.read_text() == "".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}\n", "a line that is none of a search"),
        ("nonsense\n", "a line that is none of a search"),
        (json.dumps({"search": "y"}) + "\n", "saw the log of 'y'"),
        ("", "a line that is none of a search"),
    ],
)
def test_another_log_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem):
        Log(path, "x")
    assert path.read_text() == text


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--log {tmp_path / 'no' / 'log'}: expected a file"):
        Log(tmp_path / "no" / "log", "x")


def test_releases_in_between() -> None:
    published = ["2.1.2", "2.1.10", "2.1.9", "2.1.31", "2.0.1"]
    assert releases_between("2.1.2", "2.1.31", published) == ["2.1.2", "2.1.9", "2.1.10", "2.1.31"]
    assert releases_between("2.1.10", "2.0.1", published) == ["2.1.10", "2.1.9", "2.1.2", "2.0.1"]


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("2.1.3", "2.1.9", "--good=2.1.3: expected a published version"),
        ("2.1.2", "nine", "--bad=nine: expected a published version"),
        ("2.1.2", "2.1.2", "--bad=2.1.2: expected another release"),
    ],
)
def test_releases_that_are_none(good: str, bad: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        releases_between(good, bad, ["2.1.2", "2.1.9"])


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every release be found at a path, or fail."""

    def make(error: Exception | None = None) -> None:
        def resolve(spec: str, *, progress: Callable[[str], None]) -> Binary:
            if error is not None:
                raise error
            return Binary(spec, ("x",), f"/cache/{spec}", spec.removeprefix("npm:"))

        monkeypatch.setattr(looking, "resolve", resolve)

    return make


@pytest.mark.parametrize(("code", "state"), [(0, GOOD), (1, BAD), (125, SKIP), (7, BAD)])
def test_a_command(installed: Callable[..., None], code: int, state: str) -> None:
    installed()
    script = f"import sys; print('first'); print(sys.argv[1:]); sys.exit({code})"
    command = f'{sys.executable} -c "{script}" {{version}} {{binary}}'
    look = at_command(command, silent)("2.1.31")
    told = f"exit code {code}: ['2.1.31', '/cache/npm:2.1.31']"
    assert look == Look("2.1.31", state, told)


def test_a_release_that_is_not_there_is_passed_over(installed: Callable[..., None]) -> None:
    installed(UsageError("npm:2.1.31", seen="none", expected="one"))
    look = at_command("true", silent)("2.1.31")
    assert look == Look("2.1.31", SKIP, "npm:2.1.31: expected one, saw none")


def test_a_command_that_does_not_run(installed: Callable[..., None]) -> None:
    installed()
    with pytest.raises(UsageError, match="--run: expected a command that runs"):
        at_command("/no/such/command", silent)("2.1.31")


def test_a_promise_by_its_name() -> None:
    found = requirement_named("events.user_prompt.exported", "2.1.332")
    assert found is not None
    assert found.name == "events.user_prompt.exported"
    assert requirement_named("event at_mention", "2.1.332") is None
    with pytest.raises(UsageError, match="expected one that holds for the newer release"):
        requirement_named("events.api_error.request_id.only_of_answers", "2.1.31")


def test_why_a_release_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    requirement = requirement_named("events.user_prompt.exported", "2.1.332")
    assert requirement is not None
    row = replace(
        broken(requirement, "the machine was too busy"),
        findings=(Finding("an event", "nothing", "here"),),
    )

    class Side:
        def rows(self, version: str, only: object) -> list[Row]:
            return [row]

    monkeypatch.setattr(looking, "_side", lambda *_: Side())
    look = looking.at_promise(requirement, "2.1.31", "2.1.332", silent)("2.1.31")
    assert look == Look("2.1.31", SKIP, "the machine was too busy")


def test_a_promise_is_found_where_a_release_mended_it(release: Callable[[str], Binary]) -> None:
    # 2.1.104 sends `undefined` for a status that there is not, 2.1.105 leaves it out.
    requirement = requirement_named("events.api_error.status_code.only_of_answers", "2.1.105")
    assert requirement is not None
    for version in ("2.1.104", "2.1.105"):
        release(version)
    inspect = looking.at_promise(requirement, "2.1.104", "2.1.105", silent)
    found = bisect(["2.1.104", "2.1.105"], inspect, Log(None, "x"), silent)
    assert found.good.evidence.startswith('broken: "undefined" (string)')
    assert found.bad.evidence == "kept: as promised"
