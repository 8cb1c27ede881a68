"""``cc-harness load``: its options, and how a load is made of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..capture.capture import Capture
from ..collector.collector import Collector
from ..errors import HarnessError, UsageError
from ..otlp.model import Protocol
from ..relay.endpoint import ClientTls, Endpoint, parse_endpoints
from ..relay.headers import parse_headers
from ..relay.process import listens
from ..relay.sending import endpoint_for
from .arrivals import LIMIT_BYTES, Arrivals, Arrived
from .order import Order, sources
from .processes import Sent, send
from .summary import Result, as_json, progress, render

#: Loads the sessions of a recording; without one, of the newest that comes with us.
Sessions = Callable[[Path | None], Sequence[Capture]]

_TRANSPORTS = ("grpc", "http")
_SECONDS = 10.0
_QUIET_S = 5.0


def declare(command: argparse.ArgumentParser, sessions: Sessions) -> None:
    """Declare the options of ``cc-harness load``; ``sessions`` loads what is to be sent."""
    command.description = (
        "Send copies of recorded sessions, each with ids of its own and times of now."
    )
    _add_quantity(command)
    _add_ends(command)
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.set_defaults(run=lambda arguments: run(arguments, sessions))


def _add_quantity(command: argparse.ArgumentParser) -> None:
    """Add the options about what is sent, and how fast."""
    command.add_argument(
        "--rate",
        metavar="N",
        type=_number,
        help="sessions that begin in a second (default: as many as get through)",
    )
    command.add_argument(
        "--seconds",
        metavar="N",
        type=_number,
        help=f"for how long sessions begin (default: {_SECONDS:g}, or until --sessions have)",
    )
    command.add_argument(
        "--sessions", metavar="N", type=_count, help="how many sessions are sent at most"
    )
    command.add_argument(
        "--connections",
        metavar="N",
        type=_count,
        default=16,
        help="each carries one session at a time (default: %(default)s)",
    )
    command.add_argument(
        "--processes", metavar="N", type=_count, default=1, help="processes that share the work"
    )
    command.add_argument(
        "--recording",
        metavar="DIR",
        type=Path,
        help="send what --cc-captures kept there, instead of the recordings that come with us",
    )


def _add_ends(command: argparse.ArgumentParser) -> None:
    """Add the options about where it is sent to, and where it comes out."""
    command.add_argument(
        "--to",
        metavar="URL[,URL]",
        required=True,
        help="the collector: grpc://HOST:PORT, http://HOST:PORT[/BASE] (grpcs, https with TLS)",
    )
    command.add_argument(
        "--protocols",
        metavar="P[,P]",
        help="grpc, http/protobuf, http/json: copies take turns (default: grpc, http/protobuf, as "
        "far as --to speaks them)",
    )
    command.add_argument(
        "--out",
        metavar="URL",
        help="grpc://127.0.0.1:PORT or http://127.0.0.1:PORT: listen there as the collector's "
        "backend, and count what is lost, what is repeated, and how long it takes",
    )
    command.add_argument(
        "--settle",
        metavar="SECONDS",
        type=_number,
        default=_QUIET_S,
        help="for how long nothing may come out before it counts as all (default: %(default)g)",
    )
    command.add_argument(
        "--headers", metavar="NAME=VALUE[,...]", help="headers for every request to the collector"
    )
    for option, what in (
        ("--ca", "the certificate that the collector's is signed by"),
        ("--cert", "the certificate that we show to it"),
        ("--key", "the key of that certificate"),
    ):
        command.add_argument(option, metavar="FILE", type=Path, help=what)


def run(arguments: argparse.Namespace, sessions: Sessions) -> int:
    """Send the load, print the result, and return the exit code: 1 if anything was lost."""
    order = order_of(arguments, sessions)
    with _outlet(arguments.out) as outlet:
        for endpoint in order.endpoints:
            if not listens(endpoint.host, endpoint.port):
                raise UsageError(
                    f"--to {endpoint.url}",
                    seen="nobody who takes connections there",
                    expected="a collector that is ready",
                )
        with _interruptible() as stopped:
            sent = send(order, lambda seconds, counts: _show(progress(seconds, counts)), stopped)
        arrived = None if outlet is None else _arrived(order, sent, outlet, arguments.settle)
    result = Result(order, sent.counts, arrived, arguments.out or "", sent.ended_early)
    if arguments.json:
        sys.stdout.write(f"{json.dumps(as_json(result), indent=1)}\n")
    else:
        for line in render(result):
            sys.stdout.write(f"{line.text}\n")
    return int(result.failed)


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C only be noted; another ends everything at once."""
    interrupted = False

    def note(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def order_of(arguments: argparse.Namespace, sessions: Sessions) -> Order:
    """Make the order of the options. Raises UsageError for some that do not fit together."""
    if arguments.key is not None and arguments.cert is None:
        raise UsageError("--key", seen="no --cert", expected="--cert beside it")
    tls = ClientTls(arguments.ca, arguments.cert, arguments.key)
    endpoints = parse_endpoints(
        arguments.to, tls=tls, headers=parse_headers("--headers", arguments.headers), option="--to"
    )
    if any(endpoint.tls is not None for endpoint in endpoints):
        # Whatever is wrong with the files is told here, and once.
        tls.context()
    if arguments.connections < arguments.processes:
        raise UsageError(
            f"--connections {arguments.connections}",
            seen=f"{arguments.processes} processes",
            expected="one for each process, at least",
        )
    seconds = arguments.seconds
    if seconds is None and arguments.sessions is None:
        seconds = _SECONDS
    return Order(
        endpoints,
        _protocols(arguments.protocols, endpoints),
        sources(sessions(arguments.recording), f"--recording {arguments.recording}"),
        uuid.uuid4().hex,
        arguments.rate,
        seconds,
        arguments.sessions,
        arguments.connections,
        arguments.processes,
        noting=arguments.out is not None,
    )


def _protocols(text: str | None, endpoints: tuple[Endpoint, ...]) -> tuple[Protocol, ...]:
    if text is None:
        usual = (Protocol.GRPC, Protocol.HTTP_PROTOBUF)
        return tuple(each for each in usual if endpoint_for(each, endpoints) is not None)
    known = [each for each in Protocol if endpoint_for(each, endpoints) is not None]
    asked = [part.strip() for part in text.split(",")]
    for each in asked:
        if each not in known:
            raise UsageError(
                "--protocols", seen=repr(each), expected=f"what --to speaks: {', '.join(known)}"
            )
    return tuple(map(Protocol, dict.fromkeys(asked)))


@contextlib.contextmanager
def _outlet(url: str | None) -> Iterator[Collector | None]:
    """Listen at the URL of ``--out``."""
    if url is None:
        yield None
        return
    endpoints = parse_endpoints(url, option="--out")
    (endpoint, *others) = endpoints
    if others or endpoint.tls is not None or endpoint.base_path:
        raise UsageError(
            "--out", seen=repr(url), expected="grpc://HOST:PORT or http://HOST:PORT, one of them"
        )
    grpc_port, http_port = (endpoint.port * (endpoint.transport == each) for each in _TRANSPORTS)
    try:
        collector = Collector(
            host=endpoint.host, grpc_port=grpc_port, http_port=http_port, limit_bytes=LIMIT_BYTES
        ).start()
    except UsageError as error:
        raise UsageError(f"--out {url}", seen=error.seen, expected=error.expected) from None
    try:
        yield collector
    finally:
        collector.stop()


def _arrived(order: Order, sent: Sent, outlet: Collector, quiet_s: float) -> Arrived:
    arrived = Arrivals(order, sent.notes).count(outlet, quiet_s)
    if arrived.forgotten:
        raise HarnessError(
            f"--out: {arrived.forgotten:,} exports came over the limit of "
            f"{LIMIT_BYTES // 1024**2} MiB that are held until they are counted: nobody can tell "
            "what was lost; a lower --rate or fewer --seconds are counted"
        )
    return arrived


def _show(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _number(text: str) -> float:
    return _positive(text, float)


def _count(text: str) -> int:
    return int(_positive(text, int))


def _positive(text: str, kind: Callable[[str], float]) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = 0
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"expected a number above 0, saw {text!r}")
    return number
