"""What a caller brings into a session is named in the arguments, and left as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.capture.export import MAIN
from harness.errors import UsageError
from harness.otlp.model import Protocol
from harness.running.brought import bring
from harness.running.stage import Backend, Stage, opened


@pytest.fixture
def stage() -> Iterator[Stage]:
    with opened({MAIN: Backend()}, Protocol.HTTP_JSON) as made:
        yield made


def plugin(folder: Path) -> Path:
    folder.mkdir()
    (folder / "state").write_text("as it was", encoding="utf-8")
    return folder


def test_settings_and_plugins_are_named(stage: Stage, tmp_path: Path) -> None:
    mine, theirs = plugin(tmp_path / "same"), plugin(stage.work / "same")
    (tmp_path / "other").mkdir()
    other = plugin(tmp_path / "other" / "same")
    args = bring({"hooks": {}}, [mine, "same", str(other)])(stage)
    assert args[0] == "--settings"
    assert json.loads(args[1]) == {"hooks": {}}
    assert list(args[2::2]) == ["--plugin-dir"] * 3
    copied, in_the_tree, second = map(Path, args[3::2])
    assert in_the_tree == theirs
    assert len({copied, in_the_tree, second}) == 3
    for copy in (copied, second):
        assert copy.name == "same"
        assert copy.is_relative_to(stage.sandbox.root)
        (copy / "state").write_text("changed", encoding="utf-8")
    assert (mine / "state").read_text(encoding="utf-8") == "as it was"
    assert (other / "state").read_text(encoding="utf-8") == "as it was"


def test_nothing_is_named_where_nothing_is_brought(stage: Stage) -> None:
    assert bring({}, [])(stage) == ()


@pytest.mark.parametrize(
    ("settings", "plugins", "says"),
    [
        ({"hooks": {1, 2}}, [], "settings: expected what JSON can say, saw .*set"),
        ({}, "mine", r"plugins: expected a list, \['mine'\], saw 'mine'"),
        ({}, ["none"], r"plugins\[0\]: expected the folder of a plugin.*saw 'none', no folder"),
    ],
    ids=["no JSON", "no list", "no folder"],
)
def test_what_cannot_be_brought_is_refused(
    stage: Stage, settings: Any, plugins: Any, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        bring(settings, plugins)(stage)
