"""Commands that take turns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from harness.subject.locked_exec import in_turn

SAY_WHETHER_FREE = """
import filelock, sys
try:
    filelock.FileLock(sys.argv[1], timeout=0).acquire()
    print("free")
except filelock.Timeout:
    print("held")
"""


def test_the_command_holds_the_lock_and_leaves_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command = (*in_turn(lock, 30.0), sys.executable, "-c", SAY_WHETHER_FREE, str(lock))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("held\n", "")
    with FileLock(lock, timeout=0):
        pass


def test_the_command_becomes_the_process(tmp_path: Path) -> None:
    command = (*in_turn(tmp_path / "lock", 30.0), sys.executable, "-c", "raise SystemExit(7)")
    assert subprocess.run(command, timeout=60, check=False).returncode == 7


def test_a_turn_that_does_not_come_is_told(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with FileLock(lock):
        command = (*in_turn(lock, 0.0), sys.executable, "-c", "")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 75
    assert "is held by another process" in done.stderr
