"""What surrounds a session changes no verdict: another account, few descriptors, no network.

One session of the emitter, which serves metrics and exports them besides, is recorded each time.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.record import jsonl
from tests.processes import outside_of_workers, until

COMMAND = (
    *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cc-binary=reference"),
    *("--cc-scenarios=several_exporters", "--cc-report=out"),
    *("-k", "exporters or opt_in or privacy or resource or scopes or transport"),
)
TIMEOUT_S = 300

#: Becomes another account without privileges, which may open 256 files and has no input.
NOT_ROOT = """
import ctypes, os, pathlib, resource, sys
uid, gid = os.geteuid(), os.getegid()
assert ctypes.CDLL(None).unshare(0x10000000) == 0
maps = {"setgroups": "deny", "uid_map": f"1234 {uid} 1", "gid_map": f"1234 {gid} 1"}
for name, text in maps.items():
    pathlib.Path("/proc/self", name).write_text(text)
assert os.geteuid() == 1234
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
os.close(0)
os.execv(sys.argv[1], sys.argv[1:])
"""

#: Enters a network in which there is nothing but loopback, and no route to anywhere.
NO_ROUTES = """
import os, sys
from harness.keeping import network
network._unshare()
network._bring_loopback_up()
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextlib.contextmanager
def begun(folder: Path, *prefix: str) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir()
    with subprocess.Popen(
        [*prefix, *COMMAND],
        cwd=folder,
        env=outside_of_workers(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as session:
        try:
            yield session
        finally:
            session.kill()


def verdicts(session: subprocess.Popen[str], folder: Path) -> Mapping[str, str]:
    """Return the verdict on each promise that a session, which must succeed, was judged by."""
    output, _ = session.communicate(timeout=TIMEOUT_S)
    assert session.returncode == 0, output
    assert "OK: no deviation was seen" in output
    rows = jsonl.read(folder / "out" / "record.jsonl").rows
    return {row.requirement: str(row.verdict) for row in rows}


@pytest.mark.slow
@pytest.mark.needs("network namespace")
def test_the_verdicts_are_those_of_any_other_run(tmp_path: Path) -> None:
    """Two sessions run at once: one as anybody makes it, and one as an account of no privileges."""
    plain, poor, alone = (tmp_path / name for name in ("plain", "poor", "alone"))
    with begun(plain) as one, begun(poor, sys.executable, "-c", NOT_ROOT) as other:
        expected = verdicts(one, plain)
        assert {"pass"} < {*expected.values()}
        assert verdicts(other, poor) == expected
    with begun(alone, sys.executable, "-c", NO_ROUTES) as session:
        assert verdicts(session, alone) == expected


@pytest.mark.slow
def test_an_output_that_nobody_reads_any_more_ends_the_run(tmp_path: Path) -> None:
    """As ``pytest … | head -1`` does: nothing of the session stays."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with begun(tmp_path / "cut", "env", f"TMPDIR={temporary}") as session:
        assert session.stdout is not None
        assert session.stdout.read(1)
        session.stdout.close()
        assert session.wait(TIMEOUT_S) != 0
    until(lambda: not list(temporary.glob("cc-otel-*")), "the temporary folders to be gone")
