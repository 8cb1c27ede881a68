"""Starting, stopping, waiting: threads, sockets, ports, memory."""

from __future__ import annotations

import asyncio
import gc
import http.client
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import grpc
import pytest

from harness import Collector, Export
from harness.collector.grpc_server import METHODS
from harness.collector.store import StoreClosedError, weight
from harness.errors import DeadlineExceeded, UsageError
from harness.otlp.model import Protocol
from harness.serving import server
from tests.collector.answers import whole_answer

T = TypeVar("T")

DEADLINE_S = 60
METRICS = next(iter(METHODS))
HALF = (
    b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{"
)


def address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("http://").rpartition(":")
    return host, int(port)


def post(collector: Collector, body: bytes = b"{}") -> int:
    with closing(http.client.HTTPConnection(*address(collector.http_endpoint))) as client:
        client.request("POST", "/v1/metrics", body, {"Content-Type": "application/json"})
        return client.getresponse().status


def call(collector: Collector) -> bytes:
    with grpc.insecure_channel(address_text(collector.grpc_endpoint)) as channel:
        answer: bytes = channel.unary_unary(METRICS, None, None)(b"", timeout=DEADLINE_S)
        return answer


def address_text(endpoint: str) -> str:
    return endpoint.removeprefix("http://")


def until(condition: Callable[[], T], what: str) -> T:
    """For what has no event to wait for; yields to other threads between two looks."""
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < end, what
        threading.Event().wait(0.001)
    return value


def refuses(endpoint: str) -> bool:
    try:
        socket.create_connection(address(endpoint)).close()
    except ConnectionError:
        return True
    return False


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_endpoints_name_the_ports(collector: Collector) -> None:
    assert collector.http_endpoint.startswith("http://127.0.0.1:")
    assert collector.grpc_endpoint.startswith("http://127.0.0.1:")
    assert collector.endpoint(Protocol.GRPC) == collector.grpc_endpoint
    assert collector.endpoint(Protocol.HTTP_JSON) == collector.http_endpoint
    assert collector.endpoint(Protocol.HTTP_PROTOBUF) == collector.http_endpoint
    assert not collector.http_endpoint.endswith(":0")
    assert collector.http_endpoint != collector.grpc_endpoint


def test_ipv6() -> None:
    with Collector(host="::1") as collector:
        assert collector.http_endpoint.startswith("http://[::1]:")
        with socket.create_connection(
            ("::1", int(collector.http_endpoint.rpartition(":")[2]))
        ) as s:
            s.sendall(HALF + b"}")
            assert whole_answer(s)[0] == 200
        call(collector)
        assert [export.peer[:6] for export in collector.exports] == ["[::1]:"] * 2


def test_many_collectors_at_once_do_not_mix() -> None:
    with ExitStack() as stack:
        collectors = [stack.enter_context(Collector()) for _ in range(10)]
        for number, collector in enumerate(collectors):
            for _ in range(number):
                assert post(collector) == 200
            call(collector)
        assert [len(collector.exports) for collector in collectors] == list(range(1, 11))


def test_stop_may_be_repeated_and_keeps_what_arrived() -> None:
    collector = Collector().start()
    post(collector)
    call(collector)
    collector.stop()
    collector.stop()
    assert refuses(collector.http_endpoint)
    assert refuses(collector.grpc_endpoint)
    assert [export.protocol for export in collector.exports] == [
        Protocol.HTTP_JSON,
        Protocol.GRPC,
    ]


def test_stop_before_start_and_start_twice() -> None:
    Collector().stop()
    with Collector() as collector, pytest.raises(RuntimeError, match="started before"):
        collector.start()
    with pytest.raises(RuntimeError, match="started before"):
        collector.start()


def test_nothing_is_left_behind() -> None:
    def cycle() -> None:
        with Collector() as collector:
            # Left open on purpose: an idle connection must not hold up the stop.
            client = http.client.HTTPConnection(*address(collector.http_endpoint))
            client.request("POST", "/v1/metrics", b"{}", {"Content-Type": "application/json"})
            client.getresponse().read()
            call(collector)
        client.close()

    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/dev/fd"))

    cycle()  # grpcio opens some for the life of the process
    threads, files = set(threading.enumerate()), descriptors()
    for _ in range(10):
        cycle()
    assert until(lambda: set(threading.enumerate()) <= threads, f"threads: {threading.enumerate()}")
    assert until(lambda: descriptors() <= files, "file descriptors")


def on_port(option: str, port: int) -> Collector:
    return Collector(http_port=port) if option == "http_port" else Collector(grpc_port=port)


@pytest.mark.parametrize("option", ["http_port", "grpc_port"])
def test_a_port_already_taken_is_named(option: str) -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        collector = on_port(option, port)
        with pytest.raises(UsageError, match=f"{option}={port}.*in use"):
            collector.start()
        collector.stop()
    until(lambda: set(threading.enumerate()) <= before, "a thread was left")


@pytest.mark.parametrize("option", ["http_port", "grpc_port"])
def test_two_collectors_cannot_share_a_port(option: str) -> None:
    with Collector() as first:
        endpoint = first.http_endpoint if option == "http_port" else first.grpc_endpoint
        with pytest.raises(UsageError, match=option):
            on_port(option, address(endpoint)[1]).start()
        assert post(first) == 200


@pytest.mark.parametrize("port", [-1, 70000])
def test_an_impossible_port_is_named(port: int) -> None:
    with pytest.raises(UsageError, match=f"grpc_port={port}"):
        Collector(grpc_port=port).start()


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(UsageError, match=r"host='192\.0\.2\.1'"):
        Collector(host="192.0.2.1").start()


def test_a_given_port_is_used_and_free_again_afterwards() -> None:
    with Collector() as first:
        http_port = address(first.http_endpoint)[1]
        grpc_port = address(first.grpc_endpoint)[1]
        post(first)
        call(first)
    with Collector(http_port=http_port, grpc_port=grpc_port) as second:
        assert second.http_endpoint == first.http_endpoint
        assert second.grpc_endpoint == first.grpc_endpoint
        assert post(second) == 200
        call(second)


def test_stop_ends_waits() -> None:
    collector = Collector().start()
    failures: list[BaseException] = []
    asked = threading.Event()

    def nothing(exports: Sequence[Export]) -> None:
        asked.set()

    def wait() -> None:
        try:
            collector.wait_for(nothing, DEADLINE_S)
        except StoreClosedError as error:
            failures.append(error)

    waiter = in_thread(wait)
    assert asked.wait(DEADLINE_S)
    collector.stop()
    waiter.join()
    assert len(failures) == 1


def test_every_waiter_wakes_and_sees_what_was_there(collector: Collector) -> None:
    post(collector)
    results: list[int] = []
    asked = [threading.Event() for _ in range(5)]

    def wait(event: threading.Event) -> None:
        def two(exports: Sequence[Export]) -> int | None:
            event.set()
            return len(exports) if len(exports) >= 2 else None

        results.append(collector.wait_for(two, DEADLINE_S))

    waiters = [in_thread(partial(wait, event)) for event in asked]
    for event in asked:
        assert event.wait(DEADLINE_S)
    call(collector)
    for waiter in waiters:
        waiter.join()
    assert results == [2] * 5
    assert len(collector.wait_for_exports(2, 0)) == 2


def test_a_wait_that_fails_lists_what_was_seen(collector: Collector) -> None:
    post(collector, b"nonsense")
    with pytest.raises(DeadlineExceeded, match=r"1 accepted exports.*\n.*/v1/metrics status 400"):
        collector.wait_for_exports(1, 0)


def test_stop_lets_an_http_request_finish() -> None:
    collector = Collector().start()
    with socket.create_connection(address(collector.http_endpoint), DEADLINE_S) as client:
        client.sendall(HALF)
        assert post(collector) == 200  # the half request was accepted before this one
        stopping = in_thread(lambda: collector.stop(grace_s=DEADLINE_S))
        until(lambda: refuses(collector.http_endpoint), "the port stayed open")
        client.sendall(b"}")
        assert whole_answer(client)[0] == 200
        assert client.recv(65536) == b""
    stopping.join()
    assert [export.status for export in collector.exports] == [200, 200]


def test_stop_lets_a_grpc_call_finish() -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(export: Export) -> None:
        arrived.set()
        go_on.wait(DEADLINE_S)

    collector = Collector(responder=hold).start()
    answers: list[bytes] = []
    client = in_thread(lambda: answers.append(call(collector)))
    assert arrived.wait(DEADLINE_S)
    stopping = in_thread(lambda: collector.stop(grace_s=DEADLINE_S))
    until(lambda: refuses(collector.grpc_endpoint), "the port stayed open")
    go_on.set()
    client.join()
    stopping.join()
    assert answers == [b""]
    assert [export.rejected for export in collector.exports] == [""]


def test_stop_cuts_off_what_does_not_end() -> None:
    collector = Collector().start()
    with socket.create_connection(address(collector.http_endpoint), DEADLINE_S) as client:
        client.sendall(HALF)
        assert post(collector) == 200
        collector.stop(grace_s=0.01)
        assert client.recv(65536) == b""
    _, cut_off = collector.exports
    assert (cut_off.status, cut_off.body) == (0, b"{")
    assert "connection ended" in cut_off.rejected


def test_stop_under_load_loses_nothing_that_was_answered() -> None:
    collector = Collector().start()
    answered = [0] * 4

    def load(number: int) -> None:
        try:
            with closing(http.client.HTTPConnection(*address(collector.http_endpoint))) as client:
                while True:
                    client.request("POST", "/v1/logs", b"{}", {"Content-Type": "application/json"})
                    assert client.getresponse().read() == b"{}"
                    answered[number] += 1
        except (ConnectionError, http.client.HTTPException):
            pass

    clients = [in_thread(partial(load, number)) for number in range(4)]
    collector.wait_for_exports(200, DEADLINE_S)
    collector.stop()
    for client in clients:
        client.join()
    assert sum(answered) >= 196
    # A request may be stored and its answer lost with the connection, never the reverse.
    assert sum(answered) <= len(collector.exports) <= sum(answered) + 4


def test_memory_is_bounded_and_the_loss_is_counted() -> None:
    body = b'{"unknown":"' + b"x" * 10_000 + b'"}'
    with Collector() as collector:
        post(collector, body)
    with Collector(limit_bytes=10 * weight(collector.exports[0])) as collector:
        for _ in range(25):
            assert post(collector, body) == 200
        assert [export.sequence for export in collector.exports] == list(range(16, 26))
        assert collector.store.forgotten == 15


def test_it_runs_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = []

    def new_event_loop() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.SelectorEventLoop())
        return loops[0]

    monkeypatch.setattr(server, "new_event_loop", new_event_loop)
    with Collector() as collector:
        assert post(collector) == 200
        assert post(collector, b'{"unknown":"' + b"x" * 1_000_000 + b'"}') == 200
    assert loops[0].is_closed()


def test_logging_of_the_process_is_left_alone(
    caplog: pytest.LogCaptureFixture, collector: Collector
) -> None:
    """uvicorn would silence its access logger for the whole process."""
    access = logging.getLogger("uvicorn.access")
    assert access.propagate
    with caplog.at_level(logging.DEBUG):
        assert post(collector) == 200
        with Collector():
            pass
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


@pytest.mark.parametrize(
    "wait",
    [
        lambda collector: collector.wait_for(lambda _: None, 0),
        lambda collector: collector.wait_for_item(lambda _: None, 0),
        lambda collector: collector.wait_for_exports(1, 0),
        lambda collector: collector.wait_for_metric("a.metric", 0),
        lambda collector: collector.wait_for_event("an_event", 0),
    ],
)
def test_a_wait_in_vain_is_shown_without_what_waited(
    collector: Collector, wait: Callable[[Collector], object]
) -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        wait(collector)
    shown = {entry.path for entry in caught.traceback.filter(caught)}
    assert shown == {Path(__file__)}


def test_what_a_predicate_raises_is_shown_with_its_way_there(collector: Collector) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        collector.wait_for(lambda _: 1 // 0, 0)
    assert len(caught.traceback.filter(caught)) == len(caught.traceback)
