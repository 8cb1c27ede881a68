"""What the files for CI and for contributors name is there."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
#: tox makes an environment of this name for any Python.
ANY_PYTHON = re.compile(r"py3\d+")


def environments() -> set[str]:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    return {
        name.removeprefix("testenv:") for name in settings.sections() if name.startswith("testenv:")
    }


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", ".github/workflows/ci.yml", ".pre-commit-config.yaml"]
)
def test_the_named_environments_of_tox_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"tox (?:run )?-e (\w+)", text))
    named |= set(re.findall(r"env: (\w+),", text))
    assert named
    assert {each for each in named if not ANY_PYTHON.fullmatch(each)} <= environments()


def test_the_matrix_has_every_python_of_the_package() -> None:
    package = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    pythons = set(re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', package))
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert set(re.findall(r'python(?:-version)?: "3\.(\d+)"', workflow)) == pythons


def test_linked_files_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"):
        path = ROOT / name
        links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
        assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_walks_of_contributors_are_valid_contract() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    field, deviation = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    contract = json.loads((ROOT / "schemas" / "contract.schema.json").read_text(encoding="utf-8"))
    node = {**contract["$defs"]["node"], "$defs": contract["$defs"]}
    jsonschema.validate(json.loads(f"{{{field}}}")["colour"], node)
    listed = json.loads((ROOT / "schemas" / "expectations.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate({"deviations": [json.loads(deviation)]}, listed)
