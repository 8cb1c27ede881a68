"""A small client of the Messages API: one streamed request, with retries.

Only the standard library: the official SDK takes longer to import than a whole
session takes here, and one more dependency would buy nothing, for the wire is one
POST and a stream of server-sent events.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.errors import UsageError

_RETRIED_STATUS = frozenset({408, 409, 429})
_FIRST_PAUSE_S = 0.02
_TIMEOUT_S = 60.0
_MAX_TOKENS = 32_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens billed for one answer."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_creation_tokens: int


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model asked for."""

    tool_use_id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is known of a request, answered or not.  ``duration_ms`` takes in all attempts;
    ``client_request_id`` is that of the last one."""

    model: str
    duration_ms: int
    attempts: int
    request_id: str
    client_request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; ``content`` are its blocks as the next request repeats them."""

    exchange: Exchange
    content: Sequence[Mapping[str, Any]]
    usage: Usage

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
    """The last attempt failed.  ``status`` is ``None`` where there was no HTTP answer."""

    def __init__(self, message: str, status: int | None, exchange: Exchange) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.exchange = exchange


class _AttemptError(Exception):
    """One attempt failed."""

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


class MessagesClient:
    """Talks to the API that ``environ`` names (ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY).

    There is no default address: an emitter must never speak to the real API.
    """

    def __init__(self, environ: Mapping[str, str], *, session_id: str, version: str) -> None:
        base_url = environ.get("ANTHROPIC_BASE_URL", "")
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise UsageError(
                "environment variable ANTHROPIC_BASE_URL",
                seen=repr(base_url),
                expected="the address of a scripted Messages API, such as http://127.0.0.1:8080",
            )
        self._url = url
        self._max_retries = _retries(environ.get("CLAUDE_CODE_MAX_RETRIES", ""))
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"claude-cli/{version} (external, sdk-cli)",
            "X-Claude-Code-Session-Id": session_id,
            "anthropic-version": "2023-06-01",
            "x-api-key": environ.get("ANTHROPIC_API_KEY", ""),
            "x-app": "cli",
        }

    def ask(
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
    ) -> Answer:
        """One request of the main loop.  Raises :class:`ApiError` after the last attempt."""
        body = json.dumps(
            {
                "model": model,
                "max_tokens": _MAX_TOKENS,
                "stream": True,
                "messages": messages,
                "tools": tools,
            }
        ).encode()
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            client_request_id = str(uuid.uuid4())
            failure: _AttemptError | None = None
            try:
                request_id, content, usage = self._attempt(body, client_request_id)
            except _AttemptError as failed:
                failure = failed
                request_id = failed.request_id
            except (OSError, http.client.HTTPException) as error:
                failure = _AttemptError(f"Connection error: {error}")
                request_id = ""
            exchange = Exchange(
                model,
                round((time.monotonic() - started) * 1000),
                attempt,
                request_id,
                client_request_id,
            )
            if failure is None:
                return Answer(exchange, content, usage)
            if attempt > self._max_retries or not failure.worth_retrying:
                raise ApiError(failure.message, failure.status, exchange)
            time.sleep(failure.pause_s(attempt))

    def _attempt(
        self, body: bytes, client_request_id: str
    ) -> tuple[str, Sequence[Mapping[str, Any]], Usage]:
        kind = (
            http.client.HTTPSConnection
            if self._url.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = kind(self._url.hostname or "", self._url.port, timeout=_TIMEOUT_S)
        try:
            path = f"{self._url.path.rstrip('/')}/v1/messages?beta=true"
            headers = {**self._headers, "x-client-request-id": client_request_id}
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
            content, usage = _assemble(_server_sent_events(response), request_id)
            return request_id, content, usage
        finally:
            connection.close()


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


def _assemble(
    events: Iterable[dict[str, Any]], request_id: str
) -> tuple[Sequence[Mapping[str, Any]], Usage]:
    """The blocks and the usage.  Later usage replaces earlier: it is a running total."""
    blocks: dict[int, dict[str, Any]] = {}
    arguments: dict[int, str] = {}
    usage: dict[str, int] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                usage.update(event["message"]["usage"])
            case "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "text_delta":
                    blocks[event["index"]]["text"] += delta["text"]
                elif delta["type"] == "input_json_delta":
                    index = event["index"]
                    arguments[index] = arguments.get(index, "") + delta["partial_json"]
            case "message_delta":
                usage.update(event["usage"])
            case "error":
                raise _AttemptError(str(event["error"]["message"]), request_id=request_id)
            case "message_stop":
                for index, text in arguments.items():
                    blocks[index]["input"] = json.loads(text or "{}")
                return [blocks[index] for index in sorted(blocks)], Usage(
                    usage["input_tokens"],
                    usage["output_tokens"],
                    usage.get("cache_read_input_tokens", 0),
                    usage.get("cache_creation_input_tokens", 0),
                )
    raise _AttemptError("the stream ended before its message_stop", request_id=request_id)
