"""What is known to be valid is: nobody validates a contract file at every start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import generated
import pytest

from harness.contract import validated
from harness.contract.files import schema_root


def test_the_list_is_the_generated_one() -> None:
    """It is written after every file was validated, and again here."""
    written = (schema_root() / validated.FILE_NAME).read_text(encoding="utf-8")
    assert written == generated.all_validated(), "run: python docs/generated.py"


@pytest.mark.parametrize("edited", ["events/user_prompt.json", validated.META])
def test_what_was_edited_is_not_known_to_be_valid(tmp_path: Path, edited: str) -> None:
    root = tmp_path / "schemas"
    shutil.copytree(schema_root(), root)
    path = root / "events" / "user_prompt.json"
    assert validated.is_validated(root, path)

    other = tmp_path / "edited"
    shutil.copytree(root, other)
    data = json.loads((other / edited).read_text(encoding="utf-8"))
    (other / edited).write_text(json.dumps(data | {"title": "Another"}), encoding="utf-8")
    assert not validated.is_validated(other, other / "events" / "user_prompt.json")


def test_without_the_list_nothing_is_known_to_be_valid(tmp_path: Path) -> None:
    root = tmp_path / "schemas"
    shutil.copytree(schema_root(), root)
    (root / validated.FILE_NAME).unlink()
    assert not validated.is_validated(root, root / "events" / "user_prompt.json")
