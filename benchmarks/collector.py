"""What the fake collector costs, each figure beside its limit; exits with 1 over a limit.

    python benchmarks/collector.py [--rounds 3] [--seconds 3]

Servers run in processes of their own, load and server on this machine.  The collector
and the bare server that it is compared with take turns; figures are medians.  The limit
in requests per second of JSON is meant for a quiet machine with two cores; the ratios to the
bare servers hold on a busy one too.  Protobuf over HTTP is held to a ratio alone: on two cores
of which the load takes one, bare uvicorn, which parses nothing, was seen to store 21,000 to
35,000 a second, and a rate of 25,000 was more than it had.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from _load import Child, child, h2load_grpc, metrics_body, require, wrk

from harness.otlp.codec import encode
from harness.otlp.messages import Encoding, ExportMetricsServiceRequest

if TYPE_CHECKING:
    from harness import Collector

HTTP_SERVERS = str(Path(__file__).with_name("http_servers.py"))
BARE_HTTP = "uvicorn + httptools + uvloop"
PROTOBUF, JSON = (encoding.value for encoding in Encoding)
METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

CONNECTIONS = 8
GRPC_RATIO = 0.9
STORE_BYTES = 64 * 1024 * 1024
#: Of bare uvicorn's rate, though each body is parsed as a whole.
HTTP_RATIO = 0.7
JSON_RATE = 10_000
#: Of the store's limit: bodies are counted exactly, what is around them by estimate.
MEMORY_RATIO = 1.25
WAKE_MS = 5.0
START_MS = 50.0


def serve_collector(protocol: str) -> None:
    """Run a collector until standard input ends; then say what it stored and grew by."""
    from harness import Collector

    with Collector(limit_bytes=STORE_BYTES) as collector:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        endpoint = collector.grpc_endpoint if protocol == "grpc" else collector.http_endpoint
        print(endpoint.rpartition(":")[2], flush=True)
        sys.stdin.read()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(collector.exports[-1].sequence)
    print(sum(1 for export in collector.exports if export.rejected))
    print(grown * (1 if sys.platform == "darwin" else 1024))


def serve_bare_grpc() -> None:
    """grpcio at its least: keep the bytes, answer nothing."""
    import grpc

    stored: deque[bytes] = deque(maxlen=1000)

    def store(request: bytes, context: grpc.ServicerContext) -> bytes:
        stored.append(request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(store)
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(METHOD.split("/")[1], {"Export": handler})]
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None).wait()


def http_load(
    seconds: int, body: bytes, media_type: str = PROTOBUF, coding: str = ""
) -> Callable[[Child], tuple[float, int]]:
    sent = gzip.compress(body) if coding else body

    def rate(server: Child, seconds: int) -> float:
        return wrk(
            server.port,
            sent,
            connections=CONNECTIONS,
            seconds=seconds,
            media_type=media_type,
            coding=coding,
        )

    def load(server: Child) -> tuple[float, int]:
        rate(server, 1)
        seen = rate(server, seconds)
        return seen, int(seen * seconds)

    return load


@contextmanager
def rotel() -> Iterator[Child]:
    """Run rotel's agent, which takes exports and drops them, from the package of that name."""
    spec = importlib.util.find_spec("rotel")
    if spec is None or spec.origin is None:
        sys.exit("this benchmark needs the package `rotel` (group `test`): not found")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        agent = shutil.copy(Path(spec.origin).with_name("rotel-agent"), folder)
        Path(agent).chmod(0o755)
        places = ["--pid-file", f"{folder}/pid", "--log-file", f"{folder}/log"]
        listen = ["--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint"]
        process = subprocess.Popen(
            [agent, "start", *places, *listen, "127.0.0.1:0", "--exporter", "blackhole"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    if time.monotonic() > end or process.poll() is not None:
                        sys.exit(f"rotel does not listen on port {port}")
                    time.sleep(0.05)  # nothing tells that it listens
            yield Child(port=port, pid=process.pid)
        finally:
            process.terminate()
            process.wait()


def grpc_load(seconds: int, body: bytes) -> Callable[[Child], tuple[float, int]]:
    def load(server: Child) -> tuple[float, int]:
        warm = h2load_grpc(server.port, METHOD, body, streams=CONNECTIONS, requests=1000)
        requests = int(warm * seconds)
        rate = h2load_grpc(server.port, METHOD, body, streams=CONNECTIONS, requests=requests)
        return rate, requests + 1000

    return load


def measure(
    arguments: tuple[str, ...], load: Callable[[Child], tuple[float, int]], grown: list[float]
) -> float:
    """One round on a collector: every answered request must have been stored."""
    with child(__file__, *arguments) as server:
        rate, answered = load(server)
    stored, rejected, growth = map(int, server.said)
    if stored < answered or rejected:
        raise RuntimeError(f"answered {answered}, stored {stored}, rejected {rejected}")
    grown.append(growth / 1e6)
    return rate


def wake_ms(times: int) -> list[float]:
    """From the arrival of a request to the return of a waiter in another thread, in ms."""
    from harness import Collector

    late: list[float] = []
    with Collector() as collector, socket.create_connection(_address(collector)) as client:
        request = (
            b"POST /v1/metrics HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: 0\r\n\r\n"
        )
        for number in range(1, times + 1):
            waiting = threading.Event()

            def wait(number: int = number, waiting: threading.Event = waiting) -> None:
                def arrived(exports: object) -> bool:
                    waiting.set()
                    return len(collector.exports) >= number

                collector.wait_for(arrived, 10)
                late.append((time.time_ns() - collector.exports[-1].arrived_unix_nano) / 1e6)

            thread = threading.Thread(target=wait)
            thread.start()
            waiting.wait()
            time.sleep(0.002)  # until it sleeps: what is measured is the waking
            client.sendall(request)
            client.recv(4096)
            thread.join()
    return late


def start_ms(times: int) -> list[float]:
    from harness import Collector

    took = []
    for _ in range(times):
        begun = time.perf_counter()
        collector = Collector().start()
        took.append((time.perf_counter() - begun) * 1e3)
        collector.stop()
    return took


def _address(collector: Collector) -> tuple[str, int]:
    host, _, port = collector.http_endpoint.removeprefix("http://").rpartition(":")
    return host, int(port)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--serve", choices=("http", "grpc", "bare-grpc"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve == "bare-grpc":
        serve_bare_grpc()
        return 0
    if chosen.serve:
        serve_collector(chosen.serve)
        return 0
    require("wrk", "wrk")
    require("h2load", "nghttp2-client")
    body = metrics_body()
    as_json = encode(ExportMetricsServiceRequest.FromString(body), Encoding.JSON)
    rates: dict[str, list[float]] = defaultdict(list)
    grown: list[float] = []
    on_grpc = grpc_load(chosen.seconds, body)
    over_http = {
        "http": http_load(chosen.seconds, body),
        "http gzip": http_load(chosen.seconds, body, coding="gzip"),
        "json": http_load(chosen.seconds, as_json, JSON),
        "json gzip": http_load(chosen.seconds, as_json, JSON, "gzip"),
    }
    for _ in range(chosen.rounds):
        with child(HTTP_SERVERS, "--serve", BARE_HTTP) as server:
            rates["bare http"].append(over_http["http"](server)[0])
        for name, load in over_http.items():
            rates[name].append(measure(("--serve", "http"), load, grown))
        with rotel() as server:
            for name in ("http", "json"):
                rates[f"rotel {name}"].append(over_http[name](server)[0])
        with child(__file__, "--serve", "bare-grpc") as server:
            rates["bare grpc"].append(on_grpc(server)[0])
        rates["grpc"].append(measure(("--serve", "grpc"), on_grpc, grown))
    started = start_ms(20)
    woken = wake_ms(200)

    middle = {name: statistics.median(seen) for name, seen in rates.items()}
    limit_mb = STORE_BYTES / 1e6
    rows = [
        ("http/protobuf stored, requests/s", middle["http"], "", 0),
        ("  bare uvicorn, same body, same run", middle["bare http"], "", 0),
        ("  ratio to bare uvicorn", middle["http"] / middle["bare http"], ">=", HTTP_RATIO),
        ("  rotel, same body, same run", middle["rotel http"], "", 0),
        ("http/protobuf gzip stored, requests/s", middle["http gzip"], "", 0),
        ("http/json stored, requests/s", middle["json"], ">=", JSON_RATE),
        ("  rotel, same body, same run", middle["rotel json"], "", 0),
        ("http/json gzip stored, requests/s", middle["json gzip"], "", 0),
        ("grpc stored, requests/s", middle["grpc"], "", 0),
        ("  bare grpcio, same body, same run", middle["bare grpc"], "", 0),
        ("  ratio to bare grpcio", middle["grpc"] / middle["bare grpc"], ">=", GRPC_RATIO),
        (f"memory grown by, MB (store: {limit_mb:.0f})", max(grown), "<=", limit_mb * MEMORY_RATIO),
        ("waiter wakes after arrival, ms, median", statistics.median(woken), "<=", WAKE_MS),
        ("  worst of 200", max(woken), "", 0),
        ("start of both servers, ms, median", statistics.median(started), "<=", START_MS),
        ("  worst of 20", max(started), "<=", START_MS),
    ]
    print(
        f"{len(body)} B metrics ({len(as_json)} B of JSON), {CONNECTIONS} connections (HTTP) or "
        f"streams (gRPC), median of {chosen.rounds} rounds of {chosen.seconds} s"
    )
    failed = False
    for name, value, sign, limit in rows:
        missed = bool(sign) and not (value >= limit if sign == ">=" else value <= limit)
        failed = failed or missed
        bound = f"{sign} {_figure(limit)}{'  MISSED' if missed else ''}" if sign else ""
        print(f"{name:44} {_figure(value):>10}  {bound}".rstrip())
    return int(failed)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
