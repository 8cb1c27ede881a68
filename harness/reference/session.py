"""Run a session of the emitter without a terminal, from its settings to its last export."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..contract.versions import Version
from ..errors import UsageError
from . import identity, otlp_variables, plugins, proxies, tools
from .additions import Addition, Additions
from .attributes import Scalar
from .bodies import Bodies
from .called import Called
from .client import MessagesClient, ToolUse
from .compaction import Compaction
from .custom_attributes import custom_attributes
from .facts import EFFORT, Reporter, Sink
from .headers_helper import DynamicHeaders, Reports
from .hooks import Hook, Hooks
from .loop import MainLoop, Toolbox, Turn
from .mcp_servers import McpServers
from .permissions import Gate, Permissions, Reply
from .plugins import Plugin
from .settings import Settings
from .spans import Spans, SpanSink
from .subagents import Subagents
from .transcript import Transcript, newest_session
from .versions import Promises

#: What the OpenTelemetry SDK of a caller may have left in the environment.
_TRACE_CONTEXT = ("TRACEPARENT", "TRACESTATE")


@dataclass(frozen=True, slots=True)
class Start:
    """How the session begins: anew, or with the session ``resume`` or the newest one (``go_on``).

    ``fork``: under an id of its own all the same.
    """

    resume: str = ""
    go_on: bool = False
    fork: bool = False

    @property
    def kind(self) -> str:
        """The documented word for it."""
        return "resume" if self.resume else "continue" if self.go_on else "fresh"

    @property
    def begun(self) -> str:
        """The word of hooks for it."""
        return "startup" if self.kind == "fresh" else "resume"

    def session_id(self, home: Path, folder: Path) -> str:
        """Return the session's id; raise :class:`UsageError` if there is none to go on with."""
        if self.kind == "fresh" or self.fork:
            return str(uuid.uuid4())
        earlier = self.resume or newest_session(home, folder)
        if not earlier:
            raise UsageError("option --continue", seen="no session", expected="an earlier session")
        return earlier


@dataclass(frozen=True, slots=True)
class Options:
    """The options from the command line and the settings files."""

    version: Version
    model: str
    permissions: Permissions = field(default_factory=Permissions)
    mcp_configs: Sequence[str] = ()
    agents: str = ""
    debug: bool = False
    headers_helper: str = ""
    additions: Sequence[Addition] = ()
    permission_tool: str = ""
    start: Start = field(default_factory=Start)
    hooks: Sequence[Hook] = ()
    plugins: Sequence[Plugin] = ()


def run(prompt: str, options: Options, environ: Mapping[str, str], folder: Path) -> int:
    """Run ``prompt`` to its end, print the last answer, return the exit code.

    Raises :class:`harness.errors.UsageError` for settings that cannot be followed.
    """
    with opened(options, environ, folder) as (loop, _):
        turn = loop.turn(prompt)
        print(turn.text)  # noqa: T201 - what a headless session is asked for
        return 0 if turn.ok else 1


def converse(
    lines: Iterable[str], options: Options, environ: Mapping[str, str], folder: Path
) -> int:
    """Run the prompts of ``lines`` one after another, and print a result for each.

    The lines are in the format of ``--input-format stream-json``.
    """
    with opened(options, environ, folder) as (loop, _):
        turn = Turn("", ok=True)
        for line in filter(str.strip, lines):
            turn = loop.turn(_prompt_in(line))
            result = {"type": "result", "is_error": not turn.ok, "result": turn.text}
            print(json.dumps(result), flush=True)  # noqa: T201
        return 0 if turn.ok else 1


def _prompt_in(line: str) -> str:
    try:
        content = json.loads(line)["message"]["content"]
        return content if isinstance(content, str) else "".join(b["text"] for b in content)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "the standard input", seen=repr(line), expected="user messages, as JSON lines"
        ) from error


@contextlib.contextmanager
def opened(
    options: Options,
    environ: Mapping[str, str],
    folder: Path,
    *,
    ask: Callable[[ToolUse], Reply] | None = None,
) -> Iterator[tuple[MainLoop, Reporter]]:
    """Start a session; at the end of the block, export what is buffered.

    ``ask`` shows a permission prompt to the person at the terminal, if there is one.
    """
    settings, promises = Settings.of(environ), Promises.of(options.version)
    home = Path(environ.get("HOME", folder))
    interactive = ask is not None
    context = tools.ToolContext(folder, _command_environment(environ, promises))
    inbound = {} if interactive else {n: environ[n] for n in _TRACE_CONTEXT if n in environ}
    headers = DynamicHeaders.of(
        options.headers_helper,
        environ,
        promises,
        Reports(environ, promises, options.debug, interactive).tell,
    )
    with _telemetry(settings, promises, options.version, inbound, headers) as (sink, spans, labels):
        who = identity.Identity(
            options.version,
            options.start.session_id(home, folder),
            identity.user_id(environ) if promises.user_ids else "",
            labels,
            identity.Account.of(environ, promises),
            identity.terminal_type(environ, interactive=interactive),
            interactive,
        )
        additions = Additions(options.additions, options.version)
        transcript = Transcript(home, folder, who.session_id)
        reporter = Reporter(sink, who, settings, additions, folder, transcript)
        bodies = Bodies(settings, promises, reporter.happened, who.query_source, folder)
        client = _client(environ, who, promises, bodies)
        standard = identity.standard_attributes(who, settings, promises)
        details, report = settings.log_tool_details, reporter.happened
        called = Called(promises, report, details)
        with McpServers(options.mcp_configs, context, called) as servers:
            traces = Spans(spans, standard, settings, who.query_source)
            agents = Subagents(options.agents, options.model, client, reporter, traces, called)
            reporter.session_started(options.start.kind)
            every = (*plugins.hooks_of(options.plugins, details=details), *options.hooks)
            hooks = Hooks(every, promises, report, context, who.session_id, details=details)
            hooks.begin(options.start.begun)
            plugins.report(options.plugins, promises, report, details=details)
            loop = MainLoop(
                options.model,
                client,
                reporter,
                traces,
                Gate(options.permissions, ask, servers.asking(options.permission_tool)),
                Toolbox(context, servers, agents, called),
                hooks,
                Compaction(options.model, client, reporter, promises, environ),
            )
            yield loop, reporter
            hooks.end()


def _client(
    environ: Mapping[str, str], who: identity.Identity, promises: Promises, bodies: Bodies
) -> MessagesClient:
    return MessagesClient(
        environ,
        session_id=who.session_id,
        version=str(who.version),
        entrypoint=who.entrypoint,
        user_id=who.user_id,
        effort=EFFORT if promises.effort else "",
        bodies=bodies,
    )


class _NoTelemetry:
    def add(self, metric: str, amount: float, attributes: Mapping[str, Scalar]) -> None: ...

    def log(self, event: str, unix_ms: int, attributes: Mapping[str, Scalar]) -> None: ...


@contextlib.contextmanager
def _telemetry(
    settings: Settings,
    promises: Promises,
    version: Version,
    inbound: Mapping[str, str],
    headers: DynamicHeaders | None,
) -> Iterator[tuple[Sink, SpanSink | None, Mapping[str, Scalar]]]:
    """Set up telemetry; yield the receivers of data points and of spans, and custom attributes.

    The SDK is imported only if something is to be exported.
    """
    traced = promises.august and settings.traces_protocol is not None
    if not (settings.metrics_exporters or settings.logs_exporters or traced):
        yield _NoTelemetry(), None, {}
        return
    from . import telemetry
    from .exporters import OtlpExporters

    otlp_variables.settle(os.environ)
    proxies.settle(os.environ)
    if headers is not None:
        headers.begin()
    custom = custom_attributes(os.environ)
    described = telemetry.resource(str(version), custom)
    exporters = OtlpExporters(headers)
    with contextlib.ExitStack() as closing:
        closing.callback(exporters.settle)
        tracing = None
        if traced or (promises.august and inbound):
            from .tracing import Tracing

            tracing = Tracing(settings, str(version), described, exporters, inbound)
        sink = telemetry.SdkSink(settings, promises, str(version), described, exporters, tracing)
        closing.callback(sink.close)
        closing.callback(exporters.hurry)
        yield sink, tracing if traced else None, custom


def _command_environment(environ: Mapping[str, str], promises: Promises) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if not (promises.clean_bash and name.startswith("OTEL_"))
    }
