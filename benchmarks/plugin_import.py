"""What having the plugin installed costs a foreign ``pytest --co``.

    python benchmarks/plugin_import.py

Imports the entry point under ``python -X importtime`` after pytest's own modules, as
every session does, and adds up what that takes beyond them.  (pytest loads entry
points by a function whose own imports ``importtime`` does not see, so that asking
``pytest --co`` itself would leave out a part.)  Prints the median of several runs
beside the limit; exits 1 above it.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys

LIMIT_MS = 20.0
RUNS = 7

#: What ``pytest --co`` has imported by the time it comes to the entry points.
_CODE = """
import pytest, _pytest.config, _pytest.terminal, _pytest.assertion
import pytest_cc_otel.plugin
"""

_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( *)(\S+)")


def cost_ms(stderr: str) -> float:
    """Milliseconds spent below ``harness`` and its modules: cumulative times, outermost only."""
    # A module is printed after the ones it imported, indented by its depth.
    lines = [(int(m[2]), len(m[3]), m[4]) for m in map(_LINE.match, stderr.splitlines()) if m]
    spent, covered = 0, -1
    for cumulative, depth, name in reversed(lines):
        if 0 <= covered < depth:
            continue
        covered = -1
        if name.split(".")[0] in ("harness", "pytest_cc_otel"):
            spent += cumulative
            covered = depth
    return spent / 1000


def main() -> int:
    costs = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", _CODE],
            capture_output=True,
            text=True,
            check=True,
        )
        costs.append(cost_ms(done.stderr))
    median = statistics.median(costs)
    print(
        f"plugin import: {median:.1f} ms (limit {LIMIT_MS:g} ms; {RUNS} runs, {min(costs):.1f}"
        f" to {max(costs):.1f} ms)"
    )
    return int(median > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
