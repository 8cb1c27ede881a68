"""A fake Messages API on loopback, which answers the subject by a script.

It answers as the public API does (SSE, JSON, errors) and records every call, token and tool run.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self

from ..capture.run import ApiCall, Failure, ToolRun
from ..clock import time_ns
from ..serving.application import CONNECTION, HANG_UP, TLS, Connection
from ..serving.server import HttpServer, listening
from . import conversation
from .given_up import given_up_of
from .response import Response, json_response
from .script import (
    Answering,
    CutOff,
    Fail,
    HangUp,
    Repeat,
    Say,
    Step,
    Usage,
    UseTool,
    usage_of_call,
)
from .sse import ModelMessage, cut_stream, error_body, event_stream, message_json

#: Answered when the script has no step left.
AFTER_THE_SCRIPT = Say("done")

#: How long a message is held back before it is answered, unless told otherwise: the durations
#: that the subject measures must show it, in whatever unit.
THINKS_S = 0.03

_COUNTED_TOKENS = 1009
_MESSAGES = "/v1/messages"
_EVENT_STREAM = "text/event-stream; charset=utf-8"


class ToolObserver(Protocol):
    """Callbacks for scripted tools: before the subject gets the request, and after the tool ran."""

    def tool_asked(self, name: str, tool_input: Mapping[str, object]) -> None: ...

    def tool_ran(self, run: ToolRun) -> None: ...


class MessagesApi:
    """A fake Messages API that answers by ``script`` while its ``with`` block lasts.

    ``prompts`` are the user prompts of the run: a request belongs to the main loop if its
    newest turn is one of them, or a scripted tool's result (see
    :func:`harness.fakes.conversation.is_main_loop`). Every other request is
    auxiliary: answered, billed, recorded, and no step of the script is used for it.

    ``usage_frames`` is the number of the stream's ``message_delta`` frames, in which the
    output tokens grow to the total. ``thinks_s`` is how long each message waits for its answer.
    With ``tls`` it accepts TLS connections only.
    The recorded data may be read at any time, from any thread.
    """

    def __init__(
        self,
        script: Sequence[Step],
        *,
        prompts: Iterable[str],
        observer: ToolObserver | None = None,
        usage_frames: int = 1,
        thinks_s: float = THINKS_S,
        new_socket: Callable[[], socket.socket] = socket.socket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._thinks_s, self._new_socket, self.tls = thinks_s, new_socket, tls
        self._prompts = tuple(prompts)
        if not all(prompt.strip() for prompt in self._prompts):
            raise ValueError("MessagesApi: an empty prompt would match every request")
        self._steps = deque(script)
        self._answered = 0
        self._failures: list[Failure] = []
        self._observer = observer
        self._usage_frames = usage_frames
        self._calls: list[ApiCall] = []
        self._connections: dict[str, Connection] = {}  # what each came on, by the request's id
        self.requests: dict[str, dict[str, Any]] = {}  # each call's body, by the same id
        self._tools: dict[str, UseTool] = {}
        self._tool_runs: dict[str, ToolRun] = {}
        self._asked_unix_nano: dict[str, int] = {}
        self._prompts_seen: list[str] = []
        self._prompts_doubled: list[str] = []
        self.tools_missing: list[str] = []  # MCP tools that the session did not have
        self._unexpected: list[str] = []
        self._headers: list[tuple[str, dict[str, str]]] = []
        self.certificates: set[str] = set()  # common names that clients have shown, empty for none

    @property
    def base_url(self) -> str:
        """The value for ``ANTHROPIC_BASE_URL``."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def calls(self) -> tuple[ApiCall, ...]:
        """Every call of ``/v1/messages``, in order of arrival.

        Whether one was given up is known when the session has ended.
        """
        calls = tuple(self._calls)
        given_up = given_up_of(calls, self._connections)
        return tuple(
            replace(call, given_up=True) if call.request_id in given_up else call for call in calls
        )

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The final failures, in order; one after which a retry succeeded is not among them."""
        return tuple(self._failures)

    @property
    def main_calls(self) -> tuple[ApiCall, ...]:
        """The calls of the main loop."""
        return tuple(call for call in self._calls if not call.auxiliary)

    @property
    def tools_asked(self) -> tuple[tuple[str, UseTool], ...]:
        """The scripted tools that the subject was asked to run, with their ids, in order."""
        return tuple(self._tools.items())

    @property
    def tool_runs(self) -> tuple[ToolRun, ...]:
        """The scripted tools whose result was received, in the order of the results."""
        return tuple(self._tool_runs.values())

    @property
    def prompts_doubled(self) -> tuple[str, ...]:
        """The expected prompts that reached the main loop typed twice into one message."""
        return tuple(self._prompts_doubled)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The expected prompts that reached the main loop, each once, in the order of arrival."""
        return tuple(self._prompts_seen)

    @property
    def unexpected(self) -> tuple[str, ...]:
        """The requests that this API does not support, as ``METHOD /path``; answered with 404."""
        return tuple(self._unexpected)

    @property
    def headers(self) -> tuple[Mapping[str, str], ...]:
        """The headers of every request, auxiliary ones too; names in lower case."""
        return tuple(headers for _, headers in self._headers)

    @property
    def message_headers(self) -> tuple[Mapping[str, str], ...]:
        """The headers of every request for a message, in order of arrival."""
        return tuple(headers for path, headers in self._headers if path == _MESSAGES)

    def __enter__(self) -> Self:
        listener = listening(self._new_socket)
        self._port: int = listener.getsockname()[1]
        self._server = HttpServer(self._app, listener, tls=self.tls)
        self._server.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop(grace_s=0)

    async def _app(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Any],
        send: Callable[[Mapping[str, Any]], Any],
    ) -> None:
        body = bytearray()
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += event.get("body", b"")
            if not event.get("more_body", False):
                break
        headers = {key.decode("latin-1"): text.decode("latin-1") for key, text in scope["headers"]}
        self._headers.append((scope["path"], headers))
        if self.tls:
            self.certificates.add(_shown(scope["state"][TLS]))
        # No await from here to the answer: requests are accounted one at a time.
        response = self._respond(scope["method"], scope["path"], bytes(body))
        for call in self._calls[len(self._connections) :]:
            self._connections[call.request_id] = scope["state"][CONNECTION]
        if scope["path"] == _MESSAGES:
            await asyncio.sleep(self._thinks_s)
        if response.status:
            sent = [(name.encode(), value.encode()) for name, value in response.headers.items()]
            await send(
                {"type": "http.response.start", "status": response.status, "headers": sent},
            )
            await send(
                {
                    "type": "http.response.body",
                    "body": response.body,
                    "more_body": response.hang_up,
                }
            )
        if response.hang_up:
            scope["state"][HANG_UP]()
            while (await receive())["type"] != "http.disconnect":
                pass

    def _respond(self, method: str, path: str, body: bytes) -> Response:
        if method == "HEAD" or (method, path) == ("GET", "/"):
            return Response(200, b"")
        if method == "POST" and path in (_MESSAGES, f"{_MESSAGES}/count_tokens"):
            try:
                request = json.loads(body)
            except ValueError:
                request = None
            if isinstance(request, dict):
                if path.endswith("count_tokens"):
                    return json_response(200, {"input_tokens": _COUNTED_TOKENS})
                return self._message(request)
        self._unexpected.append(f"{method} {path}")
        error = error_body("not_found_error", f"not scripted: {method} {path}", "")
        return json_response(404, error)

    def _message(self, request: dict[str, Any]) -> Response:
        self._note_tool_results(request)
        main = conversation.is_main_loop(request, self._prompts, self._tools)
        number = len(self._calls) + 1
        call = ApiCall(
            model=str(request.get("model", "")),
            status=200,
            auxiliary=not main,
            streamed=bool(request.get("stream", False)),
            request_id=f"req_01{number:022d}",
            probe=request.get("max_tokens") == 1,
            arrived_unix_nano=time_ns(),
        )
        call = replace(call, **conversation.claims(request))
        self.requests[call.request_id] = request
        if not main:
            block = conversation.auxiliary_block(request, f"toolu_aux{number:022d}")
            return self._succeed(call, block, usage_of_call(number))
        for prompt in conversation.prompts_in(request, self._prompts):
            if prompt not in self._prompts_seen:
                self._prompts_seen.append(prompt)
                self._prompts_doubled += conversation.doubled_in(request, (prompt,))
                self._turn_begins()
        step = self._next_step()
        if isinstance(step, Fail | HangUp | CutOff):
            return self._fail(call, step)
        usage = step.usage or usage_of_call(number)
        if isinstance(step, Say):
            return self._succeed(call, {"type": "text", "text": step.text}, usage, step.thinking)
        tool_use_id = f"toolu_01{number:022d}"
        self._tools[tool_use_id] = step
        self._asked_unix_nano[tool_use_id] = self._answer_due()
        if self._observer is not None:
            self._observer.tool_asked(step.name, step.input)
        block = {
            "type": "tool_use",
            "id": tool_use_id,
            "name": step.name,
            "input": dict(step.input),
        }
        return self._succeed(call, block, usage)

    def _next_step(self) -> Answering:
        if not self._steps:
            return AFTER_THE_SCRIPT
        step = self._steps[0]
        if isinstance(step, Repeat):
            if self._answered < step.at_most and not step.until():
                self._answered += 1
                return step.step
            self._spend()
            return self._next_step()
        if _lasts(step):
            self._answered += 1
            return step
        if isinstance(step, Fail):
            self._answered += 1
            if self._answered < (step.times or 1):
                return step
        self._spend()
        return step

    def _spend(self) -> None:
        """Go on to the next step of the script, and reset the count of its answers."""
        self._steps.popleft()
        self._answered = 0

    def _turn_begins(self) -> None:
        """End a failure that lasts until the next prompt, as that has come."""
        if self._steps and _lasts(self._steps[0]) and self._answered:
            self._spend()

    def _note_tool_results(self, request: dict[str, Any]) -> None:
        for tool_use_id, ok, text in conversation.tool_results(request):
            step = self._tools.get(tool_use_id)
            if step is None or tool_use_id in self._tool_runs:
                continue
            if step.offered and conversation.is_missing(step.name, text):
                self.tools_missing.append(step.name)
            run = ToolRun(
                name=step.name,
                tool_use_id=tool_use_id,
                input=step.input,
                ok=ok,
                # Half a surrogate pair is what is left where a result was cut to a length.
                result_bytes=None if text is None else len(text.encode("utf-8", "surrogatepass")),
                result_units=(
                    None if text is None else len(text.encode("utf-16-le", "surrogatepass")) // 2
                ),
                asked_unix_nano=self._asked_unix_nano[tool_use_id],
                returned_unix_nano=time_ns(),
            )
            self._tool_runs[tool_use_id] = run
            if self._observer is not None:
                self._observer.tool_ran(run)

    def _due(self, call: ApiCall) -> ApiCall:
        return replace(call, answered_unix_nano=self._answer_due())

    def _answer_due(self) -> int:
        """Return the time, in Unix nanoseconds, at which a message that came now is answered."""
        return time_ns() + round(self._thinks_s * 1e9)

    def _succeed(
        self, call: ApiCall, block: dict[str, object], usage: Usage, thinking: str = ""
    ) -> Response:
        call = replace(_billed(call, usage), said=str(block.get("text", "")))
        self._calls.append(self._due(call))
        message_id = f"msg_01{len(self._calls):022d}"
        answer = ModelMessage(message_id, call.model, block, usage, thinking)
        headers = {"request-id": call.request_id, "content-type": "application/json"}
        if not call.streamed:
            return Response(200, message_json(answer), headers)
        body = event_stream(answer, frames=self._usage_frames)
        return Response(200, body, {**headers, "content-type": _EVENT_STREAM})

    def _fail(self, call: ApiCall, step: Fail | HangUp | CutOff) -> Response:
        if _lasts(step):
            status = step.status if isinstance(step, Fail) else None
            message = step.message if isinstance(step, Fail) else ""
            earlier = self._failures.pop().request_ids if self._answered > 1 else ()
            request_ids = (*earlier, call.request_id)
            self._failures.append(Failure(status, message, self._answered, request_ids))
        if isinstance(step, CutOff) and call.streamed:
            usage = usage_of_call(len(self._calls) + 1)
            self._calls.append(self._due(_billed(replace(call, status=0), usage)))
            block: dict[str, object] = {"type": "text", "text": step.text}
            answer = ModelMessage(f"msg_01{len(self._calls):022d}", call.model, block, usage)
            headers = {"request-id": call.request_id, "content-type": _EVENT_STREAM}
            return Response(200, cut_stream(answer), headers, hang_up=True)
        if not isinstance(step, Fail):
            self._calls.append(self._due(replace(call, status=0)))
            return Response(0, b"", hang_up=True)
        failed = replace(call, status=step.status, error_message=step.message)
        self._calls.append(self._due(failed))
        headers = {"request-id": call.request_id}
        if step.retry_after is not None:
            headers["retry-after"] = str(step.retry_after)
        body = error_body(step.type, step.message, call.request_id)
        return json_response(step.status, body, headers)


def _shown(connection: ssl.SSLObject) -> str:
    """Return the common name in the certificate that a client has shown; empty: it showed none."""
    subject: Any = (connection.getpeercert() or {}).get("subject", ())
    return next((value for ((kind, value),) in subject if kind == "commonName"), "")


def _billed(call: ApiCall, usage: Usage) -> ApiCall:
    return replace(
        call,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_creation_tokens=usage.cache_creation_tokens,
    )


def _lasts(step: Step) -> bool:
    return isinstance(step, HangUp) or (isinstance(step, Fail) and step.times is None)
