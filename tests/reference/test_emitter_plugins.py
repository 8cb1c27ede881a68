"""The plugins of the conforming emitter: what is logged of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.contract.versions import Version
from harness.reference.plugins import Plugin, hooks_of, report
from harness.reference.versions import Promises


def reported(folder: Path, version: str, *, details: bool) -> list[tuple[str, Any]]:
    logged: list[tuple[str, Any]] = []
    promises = Promises.of(Version.parse(version))
    report([Plugin.at(folder)], promises, lambda *told: logged.append(told), details=details)
    return logged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a plugin with a version, two commands and a hook."""
    for name, text in {
        ".claude-plugin/plugin.json": json.dumps({"name": "tidy", "version": "1.2.3"}),
        "commands/mop.md": "Mop.",
        "commands/rinse.md": "Rinse.",
        "hooks/hooks.json": json.dumps(
            {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}
        ),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_plugin_is_described_by_its_folder(folder: Path) -> None:
    ((name, told),) = reported(folder, "2.1.240", details=True)
    assert name == "plugin_loaded"
    assert (told["plugin.name"], told["plugin.version"]) == ("tidy", "1.2.3")
    assert (told["skill_path_count"], told["command_path_count"]) == (0, 1)
    assert (told["has_hooks"], told["has_mcp"]) == (True, False)


def test_neither_name_nor_version_is_told_by_default(folder: Path) -> None:
    ((_, told),) = reported(folder, "2.1.240", details=False)
    assert told["plugin.name"] == told["marketplace.name"] == "third-party"
    assert "plugin.version" not in told


def test_its_hooks_carry_its_hash(folder: Path) -> None:
    plugin = Plugin.at(folder)
    (hook,) = hooks_of([plugin], details=False)
    assert (hook.event, hook.source) == ("Stop", "pluginHook")
    assert hook.plugin == {"plugin.name": "third-party", "plugin_id_hash": plugin.id_hash}


@pytest.mark.parametrize(("version", "events"), [("2.1.138", 0), ("2.1.139", 1)])
def test_older_releases_log_nothing(folder: Path, version: str, events: int) -> None:
    assert len(reported(folder, version, details=False)) == events
