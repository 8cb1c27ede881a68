"""Measure how fast a capture is judged, and in how much memory: ``python benchmarks/fleet.py``.

The capture is made up of the recordings that come with us: every copy is of other sessions, with
other ids, durations and costs. Prints the parsers that could read it, then ``cc-harness check``.
Limits: at least 50 MB/s of JSON by the clock, at most 200 MB resident.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import harness
from harness.fleet import wire
from harness.otlp.codec import encode
from harness.otlp.messages import Encoding
from harness.relay import golden

LEAST_MB_S = 50.0
MOST_MB = 200.0

#: Sessions with all gates closed, as a fleet is by default.
SESSIONS = ("working_day", "terminal_day", "toolbox", "api_failures", "frequent", "mentions")

#: What differs from session to session: UUIDs, other ids, and numbers of any kind but times.
_VARYING = re.compile(
    rb"(?P<uuid>[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-))"
    rb"|(?P<id>(?:(?<=toolu_)|(?<=req_))[0-9A-Za-z]{6})"
    rb'|(?P<count>(?<="stringValue":")[0-9]{4,6}(?="))'
    rb'|(?P<cost>(?<="asDouble":)0\.[0-9]+)'
)


def templates() -> list[bytes]:
    """Return the messages of the recorded sessions, as lines of OTLP/JSON."""
    return [
        encode(export.message, Encoding.JSON)
        for release in golden.releases()
        for capture in golden.load(release)
        if capture.run.scenario in SESSIONS
        for export in capture.accepted
        if export.message is not None and export.items
    ]


def lines(seed: int) -> Iterator[bytes]:
    """Yield lines of sessions without end; ids are the same within a copy."""
    draw = random.Random(seed)
    originals = templates()
    copy = 0
    while True:
        copy += 1

        def varied(match: re.Match[bytes], copy: int = copy) -> bytes:
            text = match[0]
            if match.lastgroup == "uuid":
                return b"%08x" % ((int(text, 16) + copy) % (1 << 32))
            if match.lastgroup == "id":
                return b"%06d" % (copy % 1_000_000)
            if match.lastgroup == "count":
                return b"%d" % draw.randint(10 ** (len(text) - 1), 10 ** len(text) - 1)
            return b"%.6f" % (float(text) * draw.uniform(0.5, 2))

        for line in originals:
            yield _VARYING.sub(varied, line)


def write(path: Path, size: int) -> None:
    """Write a capture of about ``size`` bytes."""
    written = 0
    with path.open("wb") as file:
        for line in lines(1):
            written += file.write(line + b"\n")
            if written >= size:
                return


def parsers() -> dict[str, Callable[[bytes], Any]]:
    """Return the parsers that are compared; those that are not installed are left out."""
    found: dict[str, Callable[[bytes], Any]] = {
        "msgspec, typed (chosen)": wire.decode,
        "msgspec, plain": msgspec.json.Decoder().decode,
        "json": json.loads,
    }
    for name in ("orjson", "ujson"):
        try:
            found[name] = __import__(name).loads
        except ImportError:
            print(f"{name:<26} not installed")
    return found


def compare(sample: list[bytes]) -> None:
    """Print how fast each parser is, by the time of one core."""
    size = sum(map(len, sample)) / 1e6
    for name, parse in parsers().items():
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            for line in sample:
                parse(line)
            best = min(best, time.process_time() - started)
        print(f"{name:<26} {size / best:7.0f} MB/s of one core")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=300)
    options = parser.parse_args()
    source = lines(2)
    compare([next(source) for _ in range(300)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "otel.json"
        write(path, options.megabytes * 1_000_000)
        size = path.stat().st_size / 1e6
        # As pip does when it installs: a checkout may never have been compiled.
        compileall.compile_dir(Path(harness.__file__).parent, quiet=1)
        command = [sys.executable, "-m", "harness", "check", str(path)]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        took = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    # On macOS it is in bytes.
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(done.stdout[-2000:], done.stderr[-2000:])
    print(f"speed    {size / took:6.1f} MB/s by the clock (limit {LEAST_MB_S:g}), {took:.1f} s")
    print(f"         {size / cpu:6.1f} MB/s of its CPU time; load {os.getloadavg()[0]:.1f}")
    print(f"memory   {peak:6.1f} MB at its peak (limit {MOST_MB:g})")
    return int(size / took < LEAST_MB_S or peak > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
