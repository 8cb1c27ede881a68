"""``cc-harness load``, over real sockets: what it says is what the collector got."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
import trustme

from harness import Collector, CollectorResponse
from harness.capture.export import Export
from harness.collector.tls import Tls
from harness.load import command
from harness.load.order import Order, Prepared, sources
from harness.otlp.messages import ExportLogsServiceResponse
from harness.otlp.model import Protocol, Signal
from harness.relay import golden
from harness.relay.replay import SESSION

Load = Callable[..., tuple[int, str, str]]
MakeRelay = Callable[[int, Callable[[int], int]], str]

URLS = {Protocol.GRPC: "grpc", Protocol.HTTP_PROTOBUF: "http", Protocol.HTTP_JSON: "http"}


def told(out: str, line: str, noun: str) -> int:
    """The number before a noun in a line of the result."""
    (found,) = (each for each in out.splitlines() if each.startswith(f"{line} "))
    match = re.search(rf"([\d,]+) {noun}(?!\w)", found)
    assert match is not None, found
    return int(match[1].replace(",", ""))


def url(collector: Collector, protocol: Protocol) -> str:
    port = collector.grpc_port if protocol is Protocol.GRPC else collector.http_port
    return f"{URLS[protocol]}://127.0.0.1:{port}"


@pytest.mark.parametrize("protocol", Protocol)
def test_what_is_told_is_what_the_collector_got(
    protocol: Protocol, load: Load, collector: Collector
) -> None:
    code, out, err = load(
        f"--to={url(collector, protocol)}",
        f"--protocols={protocol}",
        "--sessions=17",
        "--processes=2",
    )
    assert (code, out.splitlines()[-1]) == (0, "OK: everything was taken"), out + err
    exports = collector.exports
    assert {export.protocol for export in exports} == {protocol}
    items = Counter(dict.fromkeys(Signal, 0))
    for export in exports:
        assert export.signal is not None
        assert export.items
        items[export.signal] += len(export.items)
    assert told(out, "sessions", "·") == 17
    assert told(out, "requests", "·") == len(exports)
    assert told(out, "requests", "points") == items[Signal.METRICS]
    assert told(out, "requests", "events") == items[Signal.LOGS]
    assert told(out, "requests", "spans") == items[Signal.TRACES]
    assert f"{sum(len(each.body) for each in exports) / 1e6:.1f} MB" in out
    assert told(out, "answers", "accepted") == len(exports)
    # Each copy is a session of its own.
    sessions = {event.attributes.get(SESSION) for each in exports for event in each.events}
    assert len(sessions - {None}) == 17


def test_a_load_over_tls_shows_a_certificate(load: Load, tmp_path: Path) -> None:
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert(common_name="me")
    ca = authority.cert_pem.bytes()
    files = {
        "ca": ca,
        "cert": client.cert_chain_pems[0].bytes(),
        "key": client.private_key_pem.bytes(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    tls = Tls(server.cert_chain_pems[0].bytes(), server.private_key_pem.bytes(), ca)
    with Collector(tls=tls) as collector:
        code, out, err = load(
            f"--to=grpcs://127.0.0.1:{collector.grpc_port},https://127.0.0.1:{collector.http_port}",
            *(f"--{name}={tmp_path / name}" for name in files),
            "--headers=X-Key=k",
            "--sessions=9",
        )
    assert code == 0, out + err
    assert {each.peer_certificate for each in collector.exports} == {"me"}
    assert {each.header("x-key") for each in collector.exports} == {"k"}
    assert len({each.protocol for each in collector.exports}) == 2


def test_protocols_take_turns(load: Load, collector: Collector) -> None:
    code, out, err = load(
        f"--to={url(collector, Protocol.GRPC)},{url(collector, Protocol.HTTP_JSON)}",
        "--protocols=http/json,grpc",
        "--sessions=16",
    )
    assert code == 0, out + err
    assert {each.protocol for each in collector.exports} == {Protocol.GRPC, Protocol.HTTP_JSON}
    assert out.startswith("sent       http/json, grpc to grpc://")


@pytest.mark.slow
def test_a_rate_is_kept(load: Load, collector: Collector) -> None:
    """A busy machine makes sessions late, never early."""
    code, out, err = load(
        f"--to={url(collector, Protocol.HTTP_PROTOBUF)}", "--rate=10", "--sessions=25"
    )
    assert code == 0, out + err
    assert told(out, "sessions", "·") == 25
    assert "10/s asked" in out
    took = re.search(r"· (\d+\.\d) s$", out.splitlines()[0])
    assert took is not None, out
    assert float(took[1]) >= 2.4
    assert "limit      none: all that was asked for was sent, the latest session" in out
    # A line a second says how far it has come.
    assert re.search(r"^ +\d+ s  \d+ sessions · \d+ requests · ", err, re.MULTILINE)


def test_no_session_begins_after_the_time(load: Load, collector: Collector) -> None:
    _, out, _ = load(f"--to={url(collector, Protocol.GRPC)}", "--rate=4", "--seconds=2.5")
    assert 1 <= told(out, "sessions", "·") <= 10


def test_what_comes_out_once_is_neither_lost_nor_repeated(
    load: Load, relay: MakeRelay, out_port: int
) -> None:
    code, out, err = load(
        f"--to={relay(out_port, lambda number: 1)}",
        f"--out=http://127.0.0.1:{out_port}",
        "--sessions=16",
    )
    last = "OK: everything was taken, and came out once"
    assert (code, out.splitlines()[-1]) == (0, last), out + err
    sent = sum(told(out, "requests", noun) for noun in ("points", "events", "spans"))
    assert told(out, "came out", "of") == told(out, "came out", "items") == sent
    assert [told(out, "came out", noun) for noun in ("lost", "repeated", "unexpected")] == [0, 0, 0]
    rows = [line.split() for line in out.splitlines() if "at the outlet:" in line]
    assert [row[3] for row in rows] == ["metrics", "logs", "traces"]
    assert sum(int(row[4].replace(",", "")) for row in rows) == sent
    for row in rows:
        p50, p90, p99, longest = (float(each.replace(",", "")) for each in row[5:9])
        assert 0 < p50 <= p90 <= p99 <= longest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("often", "why"),
    [
        (lambda number: int(number % 10 != 0), "items were lost"),
        (lambda number: 1 + (number % 10 == 0), "items came out repeatedly"),
        (lambda number: number % 3, "items were lost, items came out repeatedly"),
    ],
    ids=["loses every tenth", "repeats every tenth", "both"],
)
def test_what_a_relay_loses_or_repeats_is_counted(
    often: Callable[[int], int], why: str, load: Load, relay: MakeRelay, out_port: int
) -> None:
    lost, repeated = Counter[str](), 0

    code, out, err = load(
        f"--to={relay(out_port, often)}",
        f"--out=http://127.0.0.1:{out_port}",
        "--sessions=16",
        "--connections=1",
        "--settle=1",
    )
    assert (code, out.splitlines()[-1]) == (1, f"FAILED: {why}"), out + err
    # By the same order of requests, which one connection keeps.
    for number, (of_signal, items) in enumerate(_in_order(16), start=1):
        if often(number) == 0:
            lost[of_signal] += items
        repeated += items * max(0, often(number) - 1)
    assert told(out, "came out", "lost") == lost.total()
    assert told(out, "came out", "repeated") == repeated
    for of_signal, noun in (("metrics", "points"), ("logs", "events"), ("traces", "spans")):
        if lost[of_signal]:
            assert told(out, "came out", noun) == lost[of_signal]


def _in_order(sessions: int) -> Sequence[tuple[str, int]]:
    """Signal and number of items of each request, in the order in which they are sent."""
    recorded = sources(golden.load(golden.releases()[-1]), "golden")
    prepared = Prepared.of(Order((), (Protocol.HTTP_PROTOBUF,), recorded, "any"))
    return [
        (request.signal.value, len(request.items))
        for number in range(sessions)
        for request in prepared.numbered(number).requests
    ]


class Answers:
    """Answer each request in turn, the first ones otherwise than with success."""

    def __init__(self, *first: CollectorResponse) -> None:
        self._first = list(first)

    def __call__(self, export: Export) -> CollectorResponse | None:
        return self._first.pop(0) if self._first else None


BUSY = CollectorResponse(503, 14, headers=(("retry-after", "0"),))
NEVER = CollectorResponse(400, 3, message="not today")


def test_what_is_refused_for_a_while_is_sent_again(load: Load) -> None:
    with Collector(responder=Answers(BUSY, BUSY)) as collector:
        code, out, err = load(
            f"--to={url(collector, Protocol.HTTP_PROTOBUF)}", "--sessions=1", "--connections=1"
        )
    assert code == 0, out + err
    assert told(out, "answers", "retried") == 2
    assert told(out, "answers", "refused") == 0
    assert "           2 times: HTTP 503" in out.splitlines()
    first, second, third, *_ = (export.body for export in collector.exports)
    assert first == second == third
    # What is sent again is counted once.
    assert told(out, "requests", "·") == len(collector.exports) - 2


@pytest.mark.parametrize(
    ("protocol", "why"),
    [
        (Protocol.HTTP_JSON, "HTTP 400"),
        (Protocol.GRPC, "INVALID_ARGUMENT: not today"),
    ],
)
def test_what_is_refused_for_good_is_told(protocol: Protocol, why: str, load: Load) -> None:
    with Collector(responder=Answers(NEVER)) as collector:
        code, out, _ = load(
            f"--to={url(collector, protocol)}", f"--protocols={protocol}", "--sessions=1"
        )
    assert code == 1
    assert told(out, "answers", "refused") == 1
    assert f"           1 times: {why}" in out.splitlines()
    assert out.splitlines()[-1] == "FAILED: the collector did not take everything"


def test_rejected_items_are_told(load: Load) -> None:
    message = ExportLogsServiceResponse()
    message.partial_success.rejected_log_records = 3
    partly = Answers(CollectorResponse(body=message.SerializeToString()))
    with Collector(responder=partly) as collector:
        code, out, _ = load(f"--to={url(collector, Protocol.HTTP_PROTOBUF)}", "--sessions=1")
    assert code == 1
    assert told(out, "answers", "items rejected") == 3


def test_what_was_refused_is_not_lost(load: Load, relay: MakeRelay, out_port: int) -> None:
    """Its items are expected nowhere, so that only what the collector has taken counts."""

    def refuse_first(number: int) -> int:
        if number == 1:
            raise RuntimeError("not this one")
        return 1

    code, out, _ = load(
        f"--to={relay(out_port, refuse_first)}",
        f"--out=http://127.0.0.1:{out_port}",
        "--sessions=2",
    )
    assert (code, told(out, "answers", "refused")) == (1, 1)
    assert told(out, "came out", "lost") == 0
    assert out.splitlines()[-1] == "FAILED: the collector did not take everything"


def test_what_is_over_our_own_limit_is_no_fault_of_the_collector(
    load: Load, relay: MakeRelay, out_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "LIMIT_BYTES", 50_000)
    code, out, err = load(
        f"--to={relay(out_port, lambda number: 1)}",
        f"--out=http://127.0.0.1:{out_port}",
        "--sessions=16",
    )
    assert (code, out) == (2, "")
    assert "exports came over the limit of 0 MiB that are held until they are counted" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to=ftp://x"], "--to: expected grpc://host:port"),
        (["--to=http://127.0.0.1:PORT", "--out=ftp://x"], "--out: expected grpc://host:port"),
        (["--to=http://127.0.0.1:PORT", "--out=https://127.0.0.1:1"], "--out: expected grpc://H"),
        (["--to=http://127.0.0.1:PORT", "--out=http://127.0.0.1:PORT"], "--out http://127.0.0.1:"),
        (["--to=http://127.0.0.1:1"], "--to http://127.0.0.1:1: expected a collector that is re"),
        (["--to=http://127.0.0.1:PORT", "--protocols=grpc"], "--protocols: expected what --to"),
        (["--to=http://127.0.0.1:PORT", "--recording=/nonexistent"], "capture folder /nonexistent"),
        (["--to=http://127.0.0.1:PORT", "--headers==x"], "--headers: expected NAME=VALUE"),
        (["--to=http://127.0.0.1:PORT", "--key=k"], "--key: expected --cert beside it"),
        (["--to=https://127.0.0.1:PORT", "--ca=/nonexistent"], "the ca for the collector: expe"),
        (["--to=http://127.0.0.1:PORT", "--connections=1", "--processes=2"], "--connections 1: "),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_a_wrong_call_is_one_line(
    options: Sequence[str], message: str, load: Load, collector: Collector
) -> None:
    port = str(collector.http_port)
    code, out, err = load(*(each.replace("PORT", port) for each in options))
    assert (code, out) == (2, "")
    assert err.startswith(f"cc-harness: {message}")
    assert err.count("\n") == 1
    assert collector.exports == ()


@pytest.mark.parametrize(
    "option", ["--rate=0", "--rate=fast", "--seconds=-1", "--seconds=inf", "--sessions=1.5"]
)
def test_a_number_is_above_zero(
    option: str, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        load("--to=http://127.0.0.1:1", option)
    assert ended.value.code == 2
    name, _, value = option.partition("=")
    assert f"argument {name}: expected a number above 0, saw '{value}'" in capsys.readouterr().err


@contextlib.contextmanager
def endless_to(collector: Collector, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A load of two processes that would go on for an hour, and has begun."""
    with (tmp_path / "err").open("w") as errors:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "harness", "load", "--seconds=3600", "--rate=20"),
                *("--processes=2", f"--to={url(collector, Protocol.HTTP_PROTOBUF)}"),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        collector.wait_for(bool, 60, "a request")
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def endless(collector: Collector, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with endless_to(collector, tmp_path) as process:
        yield process


@pytest.mark.slow
def test_ctrl_c_ends_it_with_what_was_sent(
    endless: subprocess.Popen[str], collector: Collector
) -> None:
    endless.send_signal(signal.SIGINT)
    out, _ = endless.communicate(timeout=300)
    assert endless.returncode == 0, out
    assert told(out, "requests", "·") == len(collector.exports)
    assert ", ended early" in out.splitlines()[0]


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_what_is_to_be_sent_again(tmp_path: Path) -> None:
    """A collector that asks for ten minutes is not waited for."""
    later = CollectorResponse(503, 14, headers=(("retry-after", "600"),))
    with (
        Collector(responder=Answers(*[later] * 1000)) as collector,
        endless_to(collector, tmp_path) as process,
    ):
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=300)
    assert process.returncode == 1, out
    assert told(out, "answers", "refused") == told(out, "requests", "·") > 0
    assert told(out, "answers", "retried") == 0


@pytest.mark.slow
def test_nothing_is_left_of_one_that_was_killed(endless: subprocess.Popen[str]) -> None:
    children = psutil.Process(endless.pid).children(recursive=True)
    assert len(children) >= 2
    endless.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


@pytest.mark.slow
def test_a_process_that_dies_is_told(endless: subprocess.Popen[str], tmp_path: Path) -> None:
    children = psutil.Process(endless.pid).children()
    (first, *_) = [each for each in children if "spawn_main" in " ".join(each.cmdline())]
    first.kill()
    out, _ = endless.communicate(timeout=300)
    assert (endless.returncode, out) == (2, "")
    error = (tmp_path / "err").read_text().splitlines()[-1]
    assert error == "cc-harness: a process of the load generator died (exit code -9)"
