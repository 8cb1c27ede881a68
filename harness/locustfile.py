"""Users for Locust that send recorded sessions, for a load that takes more than one machine.

A ``locustfile.py`` with ``from harness.locustfile import ClaudeCode`` in it is all that ``locust``
needs; ``--host`` is ``http://HOST:PORT``, ``https://…``, ``grpc://…`` or ``grpcs://…``. Locust
schedules, distributes and counts. It patches the standard library for gevent, so this module is
imported by nobody else.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .assessment.relay import sessions_of
from .errors import HarnessError, UsageError
from .extras import require_locust
from .load.order import Order, Prepared, sources
from .otlp.messages import ENCODINGS
from .otlp.model import Protocol, Signal
from .relay.answer import Answer
from .relay.client import EXPORT_METHODS, GrpcClient
from .relay.endpoint import ClientTls, Endpoint, parse_endpoints
from .relay.headers import parse_headers
from .relay.sending import endpoint_for, refusal, rejected_items

require_locust("harness.locustfile")

# After the error that names the extra.
from grpc.experimental.gevent import init_gevent  # noqa: E402
from locust import FastHttpUser, constant, events, task  # noqa: E402
from locust.exception import StopTest  # noqa: E402

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment

_PROTOCOL, _RECORDING, _HEADERS = "--cc-protocol", "--cc-recording", "--cc-headers"


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser) -> None:
    """Add our options to those of ``locust``; a master hands them on to its workers."""
    parser.add_argument(
        _PROTOCOL,
        choices=[Protocol.HTTP_PROTOBUF.value, Protocol.HTTP_JSON.value],
        default=Protocol.HTTP_PROTOBUF.value,
        help="what is sent over HTTP (default: %(default)s)",
    )
    parser.add_argument(
        _RECORDING,
        metavar="DIR",
        default="",
        help="send what --cc-captures kept there, instead of the recordings that come with us",
    )
    parser.add_argument(
        _HEADERS,
        metavar="NAME=VALUE[,...]",
        default="",
        # Not shown in the web interface: there may be credentials among them.
        include_in_web_ui=False,
        help="headers for every request to the collector",
    )


@events.init.add_listener
def _check(environment: Environment, **rest: Any) -> None:
    """End ``locust`` with one clear error for options that cannot be used."""
    try:
        if environment.host:
            _endpoint(environment, environment.host)
        _order(environment, Protocol.GRPC)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


class ClaudeCode(FastHttpUser):
    """A user of Claude Code: a session a second, each with ids of its own and times of now."""

    wait_time = constant(1)
    #: The certificate of a collector is verified.
    insecure = False

    _numbers = itertools.count()

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        try:
            self._endpoint, protocol = _endpoint(environment, self.host or "")
            self._sessions = _prepared(environment, protocol)
        except HarnessError as error:
            raise StopTest(str(error)) from error
        self._protocol = protocol
        self._grpc = GrpcClient(self._endpoint) if protocol is Protocol.GRPC else None
        self._headers = {
            "content-type": ENCODINGS[protocol].value,
            **dict(self._endpoint.headers),
        }

    def on_stop(self) -> None:
        """Close the connection."""
        if self._grpc is not None:
            self._grpc.close()

    @task
    def session(self) -> None:
        """Send one session, request by request."""
        session = self._sessions.numbered(next(self._numbers))
        bodies = session.copy(ends_unix_nano=time.time_ns(), salt=uuid.uuid4().hex)
        for request, body in zip(session.requests, bodies, strict=True):
            if self._grpc is not None:
                self._call(self._grpc, request.signal, body)
            else:
                self._post(request.signal, body)

    def _post(self, signal: Signal, body: bytes) -> None:
        # Bytes are sent as they are, though Locust's types want a text.
        data: Any = body
        with self.client.post(
            f"/v1/{signal}", data=data, headers=self._headers, catch_response=True
        ) as response:
            if response.status_code:
                answer = Answer(status=response.status_code, body=response.content or b"")
                if why := self._wrong(answer, signal):
                    response.failure(why)

    def _call(self, client: GrpcClient, signal: Signal, body: bytes) -> None:
        began = time.time()
        answer = client.call(EXPORT_METHODS[signal], body)
        why = self._wrong(answer, signal)
        self.environment.events.request.fire(
            request_type="gRPC",
            name=EXPORT_METHODS[signal],
            response_time=answer.seconds * 1000,
            response_length=len(answer.body),
            exception=HarnessError(why) if why else None,
            context=self.context(),
            start_time=began,
            url=self._endpoint.url,
        )

    def _wrong(self, answer: Answer, signal: Signal) -> str:
        """Return why an answer is a failure; empty if everything was taken."""
        count, said = rejected_items(answer, signal, ENCODINGS[self._protocol])
        return refusal(answer) or (f"{count} items rejected: {said}" if count else "")


def _options(environment: Environment) -> argparse.Namespace:
    options: argparse.Namespace | None = environment.parsed_options
    assert options is not None, "locust has read its command line"
    return options


def _endpoint(environment: Environment, host: str) -> tuple[Endpoint, Protocol]:
    """Return where ``--host`` is, and what is spoken there. Raises UsageError."""
    options = _options(environment)
    headers = parse_headers(_HEADERS, options.cc_headers)
    endpoints = parse_endpoints(host, tls=ClientTls(), headers=headers, option="--host")
    if len(endpoints) != 1:
        raise UsageError("--host", seen=repr(host), expected="one URL, of gRPC or of HTTP")
    if endpoint_for(Protocol.GRPC, endpoints) is not None:
        return endpoints[0], Protocol.GRPC
    return endpoints[0], Protocol(options.cc_protocol)


def _order(environment: Environment, protocol: Protocol) -> Order:
    options = _options(environment)
    folder = Path(options.cc_recording) if options.cc_recording else None
    found = sources(sessions_of(folder), f"{_RECORDING} {folder}")
    return Order((), (protocol,), found, uuid.uuid4().hex)


#: The sessions of this process, prepared when its first user asks for them.
_PREPARED: dict[tuple[str, Protocol], Prepared] = {}


def _prepared(environment: Environment, protocol: Protocol) -> Prepared:
    key = _options(environment).cc_recording, protocol
    if key not in _PREPARED:
        _PREPARED[key] = Prepared.of(_order(environment, protocol))
    return _PREPARED[key]


# gRPC waits in threads of its own; with this, it lets gevent's other users have their turn.
init_gevent()
