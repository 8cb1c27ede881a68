"""How long the recording of all scenarios takes, beside what it cannot do without.

The floor is the greater of two: the CPU time of all subjects (and of what they start)
laid on this machine's cores, and the longest run by itself on an idle machine (a
session at a terminal waits for its screen, and a retry for its pause).

    python benchmarks/recording.py [SPEC] [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time

from harness.scenarios.catalogue import SCENARIOS
from harness.scenarios.recorder import Recorded, record
from harness.subject.binary import resolve

LIMIT = 1.3
#: Seconds: what the whole content suite may take on a native binary and two cores.
LIMIT_S = 60.0


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _nothing(line: str) -> None:
    """Progress is not wanted here."""


def _longest(recorded: Recorded) -> tuple[str, str]:
    """(scenario, label) of the run that took longest."""
    run = max(
        (capture.run for capture in recorded.captures),
        key=lambda run: run.ended_unix_nano - run.started_unix_nano,
    )
    return run.scenario, run.label


def main() -> None:
    """Print a line a run and the median ratio beside its limit."""
    spec = sys.argv[1] if len(sys.argv) > 1 else "npm:latest"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    binary = resolve(spec, progress=print)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cores is not None

    scenario, label = _longest(record(binary, progress=_nothing))  # warms the page cache, too
    ratios, walls = [], []
    print(f"claude {binary.version}, {cores} cores, limit {LIMIT} x the floor and {LIMIT_S:g} s")
    for _ in range(runs):
        began = time.perf_counter()
        record(binary, scenarios=(SCENARIOS[scenario],), progress=_nothing)
        alone_s = time.perf_counter() - began
        cpu_before, began = _children_cpu_s(), time.perf_counter()
        recorded = record(binary, progress=_nothing)
        wall_s, cpu_s = time.perf_counter() - began, _children_cpu_s() - cpu_before
        floor_s = max(cpu_s / cores, alone_s)
        ratios.append(wall_s / floor_s)
        walls.append(wall_s)
        print(
            f"{len(recorded.captures)} runs {wall_s:5.1f} s   subjects' CPU {cpu_s:5.1f} s   "
            f"{label} alone {alone_s:5.1f} s   floor {floor_s:5.1f} s   ratio {ratios[-1]:.2f}"
            + "".join(f"   not driven: {fault}" for fault in recorded.faults)
        )
    print(
        f"median ratio {statistics.median(ratios):.2f} (limit {LIMIT}), "
        f"median wall {statistics.median(walls):.1f} s (limit {LIMIT_S:g} s)"
    )


if __name__ == "__main__":
    main()
