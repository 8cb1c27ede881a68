"""Sessions with drawn input a second, beside bare sessions of the same binary.

A bare session is the floor: one process, one round trip to a Messages API and two exports
to a collector, both kept running, in a sandbox that is used again.  Nothing is drawn,
decoded or judged.  Both are made with as many workers as there are cores, in turns, so
that a busy machine slows down both.

    python benchmarks/fuzz.py [SPEC] [SECONDS] [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from harness.assessment.assessment import Assessment
from harness.assessment.recording import Recording
from harness.errors import SubjectError
from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import Say
from harness.fuzzing.exploration import Exploration, Profile
from harness.otlp.model import Protocol
from harness.running.drive import telemetry_settings
from harness.running.recorder import record
from harness.running.stage import opened
from harness.subject.binary import Binary, resolve
from harness.subject.headless import run_headless
from harness.themes.free_form.scenarios import FUZZ, PROMPT

LIMIT = 0.8
_WORKERS = os.cpu_count() or 1
#: More answers than a worker can ask for.
_ANSWERS = 10_000


def _silent(line: str) -> None:
    """Progress is not wanted here."""


def _never() -> Recording:
    raise AssertionError("only single captures are judged here")


def _bare(binary: Binary, seconds: float) -> float:
    """Bare sessions a second."""
    begun = time.monotonic()

    def work(protocol: Protocol) -> int:
        done = 0
        with (
            opened(FUZZ.backends, protocol) as place,
            MessagesApi([Say("Done.")] * _ANSWERS, prompts=[PROMPT]) as api,
        ):
            settings = telemetry_settings(protocol, place.endpoint())
            while time.monotonic() - begun < seconds:
                ended = run_headless(
                    binary, place.sandbox, PROMPT, api_url=api.base_url, env=settings
                )
                if ended.exit_code or len(api.calls) <= done:
                    raise SubjectError("a bare session failed", output=ended.last_output)
                done += 1
        return done

    with ThreadPoolExecutor(_WORKERS) as pool:
        sessions = sum(pool.map(work, _protocols()))
    return sessions / (time.monotonic() - begun)


def _protocols() -> Iterator[Protocol]:
    for number in range(_WORKERS):
        yield list(Protocol)[number % len(Protocol)]


def _drawn(binary: Binary, assessment: Assessment, seconds: float, seed: int) -> float:
    """Drawn, judged sessions a second."""
    made = Exploration("quick", Profile(seconds, 0), seed, None, assessment.breaks, _silent, ())
    record(binary, scenarios=[FUZZ], progress=_silent, explore=made)
    return made.tally.per_second


def main() -> None:
    """Print a line a round, and the median ratio beside its limit."""
    spec = sys.argv[1] if len(sys.argv) > 1 else "npm:latest"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    binary = resolve(spec, progress=print)
    assessment = Assessment(binary.spec, binary.version, _never)
    print(f"claude {binary.version}, {_WORKERS} sessions side by side, limit {LIMIT}")
    ratios = []
    for seed in range(rounds):
        bare, drawn = _bare(binary, seconds), _drawn(binary, assessment, seconds, seed)
        ratios.append(drawn / bare)
        print(f"bare {bare:6.2f}/s   drawn {drawn:6.2f}/s   ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} (limit {LIMIT})")


if __name__ == "__main__":
    main()
