"""Scrape the subject's Prometheus endpoint while its session lives."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from harness.capture.export import Export
from harness.contract.catalogue import contract_files
from harness.exposition import numbered
from harness.exposition.prometheus import export
from harness.scenarios.place import Place
from harness.scenarios.scenario import Until
from harness.subject.process import Completed
from harness.subject.script import Say, Step, Usage, UseTool
from harness.subject.turns import in_turn

#: Where the documents tell people to scrape.
DEFAULT_PORT = 9464

_LOCK = Path(tempfile.gettempdir()) / f"cc-otel-port-{DEFAULT_PORT}.lock"
_TURN_S = 60.0
#: Long enough for what has just happened to be counted.
_PAUSE_S = 0.1
_TIMEOUT_S = 5.0

#: Whatever proxy this machine is told to use.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_WAITING, _SCRAPED, _KEPT = "waiting", "scraped", "scrape.json"

_FREE = Usage(0, 0)


def _was_scraped(place: Place) -> bool:
    """Asked when all that the session did before has been answered."""
    (place.sandbox.root / _WAITING).touch()
    return (place.sandbox.root / _SCRAPED).exists()


def wait_and_end(file: Path) -> tuple[Step | Until, ...]:
    """Read ``file`` until there was a scrape.

    These answers are billed nothing: what they cost might be counted when nobody scrapes
    any more.  (Nor would a command do for waiting, after which some releases ask another
    model about its output.)
    """
    read = UseTool("Read", {"file_path": str(file)}, _FREE)
    return (Until(read, _was_scraped, at_most=10_000), Say("Scraped.", _FREE))


def scrape(place: Place) -> None:
    """Once the session waits, scrape twice, keep what came, and let the session go on."""
    url = _url(place)
    times = 0
    while times < 2 and not place.ended.is_set():
        served = _get(url) if (place.sandbox.root / _WAITING).exists() else None
        if served is not None:
            (place.sandbox.root / _KEPT).write_text(json.dumps(served), encoding="utf-8")
            times += 1
        place.ended.wait(_PAUSE_S)
    (place.sandbox.root / _SCRAPED).touch()


def scraped(place: Place, completed: Completed) -> Mapping[str, object]:
    """The last scrape, for the checks: where, when, and the text."""
    kept = place.sandbox.root / _KEPT
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}


def served_exports(place: Place, completed: Completed) -> Sequence[Export]:
    """What was scraped, behind what was received."""
    found = scraped(place, completed)
    if not found:
        return []
    text, moment = str(found["text"]), int(str(found["unix_nano"]))
    served = export(text, known_names(), str(found["url"]), moment)
    return numbered([served], after=len(place.exports()[0]))


def free_port(place: Place) -> int:
    """A port of one's own for the endpoint of this run."""
    kept = place.sandbox.root / "prometheus-port"
    if not kept.exists():
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            kept.write_text(str(bound.getsockname()[1]), encoding="utf-8")
    return int(kept.read_text(encoding="utf-8"))


def at_the_default_port(place: Place) -> Sequence[str]:
    """Who wants the one port that the documents name must wait for the turn."""
    return in_turn(_LOCK, _TURN_S)


def port_hindrance() -> str:
    """Why the documented port cannot be had, or nothing."""
    try:
        with FileLock(_LOCK, timeout=_TURN_S):
            pass
    except (Timeout, OSError) as error:
        return f"port {DEFAULT_PORT} is waited for by others ({error})"
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind((host, DEFAULT_PORT))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # there need not be IPv6
                return f"port {DEFAULT_PORT} is taken on this machine"
    return ""


def answers(port: int) -> bool:
    """Whether a Prometheus endpoint of the subject is at ``port``."""
    served = _get(f"http://localhost:{port}/metrics")
    return served is not None and "claude" in str(served["text"])


def _url(place: Place) -> str:
    own = (place.sandbox.root / "prometheus-port").exists()
    return f"http://localhost:{free_port(place) if own else DEFAULT_PORT}/metrics"


def _get(url: str) -> dict[str, object] | None:
    try:
        with _DIRECTLY.open(url, timeout=_TIMEOUT_S) as answer:
            return {
                "url": url,
                "unix_nano": time.time_ns(),
                "content_type": answer.headers.get("content-type", ""),
                "text": answer.read().decode("utf-8", "replace"),
            }
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return None


def known_names() -> list[str]:
    """Every name of a metric, an attribute of one, or an attribute of a resource."""
    found: set[str] = set()
    for _, schema in contract_files():
        selects = schema.get("x-selects", {})
        if selects.get("kind") in ("metric", "metrics", "items", "resources"):
            found.add(str(selects.get("name", "")))
            attributes = schema.get("properties", {}).get("attributes", {})
            found.update(attributes.get("properties", {}))
    return sorted(found - {""})
