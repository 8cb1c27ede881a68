from __future__ import annotations

import subprocess
import sys

import pytest

#: What a session without a subject must not pay for.
HEAVY = (
    *("grpc", "google.protobuf", "opentelemetry", "uvicorn", "httptools", "uvloop"),
    *("jsonschema", "referencing", "hypothesis", "filelock", "platformdirs"),
    *(
        "harness.contract",
        "harness.collector",
        "harness.subject",
        "harness.running",
        "harness.themes",
    ),
)


@pytest.mark.parametrize(
    "wanted", ["import harness.plugin", "from harness import Say, UseTool, UsageError, Signal"]
)
def test_neither_the_plugin_nor_a_script_imports_anything_heavy(wanted: str) -> None:
    code = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        f"{wanted}\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    new = done.stdout.split()
    assert "harness" in new
    assert [name for name in new if name.startswith(HEAVY)] == []
    assert [name for name in new if not name.startswith("harness")] == []
