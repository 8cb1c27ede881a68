"""See what a collector under test sends on over OTLP: a collector of ours is its downstream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Self, TypeVar

from ...capture.export import Export
from ...collector.answer import Responder
from ...collector.collector import Collector
from ...collector.store import DEFAULT_LIMIT
from ...collector.tls import Tls
from ...errors import UsageError
from ...fakes.fault_proxy import FaultProxy
from ...otlp.model import Protocol
from .base import Outlet

T = TypeVar("T")

#: ``Export.collector`` of what came over OTLP/gRPC, and over OTLP/HTTP in either encoding.
GRPC, HTTP = "grpc", "http"


class OtlpOutlet(Outlet):
    """Our collector as the downstream, for both OTLP/gRPC and OTLP/HTTP.

    Placeholders: ``grpc_out`` (``host:port``) and ``http_out`` (``http://host:port``, or https).
    What came over the one is ``grpc`` in ``Export.collector``, over the other ``http``.
    ``responder`` may answer otherwise than with success, and ``tls`` makes both speak TLS.
    """

    name = "otlp"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        grpc_port: int = 0,
        responder: Responder | None = None,
        tls: Tls | None = None,
        limit_bytes: int = DEFAULT_LIMIT,
    ) -> None:
        self._ports = (grpc_port, http_port)
        self._make = partial(
            Collector,
            host=host,
            responder=responder,
            tls=tls,
            limit_bytes=limit_bytes,
            # What a relay took from a probe and passes on as it came is not lost because we can
            # not read it.
            takes_damaged=True,
        )
        self.collector = self._make(http_port=http_port, grpc_port=grpc_port)
        self._away = False
        self._proxy: FaultProxy | None = None
        self._named: dict[int, tuple[Export, Export]] = {}

    def start(self) -> Self:
        """Listen on both ports; one that is to stay away at first refuses connections to them."""
        self.collector.start()
        if self._away:
            targets = (self.collector.grpc_port, self.collector.http_port)
            try:
                self._proxy = FaultProxy(targets, is_open=False, ports=self._ports).__enter__()
            except OSError as error:
                self.collector.stop()
                raise UsageError(
                    f"the ports {self._ports} of the downstream",
                    seen=str(error),
                    expected="ports that can be listened on (0 takes a free one)",
                ) from error
        return self

    def stop(self) -> None:
        """Let requests that have begun finish, and close both ports."""
        if self._proxy is not None:
            self._proxy.__exit__()
            self._proxy = None
        self.collector.stop()
        self.collector.check_responder()

    def respond_with(self, responder: Responder) -> None:
        """Answer as ``responder`` says; to be called before the start."""
        self.collector.responder = responder

    def stay_away(self) -> None:
        """Refuse connections from the start on until :meth:`come_back`; called before it."""
        self._away = True
        responder = self.collector.responder
        self.collector = self._make(responder=responder)

    def come_back(self) -> None:
        """Take connections, after having been away."""
        if self._proxy is not None:
            self._proxy.open()

    def exports(self) -> tuple[Export, ...]:
        """Return every request that is held, oldest first, refused ones included."""
        return self._name(self.collector.exports)

    @property
    def forgotten(self) -> int:
        """The number of exports that were dropped because of the memory limit."""
        return self.collector.store.forgotten

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports, and return that."""
        return self.collector.wait_for(
            lambda exports: predicate(self._name(exports)), deadline_s, f"{self.name}: {what}"
        )

    def placeholders(self) -> Mapping[str, str]:
        """Return ``grpc_out`` and ``http_out``; the ports are known once it has started."""
        grpc, http = self.collector.grpc_endpoint, self.collector.http_endpoint
        if self._proxy is not None:
            grpc, http = (
                f"{endpoint.rpartition(':')[0]}:{self._proxy.port(port)}"
                for endpoint, port in (
                    (grpc, self.collector.grpc_port),
                    (http, self.collector.http_port),
                )
            )
        return {"grpc_out": grpc.partition("://")[2], "http_out": http}

    def _name(self, exports: tuple[Export, ...]) -> tuple[Export, ...]:
        """Name the outlet in each export; the same export is named once, so is decoded once."""
        named = []
        for export in exports:
            known = self._named.get(export.sequence)
            if known is None or known[0] is not export:
                collector = GRPC if export.protocol is Protocol.GRPC else HTTP
                known = (export, replace(export, collector=collector))
                self._named[export.sequence] = known
            named.append(known[1])
        return tuple(named)
