"""A small client of the Messages API, for one streamed request with retries.

It uses only the standard library: the official SDK takes longer to import than a whole
session takes here, and for one POST and a stream of server-sent events it is not needed.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import UsageError
from .bodies import Bodies
from .certificates import api_context
from .proxies import authorization, proxy_for

_RETRIED_STATUS = frozenset({408, 409, 429})
_FIRST_PAUSE_S = 0.02
_TIMEOUT_S = 60.0
_MAX_TOKENS = 32_000


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens billed for one answer."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_creation_tokens: int


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A use of a tool that the model requested."""

    tool_use_id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, answered or not, with its attempts.

    ``duration_ms`` covers all attempts; ``client_request_id`` is that of the last one.
    """

    model: str
    duration_ms: int
    request_id: str
    attempt_ids: tuple[str, ...]
    """The ``x-client-request-id`` of each attempt."""

    @property
    def client_request_id(self) -> str:
        return self.attempt_ids[-1]

    @property
    def attempts(self) -> int:
        return len(self.attempt_ids)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A complete answer; ``content`` are its blocks as the next request repeats them."""

    exchange: Exchange
    content: Sequence[Mapping[str, Any]]
    usage: Usage
    stop_reason: str
    first_token_ms: int

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def tool_uses(self) -> list[ToolUse]:
        return [
            ToolUse(block["id"], block["name"], block["input"])
            for block in self.content
            if block["type"] == "tool_use"
        ]


class ApiError(Exception):
    """The last attempt of a request failed; ``status`` is None if there was no HTTP answer."""

    def __init__(self, message: str, status: int | None, exchange: Exchange) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.exchange = exchange


class _AttemptError(Exception):
    """One attempt of a request failed."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str = "",
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def worth_retrying(self) -> bool:
        return self.status is None or self.status in _RETRIED_STATUS or self.status >= 500

    def pause_s(self, attempt: int) -> float:
        try:
            return float(self.retry_after or "")
        except ValueError:
            return _FIRST_PAUSE_S * 2.0 ** (attempt - 1)


@dataclass(frozen=True, slots=True)
class _Reply:
    """The answer to a single attempt; ``first_token_s`` is a monotonic time.

    ``message`` is the message as the API tells it, but for its ``content``.
    """

    request_id: str
    message: Mapping[str, Any]
    content: Sequence[Mapping[str, Any]]
    usage: Usage
    stop_reason: str
    first_token_s: float


class MessagesClient:
    """A client of the API that ``environ`` names in ANTHROPIC_BASE_URL.

    It uses the API key or, if that is empty, the OAuth token.

    There is no default address: an emitter must never talk to the real API. Each request says
    which session and installation (``user_id``) it comes from, and how hard the model is to work
    (``effort``; empty: it does not say).
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        session_id: str,
        version: str,
        entrypoint: str,
        user_id: str = "",
        effort: str = "",
        bodies: Bodies | None = None,
    ) -> None:
        self._bodies = bodies
        base_url = environ.get("ANTHROPIC_BASE_URL", "")
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise UsageError(
                "environment variable ANTHROPIC_BASE_URL",
                seen=repr(base_url),
                expected="the address of a scripted Messages API, such as http://127.0.0.1:8080",
            )
        self._url = url
        self._proxy = proxy_for(url, environ)
        self._tls: ssl.SSLContext | None = None
        ids = {"device_id": user_id, "account_uuid": "", "session_id": session_id}
        self._said: dict[str, Any] = {"metadata": {"user_id": json.dumps(ids)}}
        if effort:
            self._said["output_config"] = {"effort": effort}
        self._max_retries = _retries(environ.get("CLAUDE_CODE_MAX_RETRIES", ""))
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"claude-cli/{version} (external, {entrypoint})",
            "X-Claude-Code-Session-Id": session_id,
            "anthropic-version": "2023-06-01",
            "x-app": "cli",
        }
        token = environ.get("CLAUDE_CODE_OAUTH_TOKEN", "")
        if (key := environ.get("ANTHROPIC_API_KEY", "")) or not token:
            self._headers["x-api-key"] = key
        else:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        traceparent: str = "",
    ) -> ModelReply:
        """Send one request of the main loop. Raises :class:`ApiError` after the last attempt.

        It carries ``traceparent``, if that is not empty.
        """
        further = {"traceparent": traceparent} if traceparent else {}
        body = json.dumps(
            {
                "model": model,
                "max_tokens": _MAX_TOKENS,
                "stream": True,
                "messages": messages,
                "tools": tools,
                **self._said,
            }
        ).encode()
        started = time.monotonic()
        attempt_ids: list[str] = []
        while True:
            attempt_ids.append(str(uuid.uuid4()))
            reply: _Reply | None = None
            if self._bodies:
                self._bodies.request(body)
            try:
                reply = self._attempt(body, {**further, "x-client-request-id": attempt_ids[-1]})
                request_id = reply.request_id
            except _AttemptError as failed:
                failure = failed
                request_id = failed.request_id
            except (OSError, http.client.HTTPException) as error:
                failure = _AttemptError(f"Connection error: {error}")
                request_id = ""
            exchange = Exchange(model, _ms(started), request_id, tuple(attempt_ids))
            if reply is not None:
                first_token_ms = _ms(started, reply.first_token_s)
                if self._bodies:
                    self._bodies.response(reply.message, reply.content, request_id)
                return ModelReply(
                    exchange, reply.content, reply.usage, reply.stop_reason, first_token_ms
                )
            if len(attempt_ids) > self._max_retries or not failure.worth_retrying:
                raise ApiError(failure.message, failure.status, exchange)
            time.sleep(failure.pause_s(len(attempt_ids)))  # as the CLI does before a retry

    def _attempt(self, body: bytes, further: Mapping[str, str]) -> _Reply:
        connection, address = self._connection()
        try:
            path = f"{address}{self._url.path.rstrip('/')}/v1/messages?beta=true"
            headers = {**self._headers, **further}
            if address and self._proxy:
                headers |= authorization(self._proxy)
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            request_id = response.headers.get("request-id", "")
            if response.status != 200:
                raise _AttemptError(
                    _error_message(response.read()),
                    status=response.status,
                    request_id=request_id,
                    retry_after=response.headers.get("retry-after"),
                )
            return _assemble(_server_sent_events(response), request_id)
        finally:
            connection.close()

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        """Return a connection, and what a request's path begins with: its proxy wants a URL."""
        url, proxy = self._url, self._proxy
        tls = url.scheme == "https"
        nearest = proxy or url
        host, port = nearest.hostname or "", nearest.port
        connection: http.client.HTTPConnection
        if tls:
            context = self._tls = self._tls or api_context()
            connection = http.client.HTTPSConnection(
                host, port, timeout=_TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        if proxy and tls:
            connection.set_tunnel(url.hostname or "", url.port, authorization(proxy))
        return connection, f"{url.scheme}://{url.netloc}" if proxy and not tls else ""


def _ms(started: float, until: float | None = None) -> int:
    return round(((time.monotonic() if until is None else until) - started) * 1000)


def _retries(value: str) -> int:
    if not value:
        return 10
    if not value.isdecimal():
        raise UsageError(
            "environment variable CLAUDE_CODE_MAX_RETRIES",
            seen=repr(value),
            expected="a whole number, at least 0",
        )
    return int(value)


def _error_message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip() or "no error message"


def _server_sent_events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    data = b""
    for line in lines:
        stripped = line.rstrip(b"\r\n")
        if stripped.startswith(b"data:"):
            data += stripped.removeprefix(b"data:").removeprefix(b" ")
        elif not stripped and data:
            yield json.loads(data)
            data = b""


def _assemble(events: Iterable[dict[str, Any]], request_id: str) -> _Reply:
    """Read the stream to its end. Later usage replaces earlier: it is a running total."""
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    arguments: dict[int, str] = {}
    usage: dict[str, int] = {}
    stop_reason = ""
    first_token_s = time.monotonic()
    for event in events:
        match event["type"]:
            case "message_start":
                message |= event["message"]
                usage.update(event["message"]["usage"])
            case "content_block_start":
                if not blocks:
                    first_token_s = time.monotonic()
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "text_delta":
                    blocks[event["index"]]["text"] += delta["text"]
                elif delta["type"] == "input_json_delta":
                    index = event["index"]
                    arguments[index] = arguments.get(index, "") + delta["partial_json"]
                elif delta["type"] in ("thinking_delta", "signature_delta"):
                    field = delta["type"].removesuffix("_delta")
                    blocks[event["index"]][field] += delta[field]
            case "message_delta":
                usage.update(event["usage"])
                stop_reason = str(event["delta"].get("stop_reason") or "")
            case "error":
                raise _AttemptError(str(event["error"]["message"]), request_id=request_id)
            case "message_stop":
                for index, text in arguments.items():
                    blocks[index]["input"] = json.loads(text or "{}")
                billed = Usage(
                    usage["input_tokens"],
                    usage["output_tokens"],
                    usage.get("cache_read_input_tokens", 0),
                    usage.get("cache_creation_input_tokens", 0),
                )
                content = [blocks[index] for index in sorted(blocks)]
                message |= {"usage": usage, "stop_reason": stop_reason}
                return _Reply(request_id, message, content, billed, stop_reason, first_token_s)
    raise _AttemptError("the stream ended before its message_stop", request_id=request_id)
