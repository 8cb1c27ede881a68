"""The page on which people watch: one file, and what arrived as JSON, on loopback alone.

A page of another origin must not read it: a request must name this server as its host (or a name
that leads here would do, by DNS rebinding), and none may come from another origin.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

from ..collector.collector import open_listener
from ..serving.server import HttpServer
from .entry import Entry

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

_LOOPBACK = "127.0.0.1"
_NAMES = (_LOOPBACK, "localhost")
#: So many entries are kept for pages that are opened later, and so many are told at once.
_MOST_KEPT, _MOST_TOLD = 1000, 200
_GRACE_S = 1.0

_PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")


def _digest(tag: str) -> str:
    """Return the digest by which a browser knows the page's own script or style."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>", _PAGE, re.DOTALL)
    assert found is not None
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_HEADERS = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": f"default-src 'none'; script-src {_digest('script')}; "
        f"style-src {_digest('style')}; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }.items()
)
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


class View:
    """Serves the page; entries may be added from any thread. Use it as a context manager."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Entry] = deque(maxlen=_MOST_KEPT)
        self._listener = open_listener("web_port", _LOOPBACK, port)
        self._port: int = self._listener.getsockname()[1]
        self._server = HttpServer(self._handle, self._listener)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{_LOOPBACK}:{self._port}/"

    def add(self, entry: Entry) -> None:
        """Show an entry."""
        with self._lock:
            self._kept.append(entry)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(_GRACE_S)

    async def _handle(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        status, kind, body = self._answer(scope)
        length = str(len(body)).encode()
        headers = (*_HEADERS, (b"content-type", kind.encode()), (b"content-length", length))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        head_only = scope["method"] == "HEAD"
        await send(
            {
                "type": "http.response.body",
                "body": b"" if head_only else body,
                "more_body": False,
            }
        )

    def _answer(self, scope: HTTPScope) -> tuple[int, str, bytes]:
        why_not = self._foreign(scope)
        if why_not:
            return 403, _TEXT, f"refused: {why_not}\n".encode()
        if scope["method"] not in ("GET", "HEAD"):
            return 405, _TEXT, b"refused: only GET\n"
        if scope["path"] == "/":
            return 200, _HTML, _PAGE.encode()
        if scope["path"] == "/entries":
            after = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
            if not re.fullmatch(r"[0-9]{1,18}", after):
                return 400, _TEXT, b"refused: after must be a number\n"
            return 200, _JSON, json.dumps(self._since(int(after))).encode()
        return 404, _TEXT, b"no such page\n"

    def _since(self, number: int) -> dict[str, Any]:
        """Return the entries after a number, the oldest first, and the number of the last."""
        with self._lock:
            found = [entry for entry in self._kept if entry.number > number][:_MOST_TOLD]
        last = found[-1].number if found else number
        return {"next": last, "entries": [entry.as_json() for entry in found]}

    def _foreign(self, scope: HTTPScope) -> str:
        """Say why a request is not from our own page, or from somebody who typed its address."""
        own = {f"{name}:{self._port}" for name in _NAMES}
        values: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            values.setdefault(name, []).append(value.decode("latin-1"))
        hosts = values.get(b"host", [])
        if len(hosts) != 1 or hosts[0].lower() not in own:
            return "the header Host names another server"
        origins = {f"http://{each}" for each in own}
        if any(origin.lower() not in origins for origin in values.get(b"origin", [])):
            return "it comes from a page of another origin"
        sites = values.get(b"sec-fetch-site", [])
        if scope["path"] != "/" and any(each not in ("same-origin", "none") for each in sites):
            return "it comes from a page of another site"
        return ""
