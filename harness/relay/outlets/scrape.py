"""Scrape the endpoint that a collector under test offers to Prometheus, again and again.

A counter's whole story is in its scrapes: whether it fell, when a series vanished. So they are made
at an interval, as Prometheus makes them, and each that shows something else is an export.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping

from ...clock import time_ns
from ...collector.store import DEFAULT_LIMIT
from ...exposition import SCRAPE, ExpositionError, exposed
from ...exposition.prometheus import samples
from ...exposition.scraped import Scraped
from ...exposition.series import export
from ..endpoint import ClientTls
from ..ports import free_port
from .base import Polled

#: Between two scrapes: short against the second or so that sessions of tests last.
INTERVAL_S = 0.25
_TIMEOUT_S = 5.0

_TEXT = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3"
_OPENMETRICS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5"
)


class ScrapeOutlet(Polled):
    """An endpoint that we scrape every ``interval_s`` seconds, from the start on.

    Placeholder: ``scrape`` (``host:port``), where the collector is to serve; it is scraped at
    ``http://host:port/metrics``, or at ``url`` if that is given. ``openmetrics`` asks for that
    format first, as Prometheus does. ``headers`` go with each scrape; ``tls`` is used for https
    (the machine's trusted certificates without it). That nothing listens there is no fault: it is
    scraped again.
    """

    name = SCRAPE

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        url: str = "",
        headers: Mapping[str, str] | None = None,
        tls: ClientTls | None = None,
        openmetrics: bool = True,
        interval_s: float = INTERVAL_S,
        limit_bytes: int = DEFAULT_LIMIT,
    ) -> None:
        super().__init__(interval_s, limit_bytes)
        self._address = f"{host}:{port or free_port(host)}"
        self.url = url or f"http://{self._address}/metrics"
        accept = f"{_OPENMETRICS},{_TEXT}" if openmetrics else _TEXT
        self._headers = {"accept": f"{accept},*/*;q=0.1", **(headers or {})}
        self._scrapes: list[Scraped] = []
        # Whatever proxy this machine is told to use.
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls.context()))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def scrapes(self) -> tuple[Scraped, ...]:
        """Every scrape, those that failed included; equal ones in a row are told once."""
        return tuple(self._scrapes)

    def placeholders(self) -> Mapping[str, str]:
        """Return ``scrape``."""
        return {"scrape": self._address}

    def look(self) -> None:
        """Scrape once."""
        scraped = self._get()
        before = self._scrapes[-1] if self._scrapes else None
        if before is not None and _shown(before) == _shown(scraped):
            return
        self._scrapes.append(scraped)
        if scraped.problem:
            return
        try:
            served = samples(scraped.text, scraped.content_type)
        except ExpositionError as error:
            body = scraped.text.encode()
            unread = exposed(self.name, None, body, self.url, scraped.unix_nano, 1, str(error))
            self._store.append(unread)
            return
        self._store.append(export(self.name, served, self.url, scraped.unix_nano))

    def _get(self) -> Scraped:
        request = urllib.request.Request(self.url, headers=self._headers)
        now = time_ns()
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                text = answer.read().decode("utf-8", "replace")
                return Scraped(self.url, now, answer.headers.get("content-type", ""), text)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            return Scraped(self.url, now, problem=str(error))


def _shown(scraped: Scraped) -> tuple[str, str, str]:
    return scraped.problem, scraped.content_type, scraped.text
