"""Say which collector is under test, how it is reached, and how it is started."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..clock import time_ns
from ..errors import UsageError
from ..keeping import folders
from . import certificates
from .endpoint import ClientTls, Endpoint, Transport
from .outlets.base import Outlet
from .ports import free_port
from .process import CollectorFault, CollectorProcess, is_healthy, listens
from .template import PLACES, arguments, filled, named_in

COMMAND_OPTION = "--cc-collector-cmd"
CONFIG_OPTION = "--cc-collector-config"
_HOST = "127.0.0.1"
_LOG = "collector.log"


@dataclass(frozen=True, slots=True)
class Target:
    """The collector under test, as the options describe it.

    Either ``endpoints`` of one that runs already, or a ``command`` that starts one, with a
    ``config`` to be filled in (its text, and the file that it is from). ``headers`` and ``tls``
    are how we show who we are; ``ready_url`` answers with success when it is ready.
    """

    endpoints: tuple[Endpoint, ...] = ()
    command: str = ""
    config: str = ""
    config_file: Path | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: ClientTls | None = None
    ready_url: str = ""

    @property
    def spec(self) -> str:
        """What the user asked for, for the record."""
        if self.command:
            return self.command
        return ",".join(endpoint.url for endpoint in self.endpoints)

    @property
    def is_ours(self) -> bool:
        """Whether the collector is started and stopped by us."""
        return bool(self.command)

    @property
    def places(self) -> frozenset[str]:
        """The places that command and configuration name; see :mod:`harness.relay.template`."""
        named = named_in(self.command, command=True) | named_in(self.config, command=False)
        return named & frozenset(PLACES)


def check(target: Target) -> None:
    """Raise UsageError for a command or a configuration that no collector can be started by."""
    if not target.is_ours:
        return
    arguments(target.command, {}, COMMAND_OPTION)
    named = "config" in named_in(target.command, command=True)
    if named and target.config_file is None:
        raise UsageError(
            COMMAND_OPTION, seen="{config}", expected=f"{CONFIG_OPTION}=FILE beside it"
        )
    if target.config_file is not None and not named:
        raise UsageError(
            COMMAND_OPTION,
            seen=f"{target.command!r} beside {CONFIG_OPTION}",
            expected="{config} in it, for the file",
        )
    filled(target.config, PLACES, f"{CONFIG_OPTION}={target.config_file}")
    if not target.places & {"grpc_in", "http_in"}:
        raise UsageError(
            COMMAND_OPTION,
            seen=f"{target.command!r}, and neither {{grpc_in}} nor {{http_in}} in it or in "
            f"{CONFIG_OPTION}",
            expected="a place for the port on which the collector is to listen",
        )


@dataclass(slots=True)
class Started:
    """A collector under test that is ready: where it is reached, and its process if it is ours."""

    endpoints: tuple[Endpoint, ...]
    process: CollectorProcess | None = None
    _missing: Callable[[], str] = lambda: ""

    def restart(self, *, killed: bool = False) -> int:
        """End the process, start it again in the same place, and return when it was down.

        It is asked to end, or ``killed`` without a chance to finish anything. Raises
        CollectorFault, with its log, where it does not end, or does not get ready.
        """
        assert self.process is not None, "only a process of ours can be restarted"
        if killed:
            self.process.kill()
        elif ending := self.process.stop():
            raise CollectorFault(f"to be restarted: {ending}{self.process.quoted()}")
        down = time_ns()
        self.process.start()
        self.process.await_ready(self._missing)
        return down

    def stop(self) -> str:
        """End the process, and say what was wrong with how it ended (empty: nothing)."""
        return "" if self.process is None else self.process.stop()

    def check_alive(self, when: str) -> None:
        """Raise CollectorFault if it is there no more; ``when`` is for the message."""
        if self.process is not None:
            self.process.check_alive(when)
            return
        for endpoint in self.endpoints:
            if not listens(endpoint.host, endpoint.port):
                raise CollectorFault(
                    f"nothing takes connections at {endpoint.url} any more, {when}"
                )

    @property
    def log(self) -> str:
        """The end of what the collector has printed so far; empty if it is not ours."""
        return "" if self.process is None else self.process.log

    def log_lines(self) -> Iterator[str]:
        """Yield every line that the collector has printed; none if it is not ours."""
        return iter(()) if self.process is None else self.process.log_lines()

    def quoted(self) -> str:
        """Return the last lines of the log, for the end of a message."""
        return "" if self.process is None else self.process.quoted()


@contextlib.contextmanager
def started(target: Target, outlets: Sequence[Outlet]) -> Iterator[Started]:
    """Start the collector under test, or find the one that runs; it is stopped at the end.

    ``outlets`` have been started: their places are filled in. Raises CollectorFault, with its
    log, for one that does not get ready, and UsageError as :func:`check` does.
    """
    check(target)
    if not target.is_ours:
        _find(target)
        yield Started(target.endpoints)
        return
    with folders.temporary("collector") as folder:
        root = Path(folder)
        values, endpoints = _values(target, outlets, root)
        argv = arguments(target.command, values, COMMAND_OPTION)
        process = CollectorProcess(argv, root / _LOG, {})
        missing = _missing(target, endpoints, values)
        with process:
            process.await_ready(missing)
            yield Started(endpoints, process, missing)


def _values(
    target: Target, outlets: Sequence[Outlet], root: Path
) -> tuple[dict[str, str], tuple[Endpoint, ...]]:
    """Choose the ports, write the configuration, and return what fills in the command."""
    places = target.places
    scratch = root / "folder"
    scratch.mkdir()
    values = {"folder": str(scratch), **_secrets(places, root)}
    tls, headers = _shown(target)
    endpoints = []
    inlets: tuple[tuple[str, Transport], ...] = (("grpc_in", "grpc"), ("http_in", "http"))
    for place, transport in inlets:
        if place in places:
            endpoint = Endpoint(transport, _HOST, free_port(), tls=tls, headers=headers)
            endpoints.append(endpoint)
            values[place] = endpoint.authority
    if "health" in places:
        values["health"] = f"{_HOST}:{free_port()}"
    for outlet in outlets:
        values.update(outlet.placeholders())
    if target.config_file is not None:
        path = root / f"config{target.config_file.suffix}"
        path.write_text(
            filled(target.config, values, f"{CONFIG_OPTION}={target.config_file}"),
            encoding="utf-8",
        )
        values["config"] = str(path)
    return values, tuple(endpoints)


def _secrets(places: frozenset[str], root: Path) -> dict[str, str]:
    """Return the certificates and keys that are named, as files, and the token."""
    pems: dict[str, Callable[[], bytes]] = {
        "certificate": lambda: certificates.server().certificate,
        "key": lambda: certificates.server().key,
        "client_ca": certificates.authority,
        "ca": certificates.authority,
        "client_certificate": lambda: certificates.known()[0],
        "client_key": lambda: certificates.known()[1],
    }
    values = {"token": certificates.token()}
    for name in pems.keys() & places:
        path = root / f"{name}.pem"
        path.write_bytes(pems[name]())
        values[name] = str(path)
    return values


def _shown(target: Target) -> tuple[ClientTls | None, tuple[tuple[str, str], ...]]:
    """Return how we speak to a collector of ours: by its options, or as its places have it."""
    tls, headers = target.tls, target.headers
    if "certificate" in target.places:
        tls = certificates.client(certified="client_ca" in target.places)
    if "token" in target.places:
        headers = (*headers, ("authorization", f"Bearer {certificates.token()}"))
    return tls, headers


def _missing(
    target: Target, endpoints: Sequence[Endpoint], values: Mapping[str, str]
) -> Callable[[], str]:
    """Return what says why the collector is not ready."""
    url = target.ready_url or (f"http://{values['health']}/" if "health" in values else "")

    def missing() -> str:
        for endpoint in endpoints:
            if not listens(endpoint.host, endpoint.port):
                return f"nothing listens on {endpoint.authority} ({endpoint.transport})"
        return is_healthy(url) if url else ""

    return missing


def _find(target: Target) -> None:
    for endpoint in target.endpoints:
        if not listens(endpoint.host, endpoint.port):
            raise CollectorFault(f"--cc-collector={endpoint.url}: nothing takes connections there")
    if target.ready_url and (why := is_healthy(target.ready_url)):
        raise CollectorFault(f"the collector is not ready: {why}")
