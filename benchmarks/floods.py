"""How much memory the whole process takes under each flood; exits with 1 over the limit.

    python benchmarks/floods.py [NAME...]

The collectors run in a process that has imported all that pytest imports for a run of the CLI, so
that the peak is what pytest would take. The limit: 512 MB, besides the 256 MB of the captures.
"""

from __future__ import annotations

import contextlib
import gzip
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zstandard
from _load import child

#: Besides what the captures may take.
LIMIT_MB = 512
CAPTURES_MB = 256
#: How long a flood without end goes on.
_SECONDS = 4.0

JSON, PROTOBUF = "application/json", "application/x-protobuf"


def serve(number: str, ports: str) -> None:
    """Run collectors of one session until standard input ends; then say the peak in kilobytes.

    Their ports are written to the file ``ports``.
    """
    import harness.assessment.job
    import harness.plugin  # noqa: F401
    from harness import Collector
    from harness.collector.store import Budget

    budget = Budget()
    with contextlib.ExitStack() as stack:
        collectors = [stack.enter_context(Collector()) for _ in range(int(number))]
        for collector in collectors:
            collector.store.draw_on(budget)
        Path(ports).write_text(" ".join(str(each.http_port) for each in collectors))
        print(collectors[0].http_port, flush=True)
        sys.stdin.read()
        held = sum(len(export.body) for each in collectors for export in each.exports)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // (1024 if sys.platform == "darwin" else 1))
    print(held)


def head(length: int, media_type: str, coding: str = "") -> bytes:
    """Return the head of a request with a body of ``length`` bytes."""
    lines = ["POST /v1/logs HTTP/1.1", "Host: x", f"Content-Type: {media_type}"]
    lines += [f"Content-Length: {length}", *([f"Content-Encoding: {coding}"] if coding else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def connected(port: int) -> socket.socket:
    """Return a connection that gives up after a minute."""
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def told(port: int, request: bytes) -> None:
    """Send a request, as far as it is taken, and wait for the first of an answer."""
    with contextlib.suppress(OSError), connected(port) as connection:
        connection.sendall(request)
        connection.recv(100)


def many_headers(port: int) -> None:
    """120 requests of 100,000 headers."""
    headers = b"".join(b"h%d: x\r\n" % number for number in range(100_000))
    for _ in range(120):
        told(port, b"POST /v1/logs HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")


def long_headers(port: int) -> None:
    """40 requests with a header of 20 MB."""
    for _ in range(40):
        told(port, b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000_000 + b"\r\n\r\n")


def endless_headers(port: int) -> None:
    """Headers on one connection, as long as they are taken."""
    end = time.monotonic() + _SECONDS
    with contextlib.suppress(OSError), connected(port) as connection:
        connection.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\n")
        while time.monotonic() < end:
            connection.sendall(b"a: " + b"x" * 10_000 + b"\r\n")


def unfinished(port: int) -> None:
    """30 connections, each with 60 MB of a body that does not end."""
    held = []
    for _ in range(30):
        connection = connected(port)
        held.append(connection)
        with contextlib.suppress(OSError):
            connection.sendall(head(66_000_000, PROTOBUF) + b"x" * 60_000_000)
    for connection in held:
        connection.close()


def pipelined(port: int) -> None:
    """Requests on one connection, as long as they are taken, whose answers nobody reads."""
    end = time.monotonic() + _SECONDS
    request = (head(2, JSON) + b"{}") * 1000
    with contextlib.suppress(OSError), connected(port) as connection:
        connection.settimeout(1)
        while time.monotonic() < end:
            connection.sendall(request)


def bodies(port: int) -> None:
    """150 MB in requests of a megabyte, to each collector."""
    body = b'{"resourceLogs":[],"x":"' + b"y" * 1_000_000 + b'"}'
    for _ in range(150):
        told(port, head(len(body), JSON) + body)


def expanding(make: Callable[[], bytes], media_type: str, coding: str) -> Callable[[int], None]:
    """Return a flood of five requests that are small, and large when they are decompressed."""
    compress = gzip.compress if coding == "gzip" else zstandard.compress

    def flood(port: int) -> None:
        body = compress(make())
        for _ in range(5):
            told(port, head(len(body), media_type, coding) + body)

    return flood


def records() -> bytes:
    """Return ten million log records with nothing in them."""
    return b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 10_000_000 + b"{}]}]}]}"


def objects() -> bytes:
    """Return a list of empty objects, which is no request."""
    return b"[" + b"{}," * 21_000_000 + b"{}]"


def lists() -> bytes:
    """Return a field that is unknown, of empty lists."""
    return b'{"x":[' + b"[]," * 20_000_000 + b"[]]}"


def groups() -> bytes:
    """Return groups of protobuf with nothing in them."""
    return b"\x0b\x0c" * 31_000_000


def zeros() -> bytes:
    """Return a gigabyte of zeros."""
    return bytes(1_000_000_000)


FLOODS: dict[str, Callable[[int], None]] = {
    "many headers": many_headers,
    "long headers": long_headers,
    "endless headers": endless_headers,
    "unfinished bodies": unfinished,
    "answers not read": pipelined,
    "bodies of a megabyte": bodies,
    "gzip: empty objects": expanding(objects, JSON, "gzip"),
    "gzip: log records": expanding(records, JSON, "gzip"),
    "gzip: unknown lists": expanding(lists, JSON, "gzip"),
    "gzip: empty groups": expanding(groups, PROTOBUF, "gzip"),
    "gzip: zeros": expanding(zeros, PROTOBUF, "gzip"),
    "zstd: log records": expanding(records, JSON, "zstd"),
    "zstd: zeros": expanding(zeros, PROTOBUF, "zstd"),
}


def measured(name: str) -> float:
    """Make one flood, print what it took, and return the peak in megabytes."""
    number = 4 if name == "bodies of a megabyte" else 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ports = Path(folder) / "ports"
        with child(__file__, "serve", str(number), str(ports)) as server:
            for port in ports.read_text().split():
                FLOODS[name](int(port))
    peak, held = int(server.said[-2]) / 1e3, int(server.said[-1]) / 1e6
    took = time.monotonic() - started
    print(f"{name:<24} {peak:6.0f} MB at its peak, {held:5.0f} MB kept, {took:5.1f} s", flush=True)
    return peak


def main() -> int:
    """Print a line for each flood, and the worst beside the limit."""
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:4])
        return 0
    names = sys.argv[1:] or list(FLOODS)
    worst = max(map(measured, names))
    limit = LIMIT_MB + CAPTURES_MB
    print(f"worst {worst:.0f} MB (limit {limit}: {LIMIT_MB} besides {CAPTURES_MB} of captures)")
    return int(worst > limit)


if __name__ == "__main__":
    sys.exit(main())
