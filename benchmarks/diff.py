"""How long it takes to compare two releases, recorded side by side.

Beside it stands the longer side's own full run, which judges that release alone, and the time of
a comparison without the sessions that wait (``--quick``).

    python benchmarks/diff.py [OLD] [NEW]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

from harness.subject.binary import resolve

#: A comparison takes no longer than so many full runs of the side that takes longer.
LIMIT = 1.3
QUICK_LIMIT_S = 30.0
#: Nothing of this takes so long unless something hangs.
_DEADLINE_S = 900


def _timed(*arguments: str) -> tuple[float, float]:
    """Run a command; return its seconds, and those of CPU."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
        )
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):  # 1: a requirement fails, or a difference
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{took:6.1f} s, CPU {used:6.1f} s   {' '.join(arguments)}", flush=True)
    return took, used


def main() -> None:
    """Print a line a command, and the ratios beside their limits."""
    specs = tuple(sys.argv[1:3]) if len(sys.argv) > 2 else ("npm:2.1.330", "npm:2.1.332")
    for spec in specs:
        resolve(spec, progress=print)  # no installation is to be measured
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    quick_s, _ = _timed("harness", "diff", *specs, "--quick")
    both_s, _ = _timed("harness", "diff", *specs)
    alone_s = max(
        _timed("pytest", "-q", "-p", "no:cacheprovider", f"--cc-binary={spec}")[0] for spec in specs
    )
    ratio = both_s / alone_s
    print(f"quick {quick_s:.1f} s (limit {QUICK_LIMIT_S:.0f} s)")
    print(f"ratio {ratio:.2f} to the longer side's own full run (limit {LIMIT})")
    sys.exit(ratio > LIMIT or quick_s > QUICK_LIMIT_S)


if __name__ == "__main__":
    main()
