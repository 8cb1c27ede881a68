"""How long the recording of all protocols takes, beside what its subjects cost.

The floor is what the subjects' own processes need on this machine's cores: their
CPU time divided by the cores, or the run of a single subject on an idle machine
if that is longer (a lone subject waits for our fakes, too, and cannot be hurried).

    python benchmarks/recording.py [SPEC] [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time

from harness.otlp.model import Protocol
from harness.scenarios.recorder import record
from harness.subject.binary import resolve

LIMIT = 1.3


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a line a run and the median ratio beside its limit."""
    spec = sys.argv[1] if len(sys.argv) > 1 else "npm:latest"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    binary = resolve(spec, progress=print)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cores is not None

    def nothing(line: str) -> None:
        """Progress is not wanted here."""

    record(binary, progress=nothing)  # warm the page cache
    ratios = []
    print(f"claude {binary.version}, {cores} cores, limit {LIMIT} x the floor")
    for _ in range(runs):
        began = time.perf_counter()
        record(binary, protocols=(Protocol.HTTP_PROTOBUF,), progress=nothing)
        alone_s = time.perf_counter() - began
        cpu_before, began = _children_cpu_s(), time.perf_counter()
        record(binary, progress=nothing)
        wall_s, cpu_s = time.perf_counter() - began, _children_cpu_s() - cpu_before
        floor_s = max(cpu_s / cores, alone_s)
        ratios.append(wall_s / floor_s)
        print(
            f"three protocols {wall_s:5.2f} s   subjects' CPU {cpu_s:5.2f} s   "
            f"one alone {alone_s:5.2f} s   floor {floor_s:5.2f} s   ratio {ratios[-1]:.2f}"
        )
    print(f"median ratio {statistics.median(ratios):.2f} (limit {LIMIT})")


if __name__ == "__main__":
    main()
