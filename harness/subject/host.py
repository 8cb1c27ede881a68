"""Describe this machine by OpenTelemetry's host attributes, without asking the subject."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

from ..capture.run import Host

#: ``uname -m`` -> ``host.arch`` of OpenTelemetry's resource conventions.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@cache
def this_host() -> Host:
    """Return the attributes of this machine; ``os_version`` is the release of its kernel."""
    machine = platform.machine().lower()
    return Host(
        os_type=platform.system().lower(),
        os_version=platform.release(),
        arch=_ARCHITECTURES.get(machine, machine),
        wsl_version=_wsl_version(),
    )


def _wsl_version() -> str:
    try:
        version = Path("/proc/version").read_text(encoding="utf-8")
    except OSError:  # no Linux
        return ""
    if "microsoft" not in version.lower():
        return ""
    named = re.search(r"WSL(\d+)", version, re.IGNORECASE)
    return named[1] if named else "1"
