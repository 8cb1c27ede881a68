from __future__ import annotations

import subprocess
import sys

import pytest

#: What a session without a subject must not pay for.
HEAVY = (
    *("grpc", "google.protobuf", "opentelemetry", "uvicorn", "httptools", "uvloop"),
    *("jsonschema", "referencing", "hypothesis", "filelock", "platformdirs"),
    *(
        "pytest_cc_otel.contract",
        "pytest_cc_otel.collector",
        "pytest_cc_otel.subject",
        "pytest_cc_otel.running",
        "pytest_cc_otel.themes",
    ),
)


@pytest.mark.parametrize(
    "wanted",
    ["import pytest_cc_otel.plugin", "from harness import Say, UseTool, UsageError, Signal"],
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
    assert "pytest_cc_otel" in new
    assert [name for name in new if name.startswith(HEAVY)] == []
    assert [name for name in new if not name.startswith(("harness", "pytest_cc_otel"))] == []
