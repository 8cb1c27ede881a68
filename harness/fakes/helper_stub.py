"""A fake helper for dynamic headers that logs its runs and numbers them in what it prints.

Run as a program by a launcher that :func:`install` writes: ``FOLDER/plan.json`` says what
it prints and with which status it exits, ``FOLDER/log`` gets a line for each run. The launcher
leaves a mark when it is started: on a busy machine it takes a while until this program is there.
"""

from __future__ import annotations

import json
import os
import sys
import time

# Nothing else up here: a helper starts before every refresh, and -S keeps it quick.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

#: In what is printed: the number of the run, from 1, and so many letters as the plan says.
NUMBER = "@"
PADDING = "~"

#: A helper that begins its work so long after it was started, in seconds, comes too late to say
#: anything about who started it.
LATE_S = 1.0

#: The beginning of the name of the mark that a run leaves; its process id follows. It stays if the
#: run did not begin its work, or too late.
_ASKED = "asked-"


def install(
    launcher: Path,
    folder: Path,
    printed: object,
    *,
    status: int = 0,
    delay_s: float = 0.0,
    padding: int = 0,
) -> None:
    """Write ``launcher``, a helper that prints ``printed`` (a text as it is, all else as JSON)."""
    import shlex

    folder.mkdir()
    plan = {
        "print": printed if isinstance(printed, str) else json.dumps(printed),
        "status": status,
        "delay_s": delay_s,
        "padding": padding,
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    command = shlex.join([sys.executable, "-I", "-S", os.path.abspath(__file__), str(folder)])
    launcher.parent.mkdir(exist_ok=True)
    mark = f":>{shlex.quote(os.path.join(folder, _ASKED))}$$"
    launcher.write_text(f'#!/bin/sh\n{mark}\nexec {command} "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)


def runs(folder: Path) -> list[Mapping[str, Any]]:
    """Return the logged runs of the helper, in the order in which they began."""
    try:
        lines = (folder / "log").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    logged = [json.loads(line) for line in lines]
    return sorted(logged, key=lambda run: run["started_unix_nano"])


def too_late(folder: Path, ended_unix_nano: int) -> str:
    """Say how late a run began its work, or did not before the session ended; empty: none did."""
    for mark in sorted(folder.glob(f"{_ASKED}*")):
        began = int(mark.read_text(encoding="utf-8") or ended_unix_nano)
        took_s = (began - mark.stat().st_mtime_ns) / 1e9
        if took_s > LATE_S:
            return f"the headers helper took {took_s:.1f} s to begin"
    return ""


def main(argv: Sequence[str]) -> int:
    folder, *arguments = argv
    mark = f"{folder}/{_ASKED}{os.getpid()}"
    started = os.stat(mark).st_mtime_ns
    if (began := time.time_ns()) - started <= LATE_S * 1e9:
        os.unlink(mark)
    else:
        with open(mark, "w", encoding="utf-8") as stream:
            stream.write(str(began))
        os.utime(mark, ns=(started, started))
    with open(f"{folder}/plan.json", encoding="utf-8") as stream:
        plan = json.load(stream)
    number = _number(folder)
    time.sleep(plan["delay_s"])  # a slow helper is what a scenario asks for
    run = {
        "number": number,
        "started_unix_nano": started,
        "answered_unix_nano": time.time_ns(),
        "arguments": arguments,
    }
    with open(f"{folder}/log", "a", encoding="utf-8") as stream:
        stream.write(json.dumps(run) + "\n")
    text = plan["print"].replace(NUMBER, str(number)).replace(PADDING, "a" * plan["padding"])
    sys.stdout.write(text)
    if plan["status"]:
        sys.stderr.write("no headers today\n")
    return int(plan["status"])


def _number(folder: str) -> int:
    """Reserve the first number that no other run has: two may begin at the same time."""
    number = 1
    while True:
        try:
            os.mkdir(f"{folder}/{number}")
        except FileExistsError:
            number += 1
        else:
            return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
