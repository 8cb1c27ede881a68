"""A hook that notes each of its runs in a file, and ends as it is told.

Run as a program: ``python hook_stub.py LOG NAME OUTCOME``, with the hook's input on stdin. It
appends a line to ``LOG`` before it does anything else: JSON with its ``name`` and ``outcome``,
the ``event`` it was run for, what that was about (``subject``: a tool, how the session began or
ended) and the id of the tool use.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from pathlib import Path

#: The outcomes: it succeeds, blocks what is about to happen, fails, or never ends by itself.
SUCCEED, BLOCK, FAIL, HANG = "succeed", "block", "fail", "hang"

_EXIT_CODES = {SUCCEED: 0, BLOCK: 2, FAIL: 1}


def command(log: Path, name: str, outcome: str) -> str:
    """Return the command of a hook that runs this program."""
    program = str(Path(__file__).resolve())
    return shlex.join([sys.executable, "-I", "-S", program, str(log), name, outcome])


def main() -> None:
    log, name, outcome = sys.argv[1:]
    asked = json.loads(sys.stdin.read() or "{}")
    line = {
        "name": name,
        "outcome": outcome,
        "event": asked.get("hook_event_name", ""),
        "subject": asked.get("tool_name") or asked.get("source") or asked.get("reason") or "",
        "tool_use_id": asked.get("tool_use_id", ""),
    }
    # One write: the lines of hooks that run at once do not mix.
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{json.dumps(line)}\n".encode())
    os.close(descriptor)
    if outcome == HANG:
        threading.Event().wait()
    if outcome != SUCCEED:
        print(f"the hook {name} is to {outcome}", file=sys.stderr)  # noqa: T201
    sys.exit(_EXIT_CODES[outcome])


if __name__ == "__main__":
    main()
