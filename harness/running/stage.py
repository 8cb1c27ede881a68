"""The environment of one run: its sandbox, its collectors behind proxies, and the fake API."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..capture.capture import Connection
from ..capture.export import MAIN, Export
from ..capture.waits import LATE_S
from ..collector.answer import Responder
from ..collector.collector import Collector
from ..collector.store import Budget
from ..collector.tls import Tls
from ..fakes.fault_proxy import FaultProxy
from ..fakes.http_proxy import HttpProxy
from ..fakes.messages_api import MessagesApi
from ..keeping.cells import Cell
from ..otlp.model import Protocol, Signal
from ..subject.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Backend:
    """The settings of one collector of a run.

    ``responder`` makes the collector's responder; the proxy in front of it refuses connections
    at first unless ``listening``. ``paths`` are accepted over HTTP besides the
    standard ones: pattern -> the signal sent to such a path. ``tls`` makes the TLS settings of
    its servers; without it they speak plain text. ``responder_waits``: the responder may block.
    """

    responder: Callable[[], Responder] | None = None
    listening: bool = True
    paths: Mapping[str, Signal] = field(default_factory=dict)
    tls: Callable[[], Tls] | None = None
    responder_waits: bool = False


@dataclass(slots=True)
class Stage:
    """Everything that a scenario can look at and act on while its session runs.

    ``collectors`` and ``proxies`` are keyed by the names of the scenario's backends; ``cell`` makes
    sockets in the session's network. ``api`` is
    available once the session begins; ``ended`` is set when it is over. ``earlier_session`` is the
    id of the session that came before it, as that told the API; empty if there was none.
    ``forward`` is the forward proxy, where the scenario wants one.
    """

    sandbox: Sandbox
    protocol: Protocol
    collectors: Mapping[str, Collector]
    proxies: Mapping[str, FaultProxy]
    cell: Cell = field(default_factory=Cell)
    ended: threading.Event = field(default_factory=threading.Event)
    earlier_session: str = ""
    forward: HttpProxy | None = None
    _api: MessagesApi | None = None

    @property
    def work(self) -> Path:
        """The work tree, which is the session's working directory."""
        return self.sandbox.work

    @property
    def home(self) -> Path:
        return self.sandbox.home

    @property
    def main(self) -> Collector:
        """The collector ``main``, to which the general endpoint leads by default."""
        return self.collectors[MAIN]

    @property
    def api(self) -> MessagesApi:
        assert self._api is not None, "the session has not begun"
        return self._api

    @api.setter
    def api(self, api: MessagesApi) -> None:
        self._api = api

    def endpoint(self, name: str = MAIN, protocol: Protocol | None = None) -> str:
        """Return the URL of a collector's proxy, without a path.

        ``protocol`` decides between its two ports (None: the run's own protocol).
        """
        collector, proxy = self.collectors[name], self.proxies[name]
        grpc = (protocol or self.protocol) is Protocol.GRPC
        port = proxy.port(collector.grpc_port if grpc else collector.http_port)
        scheme = collector.http_endpoint.partition("://")[0]
        return f"{scheme}://127.0.0.1:{port}"

    def too_late(self) -> str:
        """Say which collector the session had to wait too long for; empty: for none."""
        for kind, servers in (
            ("the proxy before the collector", self.proxies),
            ("the collector", {name: each.store for name, each in self.collectors.items()}),
        ):
            for name, server in servers.items():
                if (waited_s := server.waits.longest_s) > LATE_S:
                    return f"{kind} {name} made a client wait for {waited_s:.1f} s"
        return ""

    def exports(self) -> tuple[tuple[Export, ...], int]:
        """Return the exports of all collectors, in order of arrival, and how many were dropped."""
        arrived: list[Export] = []
        forgotten = 0
        for name, collector in self.collectors.items():
            held, lost = collector.store.snapshot()
            forgotten += lost
            arrived += (
                held if name == MAIN else [replace(export, collector=name) for export in held]
            )
        if len(self.collectors) > 1:
            arrived.sort(key=lambda export: export.arrived_unix_nano)
            arrived = [replace(export, sequence=n) for n, export in enumerate(arrived, start=1)]
        return tuple(arrived), forgotten

    def reached(self) -> tuple[str, ...]:
        """Return what was tried to be reached beside this machine, directly or by the proxy."""
        asked = self.forward.elsewhere if self.forward else ()
        return tuple(dict.fromkeys((*self.cell.reached(), *asked)))

    def connections(self) -> tuple[Connection, ...]:
        """Return the connections accepted by every proxy, oldest first."""
        connections = [
            Connection(name, moment)
            for name, proxy in self.proxies.items()
            for moment in proxy.connections
        ]
        return tuple(sorted(connections, key=lambda connection: connection.opened_unix_nano))


@contextlib.contextmanager
def opened(
    backends: Mapping[str, Backend],
    protocol: Protocol,
    budget: Budget | None = None,
    *,
    forward: bool = False,
    apart: bool = False,
) -> Iterator[Stage]:
    """Set up the sandbox and the collectors of a run; all are removed when the block ends.

    What the collectors keep is taken of ``budget``, and given back if the block raises.
    ``forward``: it has a forward proxy. ``apart``: its processes have a network of their own, if
    the machine allows that, in which they reach our proxies and the scripted API alone.
    """
    with contextlib.ExitStack() as stack:
        collectors, proxies = {}, {}
        cell = stack.enter_context(Cell(apart=apart))
        for name, backend in backends.items():
            responder = backend.responder() if backend.responder else None
            tls = backend.tls() if backend.tls else None
            collector = stack.enter_context(
                Collector(
                    responder=responder,
                    paths=backend.paths,
                    tls=tls,
                    responder_waits=backend.responder_waits,
                )
            )
            if budget is not None:
                collector.store.draw_on(budget)
            collectors[name] = collector
            targets = (collector.http_port, collector.grpc_port)
            proxy = FaultProxy(targets, is_open=backend.listening, new_socket=cell.new_socket)
            proxies[name] = stack.enter_context(proxy)
        sandbox = stack.enter_context(Sandbox(cell=cell))
        forwarding = stack.enter_context(HttpProxy(new_socket=cell.new_socket)) if forward else None
        try:
            yield Stage(sandbox, protocol, collectors, proxies, cell, forward=forwarding)
        except BaseException:
            for collector in collectors.values():
                collector.store.give_back()
            raise
