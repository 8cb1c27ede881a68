"""Scrape the subject's Prometheus endpoint while its session lives."""

from __future__ import annotations

import contextlib
import errno
import http
import http.client
import json
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from ...capture.export import Export
from ...clock import time_ns
from ...contract.attribute_keys import metric_names
from ...exposition import numbered
from ...exposition.prometheus import export
from ...fakes.script import Say, Step, Usage, UseTool
from ...keeping.cells import Cell, why_not_apart
from ...running.scenario import Until
from ...running.stage import Stage
from ...subject.locked_exec import in_turn
from ...subject.process import Completed
from .experiment import DEFAULT_PORT
from .observed import Scrape

_LOCK = Path(tempfile.gettempdir()) / f"cc-otel-port-{DEFAULT_PORT}.lock"
_TURN_S = 60.0
#: Between two looks: what another process counts, or whether it serves, gives no sign.
_PAUSE_S = 0.1
#: Long enough for what was billed to be counted.
_COUNTED_NS = 1_000_000_000
#: A subject whose counts do not come to rest is scraped no more often.
_AT_MOST = 20
_TIMEOUT_S = 5.0

#: Where an endpoint may be that is called by the name ``localhost``.
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))

_WAITING, _SCRAPED, _KEPT = "waiting", "scraped", "scrape.json"

_FREE = Usage(0, 0)


def _was_scraped(stage: Stage) -> bool:
    """Note that the session waits for the scrape; return whether it has been made.

    The session asks this only after its earlier requests to the model have been answered.
    """
    (stage.sandbox.root / _WAITING).touch()
    return (stage.sandbox.root / _SCRAPED).exists()


def wait_and_end(file: Path) -> tuple[Step | Until, ...]:
    """Return steps that read ``file`` again and again until the endpoint has been scraped.

    Their answers are billed as no tokens: what they cost might be counted after the last scrape.
    (Nor would a command do for waiting, after which some releases ask another model about its
    output.)
    """
    read = UseTool("Read", {"file_path": str(file)}, _FREE)
    return (Until(read, _was_scraped, at_most=10_000), Say("Scraped.", _FREE))


def scrape(stage: Stage) -> None:
    """Scrape once nothing was billed for a while, until two scrapes show the same tokens.

    Then the last scrape is kept, and the waiting session goes on. To wait for the main loop is
    not enough: some releases ask another model beside it.
    """
    url, tokens = _url(stage), ""
    for _ in range(_AT_MOST):
        while not _at_rest(stage):
            if stage.ended.wait(_PAUSE_S):
                return
        served = _get(stage.cell, url)
        if served is not None:
            document = json.dumps(asdict(served))
            (stage.sandbox.root / _KEPT).write_text(document, encoding="utf-8")
            before, tokens = tokens, _tokens(served.text)
            if tokens and tokens == before:
                break
        if stage.ended.wait(_PAUSE_S):
            return
    (stage.sandbox.root / _SCRAPED).touch()


def _at_rest(stage: Stage) -> bool:
    billed = [call.arrived_unix_nano for call in stage.api.calls if call.output_tokens]
    return (stage.sandbox.root / _WAITING).exists() and (
        time_ns() - max(billed, default=0) > _COUNTED_NS
    )


def _tokens(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "token" in line)


def scraped(stage: Stage, completed: Completed) -> Scrape | None:
    """Return the last scrape as an observation."""
    path = stage.sandbox.root / _KEPT
    return Scrape(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def served_exports(stage: Stage, completed: Completed) -> Sequence[Export]:
    """Return the last scrape as an export, numbered after those received."""
    scrape = scraped(stage, completed)
    if scrape is None:
        return []
    served = export(scrape.text, metric_names(), scrape.url, scrape.unix_nano)
    return numbered([served], after=len(stage.exports()[0]))


def free_port(stage: Stage) -> int:
    """Return the port of this run's own endpoint; choose a free one at the first call."""
    path = stage.sandbox.root / "prometheus-port"
    if not path.exists():
        with stage.cell.new_socket() as bound:
            bound.bind(("127.0.0.1", 0))
            path.write_text(str(bound.getsockname()[1]), encoding="utf-8")
    return int(path.read_text(encoding="utf-8"))


def at_the_default_port(stage: Stage) -> Sequence[str]:
    """Return the command prefix that waits for its turn at the one documented port.

    There is nobody to wait for where the session has a network of its own.
    """
    return in_turn(_LOCK, _TURN_S) if stage.cell.why_not_apart else ()


def port_taken() -> str | None:
    """Return why the documented port cannot be used; None if it can.

    Each session that has a network of its own has that port for itself.
    """
    if not why_not_apart():
        return None
    try:
        with FileLock(_LOCK, timeout=_TURN_S):
            pass
    except (Timeout, OSError) as error:
        return f"port {DEFAULT_PORT} is waited for by others ({error})"
    for family, host in _LOOPBACK:
        try:
            with socket.socket(family) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind((host, DEFAULT_PORT))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # there need not be IPv6
                return f"port {DEFAULT_PORT} is taken on this machine"
    return None


def answers(cell: Cell, port: int) -> bool:
    """Return whether a Prometheus endpoint answers at ``port``, even if it has nothing to show.

    It is looked for in the network of ``cell``. A collector of ours, which might have got the port
    meanwhile, serves no plain text there.
    """
    served = _get(cell, f"http://localhost:{port}/metrics")
    return served is not None and served.content_type.startswith("text/plain")


def _url(stage: Stage) -> str:
    own = (stage.sandbox.root / "prometheus-port").exists()
    return f"http://localhost:{free_port(stage) if own else DEFAULT_PORT}/metrics"


def _get(cell: Cell, url: str) -> Scrape | None:
    place = urlsplit(url)
    assert place.hostname is not None
    assert place.port is not None
    for family, address in _LOOPBACK:
        connection = http.client.HTTPConnection(place.hostname, place.port)
        with (
            contextlib.suppress(http.client.HTTPException, OSError),
            contextlib.closing(connection),
        ):
            connection.sock = cell.new_socket(family)
            connection.sock.settimeout(_TIMEOUT_S)
            connection.sock.connect((address, place.port))
            connection.request("GET", place.path)
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK:
                return Scrape(
                    url=url,
                    unix_nano=time_ns(),
                    content_type=answer.headers.get("content-type", ""),
                    text=answer.read().decode("utf-8", "replace"),
                )
    return None
