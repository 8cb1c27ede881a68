"""Whether two recordings of one release give one inventory, while other work keeps the cores busy.

    python benchmarks/same_inventory.py [SPEC...]

Without SPEC five pairs: the conforming emitter twice, and three releases. What differs is printed,
and the exit code is 1.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.assessment.sides import record_side
from harness.themes.catalogue import SCENARIOS

PAIRS = ("reference", "reference:2.1.31", "npm:2.1.152", "npm:2.1.240", "npm:2.1.332")

#: Sessions that show most of an inventory. One lasts long enough for the housekeeping that a
#: release does some ten seconds after its start, so that a slow session has no more of it.
NAMES = (
    *("intervals_short", "toolbox", "toolbox_details", "working_day", "terminal_day"),
    *("api_failures", "frequent", "helper_fails", "mentions", "one_variable_each"),
    *("refusing_http", "settings_levels", "tls_trusted", "usage_frames"),
)


def _spin() -> None:
    while True:
        pass


@contextmanager
def _busy() -> Iterator[None]:
    """Keep half of the cores busy, one at least."""
    spinners = [
        multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
        for _ in range(max(1, (os.cpu_count() or 1) // 2))
    ]
    for each in spinners:
        each.start()
    try:
        yield
    finally:
        for each in spinners:
            each.kill()
            each.join()


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _flat(member, f"{path} · {key}" if path else key)
    else:
        yield path, json.dumps(value)


def _differences(spec: str) -> list[str]:
    scenarios = [scenario for scenario in SCENARIOS.values() if scenario.name in NAMES]
    first = record_side(spec, scenarios, lambda line: None).inventory
    with _busy():
        second = record_side(spec, scenarios, lambda line: None).inventory
    one, other = dict(_flat(first)), dict(_flat(second))
    return [
        f"{path}: {one.get(path)} / {other.get(path)}"
        for path in sorted(one.keys() | other.keys())
        if one.get(path) != other.get(path)
    ]


def main() -> None:
    """Print a line for each pair, and below it what differs."""
    found = 0
    for spec in sys.argv[1:] or PAIRS:
        began = time.monotonic()
        differing = _differences(spec)
        found += len(differing)
        took_s = time.monotonic() - began
        print(f"{spec}: {len(differing)} differences, {took_s:.0f} s", *differing, sep="\n  ")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
