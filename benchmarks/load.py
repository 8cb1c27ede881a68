"""What the load generator sends, and what a collector in between costs, each beside its limit.

    python benchmarks/load.py [--relay COMMAND] [--seconds 3] [--rounds 3]

First to a collector of ours in a process of its own: the generator alone is to keep it busy, so
it must need less of a processor for a request than that does.  Then through COMMAND (the
transparent miniature of the tests without it; places as in --cc-collector-cmd), and last the
functional suite through it.  Load and collectors share this machine, so requests a second are
those of both; CPU times for a request hold on a busy machine, too.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from _load import child

from harness.collector.collector import Collector
from harness.load.counts import Counts
from harness.load.order import Order, sources
from harness.load.processes import send
from harness.otlp.model import Protocol
from harness.record import jsonl
from harness.relay import golden
from harness.relay.endpoint import Endpoint, Transport
from harness.relay.outlets.otlp import OtlpOutlet
from harness.relay.sending import endpoint_for
from harness.relay.target import Target, started

MINIATURE = Path(__file__).parents[1] / "tests" / "miniatures" / "collector" / "miniature.py"
RELAY = (
    f"{shlex.quote(sys.executable)} {shlex.quote(str(MINIATURE))} "
    "--grpc-in {grpc_in} --http-in {http_in} --http-out {http_out}"
)

GRPC: Transport = "grpc"
HTTP: Transport = "http"

CONNECTIONS = 8
#: The generator's CPU time for a request over that of our ingest.
RATIO = 1.0
#: The functional suite's wall time beside its longest unavoidable wait.
SUITE_S = 20.0
STORE_BYTES = 64 * 1024 * 1024
_DEADLINE_S = 300


@dataclass(frozen=True)
class Round:
    """One round: what was counted, and the CPU seconds of the receiving process."""

    counts: Counts
    receiver_cpu_s: float

    @property
    def rate(self) -> float:
        return self.counts.requests / self.counts.wall_s

    @property
    def generator_us(self) -> float:
        return self.counts.cpu_s / self.counts.requests * 1e6

    @property
    def receiver_us(self) -> float:
        return self.receiver_cpu_s / self.counts.requests * 1e6

    @property
    def busy(self) -> float:
        return self.receiver_cpu_s / self.counts.wall_s


def serve(protocol: Protocol) -> None:
    """Run a collector until standard input ends; then say what CPU time its requests took."""
    with Collector(limit_bytes=STORE_BYTES) as collector:
        began_s = time.process_time()
        print(collector.endpoint(protocol).rpartition(":")[2], flush=True)
        sys.stdin.read()
        print(time.process_time() - began_s)
    print(collector.exports[-1].sequence)


def sent(endpoint: Endpoint, protocol: Protocol, seconds: float) -> Counts:
    """Send as much as gets through."""
    recorded = sources(golden.load(golden.releases()[-1]), "golden")
    order = Order(
        (endpoint,),
        (protocol,),
        recorded,
        uuid.uuid4().hex,
        seconds=seconds,
        connections=CONNECTIONS,
    )
    counts = send(order, lambda seconds, counts: None).counts
    if counts.failed:
        raise RuntimeError(f"not everything was taken: {counts.reasons}")
    return counts


def direct(protocol: Protocol, seconds: float) -> Round:
    """Load a collector of ours."""
    with child(__file__, "--serve", protocol) as server:
        transport = GRPC if protocol is Protocol.GRPC else HTTP
        counts = sent(Endpoint(transport, "127.0.0.1", server.port), protocol, seconds)
    cpu_s, stored = float(server.said[0]), int(server.said[1])
    if stored != counts.requests:
        raise RuntimeError(f"sent {counts.requests} requests, stored {stored}")
    return Round(counts, cpu_s)


def relayed(command: str, protocol: Protocol, seconds: float) -> Round:
    """Load a collector that passes everything on to one of ours."""
    with OtlpOutlet() as outlet, started(Target(command=command), [outlet]) as collector:
        assert collector.process is not None
        process = running(collector.process.argv)
        before = process.cpu_times()
        endpoint = endpoint_for(protocol, collector.endpoints)
        if endpoint is None:
            raise RuntimeError(f"--relay names no place for {protocol}")
        counts = sent(endpoint, protocol, seconds)
        after = process.cpu_times()
    used_s = after.user + after.system - before.user - before.system
    return Round(counts, used_s)


def running(argv: Sequence[str]) -> psutil.Process:
    """The process of ours that runs this command."""
    children = psutil.Process().children()
    return next(each for each in children if each.cmdline()[1:] == [*argv][1:])


def suite(command: str) -> jsonl.RunRecord:
    """Judge the relay as a user would, and read the record."""
    with tempfile.TemporaryDirectory() as here:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *(f"--cc-collector-cmd={command}", f"--cc-report={here}"),
            ],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
        )
        try:
            return jsonl.read(Path(here) / jsonl.FILE_NAME)
        except Exception:
            print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
            raise


def row(name: str, value: float, sign: str = "", limit: float = 0.0) -> bool:
    """Print a figure beside its limit; return whether it is missed."""
    missed = bool(sign) and not (value >= limit if sign == ">=" else value <= limit)
    bound = f"{sign} {limit:g}{'  MISSED' if missed else ''}" if sign else ""
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    print(f"{name:58} {shown:>10}  {bound}".rstrip(), flush=True)
    return missed


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--relay", metavar="COMMAND", default=RELAY)
    options.add_argument("--serve", type=Protocol, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return 0
    failed = False
    print(f"{CONNECTIONS} connections, median of {chosen.rounds} rounds of {chosen.seconds:g} s")
    for protocol in Protocol:
        rounds = [direct(protocol, chosen.seconds) for _ in range(chosen.rounds)]
        generator = statistics.median(each.generator_us for each in rounds)
        receiver = statistics.median(each.receiver_us for each in rounds)
        print(f"{protocol} to our ingest")
        row("  requests/s", statistics.median(each.rate for each in rounds))
        row("  ingest busy, share of a core", statistics.median(each.busy for each in rounds))
        row("  ingest, CPU µs a request", receiver)
        row("  generator, CPU µs a request", generator)
        failed |= row("  generator over ingest", generator / receiver, "<=", RATIO)
    for protocol in Protocol:
        rounds = [relayed(chosen.relay, protocol, chosen.seconds) for _ in range(chosen.rounds)]
        print(f"{protocol} through the relay")
        row("  requests/s", statistics.median(each.rate for each in rounds))
        per_cpu_s = [1e6 / each.receiver_us for each in rounds]
        row("  requests per CPU-second of the relay", statistics.median(per_cpu_s))
    header = suite(chosen.relay).header
    print("the functional suite through the relay")
    row("  longest unavoidable wait, s", header.unavoidable_s)
    beside = header.wall_s - header.unavoidable_s
    failed |= row("  wall time beside it, s", beside, "<=", SUITE_S)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
