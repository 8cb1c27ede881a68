"""What the subject left, recorded once: in this process, or shared by several."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.plain import from_plain, to_plain
from harness.errors import HarnessError, SubjectError
from harness.scenarios.recorder import record
from harness.subject.binary import Binary

_DONE = "recording.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """About a recording, without the captures: how long it took, what arrived by protocol,
    and whose fault it is where nothing can be judged (else both texts are empty)."""

    seconds: float = 0.0
    exports: tuple[tuple[str, int], ...] = ()
    subject_fault: str = ""
    harness_fault: str = ""

    @property
    def fault(self) -> str:
        return self.harness_fault or self.subject_fault


@dataclass(frozen=True, slots=True)
class Recording:
    """The captures of all runs; none where there is a fault."""

    facts: Facts
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What to record: the subject, one run's deadline, where to keep captures (or None)."""

    binary: Binary
    deadline_s: float
    keep: Path | None


def recorded(captures: tuple[Capture, ...], seconds: float = 0.0) -> Recording:
    """The recording that these captures make."""
    arrived: Counter[str] = Counter()
    for capture in captures:
        arrived[capture.run.protocol.value] += len(capture.exports)
    return Recording(Facts(seconds, tuple(arrived.items())), captures)


def record_once(order: Order, progress: Callable[[str], None]) -> Recording:
    """Run the subject through every scenario; a fault is a value here, Ctrl-C is not."""
    started = time.monotonic()
    try:
        captures = record(
            order.binary, progress=progress, deadline_s=order.deadline_s, keep=order.keep
        )
    except SubjectError as error:
        return Recording(Facts(time.monotonic() - started, subject_fault=str(error)))
    except HarnessError as error:
        return Recording(Facts(time.monotonic() - started, harness_fault=str(error)))
    return recorded(captures, time.monotonic() - started)


def record_shared(order: Order, progress: Callable[[str], None], folder: Path) -> Recording:
    """As :func:`record_once`, once for all processes that share ``folder``.

    The first one records while the others wait for it; they load what it saved.
    """
    with FileLock(folder / "lock"):
        facts = read_facts(folder)
        if facts is None:
            recording = record_once(order, progress)
            for number, capture in enumerate(recording.captures):
                files.save(capture, _place(folder, number))
            names = [str(_place(folder, n)) for n in range(len(recording.captures))]
            done = {"facts": to_plain(recording.facts), "captures": names}
            (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
            return recording
    done = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    return Recording(facts, tuple(files.load(Path(name)) for name in done["captures"]))


def read_facts(folder: Path) -> Facts | None:
    """The facts of the recording in ``folder``, or None as long as there is none."""
    try:
        text = (folder / _DONE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return from_plain(Facts, json.loads(text)["facts"])


def _place(folder: Path, number: int) -> Path:
    return folder / f"capture-{number}"
