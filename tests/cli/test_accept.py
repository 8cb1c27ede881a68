"""Lists of accepted deviations with ``cc-harness judge`` and ``cc-harness diff``."""

from __future__ import annotations

import json
import re
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.assessment.recording import RecordingPlan, record_once
from harness.judging.listing import packaged_listing
from harness.record import jsonl
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS

#: Our list says that releases break it, and the emitter keeps it.
GONE = "metrics.lines_of_code_count.counted_new_file"
#: The emitter is made to break it.
BROKEN = "events.user_prompt.prompt.redacted_by_default"
MEASURED, NEWER = packaged_listing().newest_measured, "2.1.999"
REASON = "It has been read, and nobody minds."

#: Called by its path, the emitter is taken for the release that it emulates.
EMITTER = f"""#!/bin/sh
export OTEL_LOG_USER_PROMPTS=1
exec {sys.executable} -m harness.themes.emitter --emulate {MEASURED} "$@"
"""


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was recorded of the newest release that our list was measured on."""
    folder = tmp_path_factory.mktemp("accepting")
    claude = folder / "claude"
    claude.write_text(EMITTER)
    claude.chmod(claude.stat().st_mode | stat.S_IXUSR)
    kept = folder / "kept"
    kept.mkdir()
    plan = RecordingPlan(
        resolve(str(claude), progress=print),
        (SCENARIOS["new_file"],),
        300.0,
        kept,
        selected=(GONE, BROKEN),
    )
    assert record_once(plan, print).summary.problem == ""
    return kept


@pytest.fixture
def newer(measured: Path, tmp_path: Path) -> Path:
    """The same recording, as if it were of a release that does not exist yet."""
    folder = tmp_path / "newer"
    shutil.copytree(measured, folder)
    for path in folder.rglob("*.json*"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(MEASURED, NEWER), encoding="utf-8")
    return folder


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call ``cc-harness``: the exit code, what it prints, and its errors."""

    def make(*argv: str | Path) -> tuple[int, str, str]:
        code = cli.main([str(each) for each in argv])
        return code, *capsys.readouterr()

    return make


def reviewed(path: Path, **more: Any) -> Path:
    """Give each entry of a file of proposals a reason, and whatever else."""
    data = json.loads(path.read_text(encoding="utf-8"))
    entries = [{**entry, "reason": REASON, **more} for entry in data["deviations"]]
    path.write_text(json.dumps({**data, "deviations": entries}), encoding="utf-8")
    return path


def test_on_a_measured_release_what_is_gone_fails(measured: Path, call: Call) -> None:
    code, out, _ = call("judge", "-v", measured)
    assert code == cli.FAILED
    assert re.findall(r"^  (\w+) (\S+)$", out, re.MULTILINE) == [("FIXED", GONE), ("FAIL", BROKEN)]
    assert "good news" not in out
    assert "new in this release" not in out


def test_on_a_newer_one_it_is_good_news_and_what_is_broken_is_new(
    newer: Path, tmp_path: Path, call: Call
) -> None:
    code, out, _ = call("judge", "-v", newer, "--report", tmp_path / "report")
    assert code == cli.FAILED
    assert re.findall(r"^  (FIXED|FAIL) (\S+)$", out, re.MULTILINE) == [("FAIL", BROKEN)]
    assert f"good news: deviations that are gone in this release (1)\n  {GONE}\n" in out
    new = f"new in this release: {MEASURED}, the newest release that was measured, keeps"
    assert f"    news      {new} the promise\n" in out
    rows = {row.requirement: row for row in jsonl.read(tmp_path / "report" / "record.jsonl").rows}
    assert (rows[GONE].verdict, rows[BROKEN].verdict) == ("pass", "fail")
    assert "is gone: " in rows[GONE].news
    assert rows[BROKEN].news.startswith(new)
    page = (tmp_path / "report" / "summary.md").read_text(encoding="utf-8")
    assert f"### FAIL `{BROKEN}` (new in this release)" in page
    assert f"* `{GONE}`: a deviation that schemas/expectations.json lists up to" in page


def test_a_failure_is_proposed_read_accepted_and_expires(
    newer: Path, tmp_path: Path, call: Call
) -> None:
    file = tmp_path / "accepted.json"
    assert "1 entry in" in call("judge", newer, "--accept", file)[1]
    # Nobody accepts what was not read.
    code, out, err = call("judge", newer, "--expectations", file)
    assert (code, out) == (cli.USAGE, "")
    assert f"--expectations {file} at $.deviations[0].reason: expected a sentence" in err
    # What is there already is not written over.
    code, out, err = call("judge", newer, "--accept", file)
    assert (code, out) == (cli.USAGE, "")
    assert f"--accept {file}: expected a new file, or the list" in err

    code, out, _ = call("judge", "-v", newer, "--expectations", reviewed(file), "--accept", file)
    assert code == cli.OK
    assert f"    {BROKEN} (listed in --expectations {file})" in out
    assert f"--expectations {file}: 1 seen again\n" in out
    assert "proposed   nothing" in out

    code, out, _ = call(
        "judge", "-v", newer, "--expectations", reviewed(file, expires="2001-01-01")
    )
    assert code == cli.FAILED
    accepted = f"accepted until 2001-01-01 by --expectations {file}: {REASON}"
    assert f"    news      {accepted}\n" in out
    assert f"  expired: {BROKEN} (accepted until 2001-01-01: {REASON})\n" in out


def test_what_a_recording_was_made_with_is_judged_as_of_its_day(
    newer: Path, tmp_path: Path, call: Call
) -> None:
    file = tmp_path / "accepted.json"
    call("judge", newer, "--accept", file)
    listed = json.loads(reviewed(file, expires="2001-01-01").read_text(encoding="utf-8"))
    head, *rest = (newer / "record.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    header = json.loads(head)
    own = {"file": "own.json", "deviations": listed["deviations"]}
    header["plan"]["expectations"] = own
    for day, code in (("2001-01-01", cli.OK), ("2001-01-02", cli.FAILED)):
        header["started"] = header["ended"] = f"{day}T12:00:00.000000Z"
        text = "".join([json.dumps(header) + "\n", *rest])
        (newer / "record.jsonl").write_text(text, encoding="utf-8")
        assert call("judge", newer)[0] == code


@pytest.fixture
def inventories(measured: Path, newer: Path, tmp_path: Path, call: Call) -> tuple[Path, Path]:
    """Two sides of a comparison: the newer one no longer sends an event, and an attribute."""
    made = []
    for name, folder in (("old", measured), ("new", newer)):
        path = tmp_path / f"{name}.json"
        assert call("inventory", folder, "--output", path)[0] == cli.OK
        made.append(path)
    stock = json.loads(made[1].read_text(encoding="utf-8"))
    del stock["events"]["tool_decision"]
    del stock["events"]["tool_result"]["attributes"]["duration_ms"]
    made[1].write_text(json.dumps(stock), encoding="utf-8")
    return made[0], made[1]


def test_differences_are_proposed_read_and_accepted(
    inventories: tuple[Path, Path], tmp_path: Path, call: Call
) -> None:
    file = tmp_path / "accepted.json"
    diff = ("diff", *inventories, "--fail-on", "breaking")
    code, before, err = call(*diff, "--accept", file)
    assert code == cli.FAILED
    assert "entries in" in err
    names = [each["differences"] for each in json.loads(file.read_text())["deviations"]]
    assert ["event tool_decision: gone"] in names
    assert ["attribute duration_ms: gone"] in names
    assert all(f"  {name}\n" in before for (name,) in names)
    assert call(*diff, "--expectations", file)[0] == cli.USAGE

    code, out, _ = call(*diff, "--expectations", reviewed(file))
    assert code == cli.OK
    assert f"  accepted: event tool_decision: gone ({REASON})\n" in out
    assert "BREAKING" not in out
    code, out, _ = call(*diff, "--expectations", file, "--format", "json")
    told = json.loads(out)
    assert code == cli.OK
    assert [each["subject"] for each in told["accepted"]].count("event tool_decision") == 1
    assert "## Accepted: " in call(*diff, "--expectations", file, "--format", "markdown")[1]

    code, out, _ = call(*diff, "--expectations", reviewed(file, expires="2001-01-01"))
    assert code == cli.FAILED
    assert "  expired: event tool_decision: gone (accepted until 2001-01-01" in out


def test_an_accepted_difference_that_is_not_seen_is_told(
    inventories: tuple[Path, Path], tmp_path: Path, call: Call
) -> None:
    file = tmp_path / "accepted.json"
    listed = entry(requirements=None, differences=["event at_mention: gone"])
    file.write_text(json.dumps({"deviations": [listed]}))
    out = call("diff", *inventories, "--expectations", file)[1]
    assert f"  gone: event at_mention: gone (take it off the list: {REASON})\n" in out


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry that can be used, but for these changes; a field of None is left out."""
    usual = {"requirements": [BROKEN], "reason": REASON, "evidence": "Seen in November 2026."}
    return {name: value for name, value in (usual | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("", "own.json: expected a JSON file, saw no JSON"),
        ({"format": 7}, "at $.format: expected format 1, the one that this version of"),
        (
            [entry(requirements=[f"{BROKEN}s"])],
            f"own.json: expected names of requirements, such as {BROKEN}, saw {BROKEN}s",
        ),
        (
            [entry(requirements=None, differences=["promise no.such: is now broken"])],
            "own.json: expected names of requirements, saw no.such",
        ),
        ([entry(since="2.1.9", until="2.1.8")], "expected a range with a release in it"),
        ([entry(since="latest")], "at $.deviations[0].since: expected a release such as 2.1.332"),
        ([entry(expires="2027-02-30")], "at $.deviations[0].expires: expected a day such as"),
        ([entry(expires=7)], "at $.deviations[0].expires: expected a day such as"),
    ],
)
def test_a_list_that_is_none_is_one_error(
    measured: Path, tmp_path: Path, call: Call, listing: Any, message: str
) -> None:
    file = tmp_path / "own.json"
    data = {"deviations": listing} if isinstance(listing, list) else listing
    file.write_text(json.dumps(data) if data else "")
    code, out, err = call("judge", measured, "--expectations", file)
    assert (code, out) == (cli.USAGE, "")
    assert err.count("\n") == 1
    assert message in err


def test_a_file_that_cannot_be_used(measured: Path, tmp_path: Path, call: Call) -> None:
    missing = tmp_path / "none" / "own.json"
    for option, message in (
        ("--expectations", "own.json: expected a file of JSON, saw [Errno 2]"),
        ("--accept", "own.json: expected a file in a folder that is there, saw no such folder"),
    ):
        for argv in (("judge", measured), ("diff", measured, measured)):
            code, out, err = call(*argv, option, missing)
            assert (code, out) == (cli.USAGE, "")
            assert message in err
