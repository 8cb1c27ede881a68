"""The fake collector: an OTLP/HTTP and an OTLP/gRPC server that share one store."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from ..capture.export import Export
from ..errors import UsageError
from ..otlp.content import DEFAULT_LIMIT as DEFAULT_MAX_BODY_BYTES
from ..otlp.envelope import check_request, take_all
from ..otlp.model import DataPoint, Event, Protocol, Signal, Span, Value
from ..replaced import require_real_threads
from ..serving.server import HttpServer
from .answer import Asking, Responder
from .cors import Cors
from .grpc_server import GrpcServer
from .http_app import HttpApp
from .store import DEFAULT_LIMIT as DEFAULT_LIMIT_BYTES
from .store import Store, ends_a_wait
from .tls import Tls

T = TypeVar("T")

#: Failures of the waiters end in the line that waited.
__tracebackhide__ = ends_a_wait

#: How long ``stop`` lets requests finish that have begun, in seconds.
GRACE_S = 1.0


class Collector:
    """An OTLP collector in this process, which keeps every request and answers as OTLP requires.

    Use it as a context manager, or call :meth:`start` and :meth:`stop`. It listens on
    ``http_port`` and ``grpc_port`` of ``host``; port 0 takes a free port. ``limit_bytes``
    bounds what the store holds (see :class:`~harness.collector.store.Store`),
    ``max_body_bytes`` one request, before and after decompression. ``responder`` may
    return another answer than full success, and what it raises fails the ``with`` block;
    ``responder_waits``: it may block, as one does that asks somebody else.
    ``paths`` are accepted over HTTP besides the standard ones; they map a shell pattern
    (``/tenant/*/metrics``) to the signal that is sent to such a path.
    ``takes_damaged``: a body that cannot be decoded is answered with success, and kept, by a
    downstream that is to add no refusals of its own.
    ``allow_origins``: pages of these origins may export from a browser (``*``: of any).
    With ``tls`` both servers accept TLS connections only. Raises ValueError for a limit that is not
    positive.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        grpc_port: int = 0,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        responder: Responder | None = None,
        paths: Mapping[str, Signal] | None = None,
        tls: Tls | None = None,
        responder_waits: bool = False,
        takes_damaged: bool = False,
        allow_origins: Sequence[str] = (),
    ) -> None:
        if max_body_bytes < 1:
            raise ValueError(f"max_body_bytes must be positive, not {max_body_bytes}")
        self.store = Store(limit_bytes)
        self._host = host
        self._http_port = http_port
        self._grpc_port = grpc_port
        self._max_body_bytes = max_body_bytes
        self.responder = responder
        self._asking: Asking | None = None
        self._responder_waits = responder_waits
        self._check = take_all if takes_damaged else check_request
        self._paths = paths
        self._allow_origins = allow_origins
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        self._servers: tuple[HttpServer | GrpcServer, ...] = ()
        self._stopping = threading.Lock()
        self._stopped = False

    def start(self) -> Self:
        """Bind both ports and accept requests. A stopped collector cannot be started again.

        Raises UsageError for an address that cannot be listened on, RuntimeError when
        called again.
        """
        if self._servers:
            raise RuntimeError("this collector was started before; make another one")
        require_real_threads("the collector")
        context = None if self._tls is None else self._tls.context()
        self._asking = None if self.responder is None else Asking(self.responder)
        grpc = self._grpc_server()
        self._servers = (grpc,)
        try:
            listener = open_listener("http_port", self._host, self._http_port)
            self._http_port = listener.getsockname()[1]
            app = HttpApp(
                self.store,
                self._max_body_bytes,
                self._asking,
                self._paths,
                self._responder_waits,
                self._check,
                lambda: self._grpc_port,
            )
            served = Cors(app, self._allow_origins) if self._allow_origins else app
            # What is answered at once would not be marked.
            at_once = None if self._allow_origins else app.at_once
            http = HttpServer(served, listener, app.malformed, context, at_once)
            http.start()
            self._servers = (http, grpc)
        except BaseException:
            self.stop()
            raise
        grpc.start()
        self._grpc_port = grpc.port
        return self

    def _grpc_server(self) -> GrpcServer:
        # grpcio reports a port that is taken on stderr and says little in the exception.
        open_listener("grpc_port", self._host, self._grpc_port).close()
        try:
            return GrpcServer(
                _address(self._host, self._grpc_port),
                self.store,
                self._max_body_bytes,
                self._asking,
                self._tls,
                self._check,
            )
        except RuntimeError as error:
            raise _unusable("grpc_port", self._host, self._grpc_port, error) from error

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Let requests that have begun finish, close both ports, and end every wait.

        A request that has not finished after ``grace_s`` seconds is aborted.
        What was collected stays readable. May be called again, from any thread.
        """
        with self._stopping:
            if not self._stopped:
                self._stopped = True
                for server in self._servers:
                    server.stop(grace_s)
                self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None:
            self.check_responder()

    def check_responder(self) -> None:
        """Raise HarnessError if the responder raised anything so far; a ``with`` block does that.

        A responder that raises says nothing about the client, who was answered all the same.
        """
        if self._asking is not None:
            self._asking.check()

    @property
    def http_port(self) -> int:
        """The port of OTLP/HTTP; before the start, the requested one (0: any free port)."""
        return self._http_port

    @property
    def grpc_port(self) -> int:
        """The port of OTLP/gRPC; before the start, the requested one (0: any free port)."""
        return self._grpc_port

    @property
    def http_endpoint(self) -> str:
        """Base URL of OTLP/HTTP, without a path: ``http://127.0.0.1:PORT`` (or ``https``)."""
        return f"{self._scheme}://{_address(self._host, self._http_port)}"

    @property
    def grpc_endpoint(self) -> str:
        """URL of OTLP/gRPC: ``http://127.0.0.1:PORT`` (or ``https``)."""
        return f"{self._scheme}://{_address(self._host, self._grpc_port)}"

    def endpoint(self, protocol: Protocol) -> str:
        """Return the value of ``OTEL_EXPORTER_OTLP_ENDPOINT`` for exports over ``protocol``."""
        return self.grpc_endpoint if protocol is Protocol.GRPC else self.http_endpoint

    @property
    def exports(self) -> tuple[Export, ...]:
        """Every export request that is held, oldest first, refused requests included."""
        return self.store.exports

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports held, and return that.

        It is called at once and then when requests arrive, in the caller's thread; an exception
        of it is passed on. Raises DeadlineExceeded, which says ``what`` was waited for and what
        arrived, after ``deadline_s`` seconds, and a HarnessError when the collector stops.
        So do all of these methods.
        """
        return self.store.wait_for(predicate, deadline_s, what)

    def wait_for_item(
        self, find: Callable[[Export], T | None], deadline_s: float, what: str = "an export"
    ) -> T:
        """Wait until ``find`` returns something true for one export, and return that.

        It is called once for each export. ``deadline_s`` and ``what`` are as in :meth:`wait_for`.
        """
        return self.store.wait_for_item(find, deadline_s, what)

    def wait_for_exports(self, n: int, deadline_s: float) -> tuple[Export, ...]:
        """Wait until at least ``n`` accepted exports are held, and return all of them.

        Raises DeadlineExceeded after ``deadline_s`` seconds.
        """
        return self.store.wait_for_exports(n, deadline_s)

    def wait_for_metric(self, name: str, deadline_s: float, **attributes: Value) -> DataPoint:
        """Wait for an accepted data point of the metric ``name``, and return the first.

        It must have each of ``attributes``, compared as Python does; for dotted names pass a
        dict: ``wait_for_metric("orders", 30, **{"session.id": "..."})``. Raises
        DeadlineExceeded after ``deadline_s`` seconds, with the nearest names seen, or how those
        of that name differ.
        """
        return self.store.wait_for_metric(name, deadline_s, attributes)

    def wait_for_event(self, name: str, deadline_s: float, **attributes: Value) -> Event:
        """Wait for an accepted event ``name``, with or without the prefix, and return the first.

        ``attributes``, ``deadline_s`` and what is raised are as in :meth:`wait_for_metric`.
        """
        return self.store.wait_for_event(name, deadline_s, attributes)

    def wait_for_span(self, name: str, deadline_s: float, **attributes: Value) -> Span:
        """Wait for an accepted span ``name``, and return the first.

        ``attributes``, ``deadline_s`` and what is raised are as in :meth:`wait_for_metric`.
        """
        return self.store.wait_for_span(name, deadline_s, attributes)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def open_listener(option: str, host: str, port: int) -> socket.socket:
    """Return a socket that listens; ``option`` names the port to whom it cannot be given.

    Raises UsageError for an address that cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= 65535:
            raise OSError("a port is a number from 0 to 65535")
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, RuntimeError) as error:  # pytest-socket forbids sockets by the latter
        raise _unusable(option, host, port, error) from error


def _unusable(option: str, host: str, port: int, error: Exception) -> UsageError:
    return UsageError(
        f"{option}={port} of the collector on host={host!r}",
        seen=str(error),
        expected="an address that can be listened on (port 0 takes a free one)",
    )
