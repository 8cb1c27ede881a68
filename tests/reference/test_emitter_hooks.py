"""The hooks of the conforming emitter: which run, and what is logged of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.contract.versions import Version
from harness.reference.hooks import Hooks, configured
from harness.reference.settings_files import Levels
from harness.reference.tools import ToolContext
from harness.reference.versions import Promises

Logged = list[tuple[str, Mapping[str, Any]]]


def settings(*hooks: tuple[str, str, str]) -> dict[str, Any]:
    """Return a settings object with commands, each of an event and a matcher."""
    events: dict[str, list[Any]] = {}
    for event, matcher, command in hooks:
        hook = {"type": "command", "command": command, "timeout": 30}
        events.setdefault(event, []).append({"matcher": matcher, "hooks": [hook]})
    return {"hooks": events}


def hooks_of(
    levels: Levels, folder: Path, version: str = "2.1.240", *, details: bool = False
) -> tuple[Hooks, Logged]:
    logged: Logged = []
    promises = Promises.of(Version.parse(version))
    made = Hooks(
        configured(levels, promises),
        promises,
        lambda name, attributes: logged.append((name, attributes)),
        ToolContext(folder, {"PATH": "/usr/bin:/bin"}),
        session_id="s",
        details=details,
    )
    return made, logged


@pytest.mark.parametrize("details", [False, True])
def test_each_hook_of_each_level_is_registered(tmp_path: Path, details: bool) -> None:
    user, flag = settings(("Stop", "", "true")), settings(("PreToolUse", "Bash", "true"))
    levels = Levels(own=(user, {}, {}, flag), managed=settings(("Stop", "", "false")))
    hooks, logged = hooks_of(levels, tmp_path, details=details)

    hooks.register()

    assert {name for name, _ in logged} == {"hook_registered"}
    told = [(a["hook_event"], a["hook_source"], a.get("hook_matcher")) for _, a in logged]
    assert told == [
        ("Stop", "userSettings", None),
        ("PreToolUse", "flagSettings", "Bash" if details else None),
        ("Stop", "policySettings", None),
    ]


def test_hooks_are_counted_by_how_they_end(tmp_path: Path) -> None:
    commands = ("exit 0", "exit 2", "exit 7", "exit 3")
    user = settings(*(("PreToolUse", "Bash|Read", command) for command in commands))
    hooks, logged = hooks_of(Levels(own=(user, {}, {}, {})), tmp_path)

    assert hooks.run("PreToolUse", "Read")

    (start, begun), (end, ended) = logged
    assert (start, end) == ("hook_execution_start", "hook_execution_complete")
    assert begun["hook_name"] == ended["hook_name"] == "PreToolUse:Read"
    assert begun["num_hooks"] == ended["num_hooks"] == 4
    counts = [ended[f"num_{each}"] for each in ("success", "blocking", "non_blocking_error")]
    assert counts == [1, 1, 2]


def test_a_hook_that_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    user = settings(("Stop", "", "exec sleep 600"))
    user["hooks"]["Stop"][0]["hooks"][0]["timeout"] = 0.05
    hooks, logged = hooks_of(Levels(own=(user, {}, {}, {})), tmp_path)

    assert not hooks.run("Stop")

    assert logged[-1][1]["num_cancelled"] == 1
    assert logged[-1][1]["total_duration_ms"] >= 50


def test_hooks_are_told_what_happened(tmp_path: Path) -> None:
    told = tmp_path / "told"
    user = settings(("Stop", "", f"cat > {shlex.quote(str(told))}"))
    hooks, _ = hooks_of(Levels(own=(user, {}, {}, {})), tmp_path)

    hooks.run("Stop", reason="enough")

    text = told.read_text(encoding="utf-8")
    assert text == '{"session_id": "s", "hook_event_name": "Stop", "reason": "enough"}'


@pytest.mark.parametrize("subject", ["Write", "Bash2", ""])
def test_nothing_is_logged_where_no_hook_matches(tmp_path: Path, subject: str) -> None:
    user = settings(("PreToolUse", "Bash", "false"))
    hooks, logged = hooks_of(Levels(own=(user, {}, {}, {})), tmp_path)

    assert not hooks.run("PreToolUse", subject)
    assert not logged


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2.1.113", set()),
        ("2.1.116", {"hook_execution_start", "hook_execution_complete"}),
        ("2.1.139", {"hook_registered", "hook_execution_start", "hook_execution_complete"}),
    ],
)
def test_older_releases_log_less(tmp_path: Path, version: str, names: set[str]) -> None:
    user = settings(("Stop", "", "exit 2"))
    hooks, logged = hooks_of(Levels(own=(user, {}, {}, {})), tmp_path, version)

    hooks.register()
    assert hooks.run("Stop")

    assert {name for name, _ in logged} == names
    assert all("safe_mode" not in attributes for _, attributes in logged)
