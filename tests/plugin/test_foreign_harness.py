"""Who has a ``harness`` of their own keeps it, and we work beside it as ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).resolve().parents[2] / "harness"


#: The files of their kinds of it.
KINDS = {
    "a package": {"harness/__init__.py": "", "harness/tool.py": "WHOSE = 'theirs'\n"},
    "a folder": {"harness/tool.py": "WHOSE = 'theirs'\n"},
    "a module": {"harness.py": "class tool:\n    WHOSE = 'theirs'\n"},
}

TEST = """
import urllib.request

from harness import tool

BODY = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order"}]}]}]}'

def test_theirs_and_ours(otlp_collector):
    assert tool.WHOSE == "theirs"
    url = f"{otlp_collector.http_endpoint}/v1/logs"
    request = urllib.request.Request(url, BODY, {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()
    assert otlp_collector.wait_for_event("order", deadline_s=120)

def test_ours_has_a_name_of_its_own():
    from pytest_cc_otel import Collector
    import pytest_cc_otel.errors
    assert issubclass(pytest_cc_otel.UsageError, pytest_cc_otel.errors.HarnessError)
"""

MODULE = (sys.executable, "-m", "pytest")


def project(folder: Path, kind: str, *, ini: str = "", conftest: str = "conftest.py") -> None:
    files = {
        **KINDS[kind],
        "pytest.ini": f"[pytest]\n{ini}\n",
        "tests/test_own.py": TEST,
        conftest: "from harness import tool\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, "-W", "error::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["pytest", "python -m pytest", "pythonpath"])
def test_a_foreign_project_keeps_its_own(tmp_path: Path, kind: str, way: str) -> None:
    """With ``pytest`` alone, its folder is on the path by the conftest.py in it."""
    if way == "pytest":
        project(tmp_path, kind)
    else:
        ini = "pythonpath = ." if way == "pythonpath" else ""
        project(tmp_path, kind, ini=ini, conftest="tests/conftest.py")
    script = Path(sys.executable).with_name("pytest")
    command = MODULE if way == "python -m pytest" else (str(script),)
    done = run(tmp_path, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def code(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.remove('')\n{program}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_where_nobody_has_one_the_name_is_ours(tmp_path: Path) -> None:
    """And every module below it is the one that we know by our own name."""
    done = code(
        tmp_path,
        "import harness.capture.capture\n"
        "from harness import Capture, errors\n"
        "import pytest_cc_otel.capture.capture as ours, pytest_cc_otel.errors\n"
        "assert ours.Capture is Capture and harness.capture.capture is ours\n"
        "assert errors is pytest_cc_otel.errors\n"
        "import pickle; assert pickle.loads(pickle.dumps(Capture)) is Capture\n"
        "assert Capture.__module__ == 'pytest_cc_otel.capture.capture'\n",
    )
    assert done.returncode == 0, done.stderr
    for name in ("harness", "pytest_cc_otel"):
        command = [sys.executable, "-m", f"{name}.reference.silent", "--version"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_one_in_the_working_folder_is_not_covered_up(tmp_path: Path, kind: str) -> None:
    """What is not on the path cannot be imported, as if we were not installed."""
    project(tmp_path, kind)
    done = code(tmp_path, "import harness")
    assert "ModuleNotFoundError: No module named 'harness'" in done.stderr


def test_python_starts_as_fast_as_without_us(tmp_path: Path) -> None:
    """The alias is looked at whenever Python starts, and so imports nothing."""
    done = code(tmp_path, "print(*[each for each in sys.modules if 'cc_otel' in each])")
    assert done.stdout.split() == ["_pytest_cc_otel_alias"], done.stderr


def test_the_code_does_not_import_itself_by_the_name_of_the_folder() -> None:
    """It is installed under another one, and that one may be somebody else's."""
    found = [
        str(path.relative_to(HARNESS))
        for path in HARNESS.rglob("*.py")
        if any(
            line.lstrip().startswith(("from harness", "import harness"))
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    ]
    assert found == []
