"""Shared by the benchmarks: a realistic body, servers as child processes, wrk and h2load."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality


def metrics_body(points: int = 90) -> bytes:
    """A binary ``ExportMetricsServiceRequest``: about 25 KB with 90 points of 5 attributes."""

    def pair(key: str, text: str) -> KeyValue:
        return KeyValue(key=key, value=AnyValue(string_value=text))

    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    resource_metrics.resource.attributes.append(pair("service.name", "claude-code"))
    scope_metrics = resource_metrics.scope_metrics.add()
    scope_metrics.scope.name = "com.anthropic.claude_code"
    metric = scope_metrics.metrics.add(name="claude_code.token.usage", unit="tokens")
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    for number in range(points):
        point = metric.sum.data_points.add(
            start_time_unix_nano=1_770_000_000_000_000_000,
            time_unix_nano=1_770_000_060_000_000_000,
            as_double=float(number),
        )
        point.attributes.extend(
            [
                pair("user.id", "5f4dcc3b5aa765d61d8327deb882cf99" * 2),
                pair("session.id", f"7d444840-9dc0-11d1-b245-{number:012d}"),
                pair("organization.id", "7d444840-9dc0-11d1-b245-5ffdce74fad2"),
                pair("type", "cacheCreation"),
                pair("model", "claude-sonnet-4-5"),
            ]
        )
    return request.SerializeToString()


def require(tool: str, package: str) -> None:
    """End the benchmark with a sentence that says what to install."""
    if shutil.which(tool) is None:
        sys.exit(f"this benchmark needs `{tool}` on PATH (package `{package}`): not found")


@dataclass
class Child:
    """A server in its own process.  Costs are known after it has ended."""

    port: int
    pid: int
    cpu_s: float = 0.0
    max_rss_mb: float = 0.0
    said: list[str] = field(default_factory=list)


@contextmanager
def child(script: str, *arguments: str) -> Iterator[Child]:
    """Run ``python SCRIPT ARGUMENTS``; its first line of output is its port.

    The script runs until its standard input ends; what it then prints is in ``said``.
    """
    process = subprocess.Popen(
        [sys.executable, script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"{script} {arguments}: expected a port, saw {line!r}")
        server = Child(port=int(line), pid=process.pid)
        yield server
        process.stdin.close()
        server.said = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        server.cpu_s = usage.ru_utime + usage.ru_stime
        scale = 1 if sys.platform == "darwin" else 1024
        server.max_rss_mb = usage.ru_maxrss * scale / 1e6
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        process.stdin.close()
        process.stdout.close()


def wrk(
    port: int,
    body: bytes,
    *,
    connections: int,
    seconds: int,
    media_type: str = "application/x-protobuf",
    coding: str = "",
) -> float:
    """Answered requests per second for POSTs of ``body`` to ``/v1/metrics``."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(
            'wrk.method = "POST"\n'
            f'wrk.headers["Content-Type"] = "{media_type}"\n'
            + (f'wrk.headers["Content-Encoding"] = "{coding}"\n' if coding else "")
            + f'wrk.body = io.open("{folder}/body", "rb"):read("*a")\n'
        )
        output = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "-s",
                str(script),
                f"http://127.0.0.1:{port}/v1/metrics",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(output)
    return _number(r"Requests/sec:\s+([\d.]+)", output)


def h2load_grpc(port: int, method: str, body: bytes, *, streams: int, requests: int) -> float:
    """Answered unary gRPC calls per second over one connection."""
    framed = b"\0" + len(body).to_bytes(4, "big") + body
    with tempfile.NamedTemporaryFile() as data:
        data.write(framed)
        data.flush()
        output = subprocess.run(
            [
                "h2load",
                "-t1",
                "-c1",
                f"-m{streams}",
                f"-n{requests}",
                f"-d{data.name}",
                "-Hcontent-type: application/grpc",
                "-Hte: trailers",
                f"http://127.0.0.1:{port}{method}",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    if f"{requests} succeeded" not in output:
        raise RuntimeError(output)
    return _number(r"finished in .*?, ([\d.]+) req/s", output)


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None:
        raise RuntimeError(f"no {pattern!r} in:\n{output}")
    return float(found[1])
