from __future__ import annotations

import subprocess
import sys

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


def test_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import harness.plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    new = done.stdout.split()
    assert "harness.plugin" in new
    assert [name for name in new if name.startswith(HEAVY)] == []
    assert [name for name in new if not name.startswith("harness")] == []
