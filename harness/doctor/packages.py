"""Look at Python and the packages that the extras bring."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Callable

from .probe import Found, Part, State

#: What cannot be done without an extra, and what is imported of its packages.
_EXTRAS = {
    "reference": (
        ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.grpc"),
        "--cc-binary=reference, the conforming emitter",
    ),
    "zstd": (("zstandard",), "captures and requests that are compressed with zstd"),
    "completions": (("shtab",), "cc-harness completions"),
    "locust": (("locust",), "the users for Locust: more load than one machine sends"),
}


def parts(suite: tuple[str, ...]) -> list[Part]:
    """Return the parts; ``suite`` is what is imported of the extra of that name."""
    return [
        Part("python", _python, needed=True),
        Part("extra suite", lambda: _suite(suite), needed=True),
        *(Part(f"extra {name}", _extra(name)) for name in _EXTRAS),
    ]


def _python() -> Found:
    seen = f"{platform.python_implementation()} {platform.python_version()} on {sys.platform}"
    encoding = sys.getfilesystemencoding()
    if encoding.lower().replace("-", "") != "utf8":
        return Found(
            State.STOPS,
            f"{seen}, file names in {encoding}",
            "prompts of sessions, which are UTF-8",
            "a locale of UTF-8, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1",
        )
    return Found(State.OK, seen)


def _suite(names: tuple[str, ...]) -> Found:
    lacking = [name for name in names if not _is_there(name)]
    if lacking:
        return Found(
            State.STOPS,
            f"no {', '.join(lacking)}",
            "everything but the fixture otlp_collector, cc-harness collector and doctor",
            "pip install 'pytest-cc-otel[suite]'",
        )
    return Found(State.OK, f"pytest-cc-otel {importlib.metadata.version('pytest-cc-otel')}")


def _extra(name: str) -> Callable[[], Found]:
    def look() -> Found:
        imported, without = _EXTRAS[name]
        lacking = [each for each in imported if not _is_there(each)]
        if lacking:
            change = f"pip install 'pytest-cc-otel[{name}]'"
            return Found(State.ABSENT, f"no {', '.join(lacking)}", without, change)
        return Found(State.OK, "installed")

    return look


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a package above it is not there
        return False
