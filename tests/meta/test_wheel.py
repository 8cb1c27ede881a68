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
            name.removeprefix("pytest_cc_otel/schemas/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("pytest_cc_otel/schemas/")
        }
    schemas = ROOT / "schemas"
    assert shipped == {
        path.relative_to(schemas).as_posix(): path.read_bytes() for path in schemas.rglob("*.json")
    }
    assert len(shipped) > 30


def test_nothing_else_leaks_into_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        *("_pytest_cc_otel_alias.py", "pytest_cc_otel", "pytest_cc_otel.pth")
    }


def test_templates_ship_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {
            name.replace("pytest_cc_otel", "harness", 1)
            for name in archive.namelist()
            if name.endswith(".jinja")
        }
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "harness").rglob("*.jinja")}
    assert shipped == here != set()


def test_the_wheel_reads_its_own_contract(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    code = (
        "from pytest_cc_otel.contract.files import schema_root;"
        "from pytest_cc_otel.contract.catalogue import load;"
        "from pytest_cc_otel.contract.versions import Version;"
        "from pytest_cc_otel.judging.judge import CHECKS;"
        "from pytest_cc_otel.themes.catalogue import SCENARIOS;"
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
    assert Path(root) == unpacked / "pytest_cc_otel" / "schemas"
    assert int(count) > 300
