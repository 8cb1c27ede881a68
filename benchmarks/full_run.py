"""How long a full run of the suite takes, over the longest wait that nobody can shorten.

That wait is one default interval of metrics (60 s) after the subject has started; all
else is to happen meanwhile.  Beside it stands the CPU time of all that was run.

    python benchmarks/full_run.py [SPEC] [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.record import jsonl as record
from harness.subject.binary import resolve

LIMIT = 1.15
#: No full run takes so long unless something hangs.
_DEADLINE_S = 900


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _full_run(spec: str, folder: Path) -> record.RunRecord:
    """Run the plugin as a user would, and read what it kept."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"--cc-binary={spec}", f"--cc-report={folder}"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
    )
    try:
        return record.read(folder / record.FILE_NAME)
    except Exception:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
        raise


def main() -> None:
    """Print a line a run and the median ratio beside its limit."""
    spec = sys.argv[1] if len(sys.argv) > 1 else "npm:latest"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    binary = resolve(spec, progress=print)
    print(f"claude {binary.version}, {os.cpu_count()} cores, limit {LIMIT} x the longest wait")
    ratios = []
    for _ in range(runs):
        cpu_before = _children_cpu_s()
        with tempfile.TemporaryDirectory() as folder:
            found = _full_run(spec, Path(folder))
        cpu_s = _children_cpu_s() - cpu_before
        assert found.footer is not None  # a record without one would not have been read
        header, ratio = found.header, found.footer.ratio
        assert ratio is not None, found.footer.why
        ratios.append(ratio)
        print(
            f"{len(header.runs)} runs   {header.wall_s:5.1f} s in all, subjects "
            f"{header.recording_s:5.1f} s, CPU {cpu_s:5.1f} s   "
            f"longest wait {header.unavoidable_s:5.1f} s   ratio {ratio:.2f}"
        )
    median = statistics.median(ratios)
    print(f"median ratio {median:.2f} (limit {LIMIT})")
    sys.exit(median > LIMIT)


if __name__ == "__main__":
    main()
