"""The wheel carries everything that the harness reads, and works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_schemas_ship_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {
            name.removeprefix("harness/schemas/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("harness/schemas/")
        }
    schemas = ROOT / "schemas"
    assert shipped == {
        path.relative_to(schemas).as_posix(): path.read_bytes() for path in schemas.rglob("*.json")
    }
    assert len(shipped) > 30


def test_nothing_else_leaks_into_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"harness"}


def test_templates_ship_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.endswith(".jinja")}
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "harness").rglob("*.jinja")}
    assert shipped == here != set()


def test_the_wheel_reads_its_own_contract(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    code = (
        "from harness.contract.files import schema_root;"
        "from harness.contract.catalogue import load;"
        "from harness.contract.versions import Version;"
        "from harness.judging.judge import CHECKS;"
        "from harness.themes.catalogue import SCENARIOS;"
        "print(schema_root());"
        "print(len(load(Version(2, 1, 31), checks=CHECKS, scenarios=SCENARIOS).requirements))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    root, count = done.stdout.split()
    assert Path(root) == unpacked / "harness" / "schemas"
    assert int(count) > 300
