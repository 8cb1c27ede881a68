"""This machine in OpenTelemetry's words, held to ``uname``."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from harness.capture.run import Host
from harness.subject import host

#: The values of ``host.arch`` in OpenTelemetry's resource conventions.
ARCHITECTURES = {"amd64", "arm32", "arm64", "ia64", "ppc32", "ppc64", "s390x", "x86"}

WSL_2 = "Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host)\n"
WSL_1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)\n"
LINUX = "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)\n"


def uname(flag: str) -> str:
    return subprocess.check_output(["uname", flag], text=True).strip()


def looked_at_anew() -> Host:
    return host.this_host.__wrapped__()


def test_it_is_this_machine() -> None:
    found = host.this_host()
    assert found.os_type == uname("-s").lower()
    assert found.os_version == uname("-r")
    assert found.arch in ARCHITECTURES
    assert host.this_host() is found


@pytest.mark.parametrize(
    ("machine", "arch"),
    [
        ("x86_64", "amd64"),
        ("AMD64", "amd64"),
        ("aarch64", "arm64"),
        ("arm64", "arm64"),
        ("s390x", "s390x"),
    ],
)
def test_architectures_have_the_conventions_names(
    monkeypatch: pytest.MonkeyPatch, machine: str, arch: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert looked_at_anew().arch == arch


@pytest.mark.parametrize(
    ("version", "expected"), [(WSL_2, "2"), (WSL_1, "1"), (LINUX, ""), (None, "")]
)
def test_the_subsystem_for_linux_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, expected: str
) -> None:
    proc_version = tmp_path / "version"
    if version is not None:
        proc_version.write_text(version, encoding="utf-8")

    def path(name: str) -> Path:
        assert name == "/proc/version"
        return proc_version

    monkeypatch.setattr(host, "Path", path)
    assert looked_at_anew().wsl_version == expected
