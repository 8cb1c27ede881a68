"""What is known to be valid is: nobody validates a contract file at every start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import generated
import pytest

from harness.contract import exercised, validated
from harness.contract.files import schema_root
from harness.errors import HarnessError


def test_the_list_is_the_generated_one() -> None:
    """It is written after every file was validated, and again here."""
    written = (schema_root() / validated.FILE_NAME).read_text(encoding="utf-8")
    assert written == generated.all_validated(), "run: python docs/generated.py"


@pytest.mark.parametrize(
    ("file", "by"),
    [("events/user_prompt.json", validated.META), (exercised.FILE_NAME, exercised.SCHEMA)],
)
@pytest.mark.parametrize("of_the_schema", [False, True])
def test_what_was_edited_is_not_known_to_be_valid(
    tmp_path: Path, file: str, by: str, of_the_schema: bool
) -> None:
    assert validated.is_validated(schema_root(), schema_root() / file, by)

    copy = tmp_path / "schemas"
    shutil.copytree(schema_root(), copy)
    edited = copy / (by if of_the_schema else file)
    data = json.loads(edited.read_text(encoding="utf-8"))
    edited.write_text(json.dumps(data | {"title": "Another"}), encoding="utf-8")
    assert not validated.is_validated(copy, copy / file, by)


def test_what_breaks_its_schema_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"exercised\.json: at \$"):
        exercised.validate({})


def test_without_the_list_nothing_is_known_to_be_valid(tmp_path: Path) -> None:
    root = tmp_path / "schemas"
    shutil.copytree(schema_root(), root)
    (root / validated.FILE_NAME).unlink()
    assert not validated.is_validated(root, root / "events" / "user_prompt.json")
