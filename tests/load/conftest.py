"""A load is sent as ``cc-harness load`` does, and collectors receive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness import Collector, CollectorResponse, cli
from harness.capture.export import Export
from harness.otlp.messages import ENCODINGS
from harness.relay.client import HttpClient
from harness.relay.endpoint import Endpoint
from harness.relay.ports import free_port

#: Exit code, result and progress of a load with these options.
Load = Callable[..., tuple[int, str, str]]
#: How often an export is passed on, by the number of it.
Often = Callable[[int], int]
#: Makes a relay to the HTTP port, and returns its URL for ``--to``.
MakeRelay = Callable[[int, Often], str]


@pytest.fixture
def load(capsys: pytest.CaptureFixture[str]) -> Load:
    def called(*options: str) -> tuple[int, str, str]:
        code = cli.main(["load", *options])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def out_port() -> int:
    return free_port()


@pytest.fixture
def relay() -> Iterator[MakeRelay]:
    """Relays that pass each export on over HTTP, as often as a test says."""
    relays: list[Collector] = []
    clients: list[HttpClient] = []

    def make(port: int, often: Often) -> str:
        client = HttpClient(Endpoint("http", "127.0.0.1", port))
        passed = 0

        def pass_on(export: Export) -> CollectorResponse | None:
            nonlocal passed
            passed += 1
            assert export.protocol is not None
            headers = (("content-type", ENCODINGS[export.protocol].value),)
            for _ in range(often(passed)):
                answer = client.send(f"/v1/{export.signal}", export.body, headers)
                assert answer.status == 200, answer
            return None

        relays.append(Collector(responder=pass_on).start())
        clients.append(client)
        return f"http://127.0.0.1:{relays[-1].http_port}"

    yield make
    for each in relays:
        each.stop()
    for client in clients:
        client.close()
