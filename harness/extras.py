"""What the extras bring, and how somebody without one of them is told.

The fixture ``otlp_collector`` needs none of them, so who only wants that installs none.
"""

from __future__ import annotations

import importlib.util

from .errors import UsageError

#: What is imported of the packages of the extra ``suite``.
SUITE = (
    *("cattrs", "cramjam", "cryptography", "filelock", "h11", "hypothesis", "jinja2"),
    *("jsonschema", "mcp", "pexpect", "platformdirs", "prometheus_client", "promql_parser"),
    *("psutil", "pyte", "trustme", "yaml"),
)


#: What is imported of the packages of the extra ``locust``.
LOCUST = ("locust",)


#: What is imported of the packages of the extra ``fleet``.
FLEET = ("zstandard",)


def require_suite(what: str) -> None:
    """Raise UsageError, with how to install the extra, where ``what`` lacks a part of it.

    Nothing is imported by this.
    """
    _require(what, "suite", SUITE)


def require_locust(what: str) -> None:
    """Raise UsageError, with how to install the extra, where there is no Locust."""
    _require(what, "locust", LOCUST)


def require_fleet(what: str) -> None:
    """Raise UsageError, with how to install the extra, where ``what`` needs zstd."""
    _require(what, "fleet", FLEET)


def _require(what: str, extra: str, names: tuple[str, ...]) -> None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            what,
            seen=f"no {', '.join(missing)}",
            expected=f"the extra '{extra}': pip install 'pytest-cc-otel[{extra}]'",
        )
