"""Look for programs on PATH: what sessions need, and what only single commands or tests use."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping

from .probe import Found, Part, State

_DEADLINE_S = 30.0
_OLDEST_GIT = (2, 28)

#: Programs under any of these names, what cannot be done without one, and where they come from.
_Programs = Mapping[str, tuple[tuple[str, ...], str, str]]
_OF_SESSIONS: _Programs = {
    "bash": (("bash",), "commands that sessions run by the tool Bash, as they are", "install bash"),
    "unshare": (
        ("unshare",),
        "managed settings of a session's own",
        "Linux: install util-linux",
    ),
}
_OTHERS: _Programs = {
    "otelcol": (
        ("otelcol", "otelcol-contrib", "otelcol-cc", "otelcol-k8s"),
        "--cc-collector-cmd with an OpenTelemetry Collector of your own",
        "install a distribution of the OpenTelemetry Collector",
    ),
    "prometheus": (
        ("prometheus", "promtool"),
        "rules and dashboards tried against a real Prometheus (this project's tests)",
        "Debian: apt install prometheus",
    ),
    "clickhouse": (
        ("clickhouse", "clickhouse-server", "clickhouse-local"),
        "queries tried against a real ClickHouse by hand",
        "install ClickHouse, or the package chdb-core",
    ),
    "chromium": (
        ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome"),
        "the HTML report tried in a real browser (this project's tests)",
        "Debian: apt install chromium",
    ),
}


def parts() -> list[Part]:
    """Return the parts."""
    return [
        Part("git", _git, needed=True),
        *(Part(name, _program(State.LESS, *said)) for name, said in _OF_SESSIONS.items()),
        *(Part(name, _program(State.ABSENT, *said)) for name, said in _OTHERS.items()),
    ]


def _git() -> Found:
    if shutil.which("git") is None:
        return Found(
            State.STOPS, "not on PATH", "all sessions: each works in a repository", "install git"
        )
    version = version_of("git")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _OLDEST_GIT:
        return Found(
            State.STOPS,
            version or "it tells no version",
            "all sessions: git init must know --initial-branch",
            "git 2.28 or newer",
        )
    return Found(State.OK, version)


def _program(
    state: State, names: tuple[str, ...], without: str, change: str
) -> Callable[[], Found]:
    def look() -> Found:
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            return Found(state, f"no {' or '.join(names)} on PATH", without, change)
        return Found(State.OK, found)

    return look


def version_of(program: str) -> str:
    """Return what a program says is its version, without its name; empty if it says nothing."""
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it cannot be run: {error}"
    found = re.search(r"\d+(\.\d+)+\S*", done.stdout)
    return found[0] if found else ""
