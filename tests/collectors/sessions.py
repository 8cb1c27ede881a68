"""Start a real collector, and post to it what a session of a few seconds tells."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.relay.ports import free_port
from harness.relay.process import CollectorProcess, is_healthy
from harness.relay.template import filled
from tests.collectors.shapes import SHAPES

SECOND = 1_000_000_000
#: Tokens of four exports of one session, and their sum.
TOKENS = (1046.0, 1083.0, 1120.0, 2351.0)
BILLED = 5600.0
#: When the windows of these exports begin, in seconds; each is a second long. In a session that
#: pauses, only the second one joins onto the one before.
PAUSING = (-9, -8, -4, -2)
BUSY = (-4, -3, -2, -1)


@dataclass(frozen=True, slots=True)
class Running:
    """A collector that runs: where it takes OTLP/HTTP."""

    http_in: str

    def post(self, signal: str, body: object) -> None:
        """Send one request; it must be accepted."""
        request = urllib.request.Request(
            f"http://{self.http_in}/v1/{signal}",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200


@contextlib.contextmanager
def pipeline(
    otelcol: Path, name: str, folder: Path, places: Mapping[str, str]
) -> Iterator[Running]:
    """Run one of our pipelines; ``places`` are those of its outlets."""
    grpc, http, health = (f"127.0.0.1:{free_port()}" for _ in range(3))
    given = {"grpc_in": grpc, "http_in": http, "health": health, "folder": str(folder), **places}
    path = folder / "config.yaml"
    path.write_text(filled(SHAPES[name].config.read_text(encoding="utf-8"), given, str(path)))
    with CollectorProcess((str(otelcol), f"--config={path}"), folder / "log", {}) as process:
        process.await_ready(lambda: is_healthy(f"http://{health}/"))
        yield Running(http)
        assert process.stop() == ""


def tokens(number: int, now: int, starts: Sequence[int] = PAUSING) -> dict[str, Any]:
    """Return the request of the export of a number, of a session that ends at ``now``."""
    start = now + starts[number] * SECOND
    point = {
        "startTimeUnixNano": str(start),
        "timeUnixNano": str(start + SECOND),
        "asDouble": TOKENS[number],
        "attributes": [_attribute("session.id", "s"), _attribute("type", "input")],
    }
    kind = {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}
    return _metrics({"name": "claude_code.token.usage", "unit": "tokens", "sum": kind})


def witness() -> dict[str, Any]:
    """Return a request that every backend takes: whatever was sent before it has come by then."""
    point = {"timeUnixNano": str(time.time_ns()), "asInt": "1"}
    return _metrics({"name": "witness", "gauge": {"dataPoints": [point]}})


def _metrics(metric: object) -> dict[str, Any]:
    return {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [metric]}]}]}


def _attribute(key: str, value: str) -> object:
    return {"key": key, "value": {"stringValue": value}}
