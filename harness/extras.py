"""What the extra ``suite`` brings, and how somebody without it is told.

The fixture ``otlp_collector`` needs none of it, so who only wants that installs none of it.
"""

from __future__ import annotations

import importlib.util

from harness.errors import UsageError

#: What is imported of the packages of the extra.
SUITE = (
    *("cattrs", "cryptography", "filelock", "hypothesis", "jsonschema", "mcp", "pexpect"),
    *("platformdirs", "prometheus_client", "psutil", "pyte", "trustme"),
)


def require_suite(what: str) -> None:
    """Raise UsageError, with how to install the extra, where ``what`` lacks a part of it.

    Nothing is imported by this.
    """
    missing = [name for name in SUITE if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            what,
            seen=f"no {', '.join(missing)}",
            expected="the extra 'suite': pip install 'pytest-cc-otel[suite]'",
        )
