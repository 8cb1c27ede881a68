"""How long it takes to tell lies about every promise that a run kept (``--cc-power``).

    python benchmarks/power_of_a_run.py DIR

DIR is a folder of ``--cc-captures`` with every scenario. What the live run knows already when it
begins to lie, its own verdicts, is made first and not counted.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from harness.assessment.assessment import Assessment
from harness.assessment.kept import load_recording
from harness.assessment.power import power_of

#: Somebody who asked for it is to get it before he looks elsewhere.
LIMIT_S = 15.0


def main() -> None:
    """Print the figure beside its limit; of a busy machine, the time of the CPU tells more."""
    folder = Path(sys.argv[1])
    _, subject, recording = load_recording(folder)
    assessment = Assessment(subject.spec, subject.version, lambda: recording)
    rows = [assessment.row(each) for each in assessment.contract.requirements]
    began = time.process_time()
    power = power_of(assessment, rows)
    cpu_s = time.process_time() - began
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {subject.spec}")
    print(f"{power.told}; {power.lies} lies")
    print(f"{power.seconds:.1f} s, CPU {cpu_s:.1f} s (limit {LIMIT_S:.0f} s)")
    if cpu_s > LIMIT_S:
        sys.exit("too slow")


if __name__ == "__main__":
    main()
