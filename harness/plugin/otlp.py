"""Send the record of a run to somebody's own collector (``--cc-otlp-endpoint``)."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.protobuf.message import DecodeError

from ..errors import UsageError, printable
from ..otlp.messages import RESPONSES, Encoding, Request, signal_of
from ..record.run_record import RunRecord
from ..relay.headers import parse_headers
from ..report import telemetry
from .options import OTLP, OTLP_HEADERS

#: How long one request may take: the run is over, and somebody waits for its end.
_TIMEOUT_S = 10.0

#: As much of an answer as is read: it holds a sentence.
_LONGEST = 64_000


@dataclass(frozen=True, slots=True)
class Target:
    """A collector that speaks OTLP over http/protobuf; ``endpoint`` has no path of a signal."""

    endpoint: str
    headers: Mapping[str, str]

    def send(self, requests: Iterable[Request]) -> str:
        """Send all requests, and return what went wrong, in a sentence; empty if nothing did."""
        for request in requests:
            if problem := self._send_one(request):
                return problem
        return ""

    def _send_one(self, request: Request) -> str:
        signal = signal_of(request)
        url = f"{self.endpoint}/v1/{signal}"
        sent = urllib.request.Request(
            url,
            request.SerializeToString(),
            {**self.headers, "content-type": Encoding.PROTOBUF.value},
        )
        try:
            with _OPENER.open(sent, timeout=_TIMEOUT_S) as answer:
                body = answer.read(_LONGEST)
                partial = RESPONSES[signal].FromString(body).partial_success
        except urllib.error.HTTPError as error:
            return f"{url} answered {error.code} {error.reason}"
        except DecodeError:
            return f"{url} answered with what is no OTLP"
        except (OSError, http.client.HTTPException) as error:
            return f"{url}: {getattr(error, 'reason', '') or error!r}"
        left = getattr(partial, _REJECTED[signal.value])
        if left or partial.error_message:
            return f"{url} rejected {left} items: {partial.error_message}"
        return ""


_REJECTED = {"metrics": "rejected_data_points", "logs": "rejected_log_records"}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Take a redirection for an error: what follows it would be a GET, and no export."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


class OtlpPlugin:
    """The hook that sends the record, once all is decided."""

    def __init__(
        self, target: Target, record: Callable[[int], RunRecord], note: Callable[[str], None]
    ) -> None:
        self._target = target
        self._record = record
        self._note = note

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            return
        code = int(session.exitstatus)
        problem = self._target.send(telemetry.requests(self._record(code), code))
        # Whoever watches is not who is judged: the exit code stays.
        if problem:
            self._note(printable(f"not sent   {problem}"))


def target(config: pytest.Config) -> Target | None:
    """Return where the record is to be sent, if anywhere.  Raises pytest.UsageError."""
    text, headers = config.getoption(OTLP), config.getoption(OTLP_HEADERS)
    if text is None:
        if headers is not None:
            raise pytest.UsageError(f"{OTLP_HEADERS}: expected {OTLP}=URL beside it, saw none")
        return None
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable or url.username is not None or url.query or url.fragment:
        raise pytest.UsageError(
            f"{OTLP}: expected a URL of OTLP over HTTP without credentials, such as "
            "http://localhost:4318, saw another"
        )
    try:
        given = parse_headers(OTLP_HEADERS, headers)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    return Target(text.rstrip("/"), dict(given))


def register(
    config: pytest.Config, record: Callable[[int], RunRecord], note: Callable[[str], None]
) -> None:
    """Register the hook if the record is to be sent."""
    where = target(config)
    if where is not None:
        config.pluginmanager.register(OtlpPlugin(where, record, note), "cc-otel-otlp")
