"""Every scenario of the theme."""

from __future__ import annotations

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .observed import TraceContexts

#: The trace and the span of whoever started the session.
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

_LISTING = "variables.txt"
_TRACEPARENT = "TRACEPARENT"

_ENVIRONMENT = {
    _TRACEPARENT: f"00-{TRACE_ID}-{SPAN_ID}-01",
    "TRACESTATE": "caller=1",
    # The scripted API stands at an address of its own, where it is off by default.
    "CLAUDE_CODE_PROPAGATE_TRACEPARENT": "1",
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
    "OTEL_TRACES_EXPORTER": "otlp",
}

#: What a shell sets itself.
_OF_THE_SHELL = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})


def _observe(stage: Stage, completed: Completed) -> TraceContexts | None:
    try:
        listed = (stage.work / _LISTING).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    variables = {name: value for name, _, value in (line.partition("=") for line in listed)}
    known = {*stage.sandbox.env(_ENVIRONMENT, api_url=stage.api.base_url), *_OF_THE_SHELL}
    return TraceContexts(
        variables.get(_TRACEPARENT, ""),
        tuple(headers.get("traceparent", "") for headers in stage.api.message_headers),
        tuple(sorted(name for name in variables if name.isidentifier() and name not in known)),
    )


TRACED = Scenario(
    name="traced",
    description="A session without a terminal that is started within a trace (TRACEPARENT), and "
    "hands it on",
    prompt="Carry on with the trace.",
    script=(
        UseTool("Bash", {"command": f"env > {_LISTING}", "description": "Look around"}),
        Say("Carried on."),
    ),
    environment=_ENVIRONMENT,
    observe=_observe,
    protocols=(Protocol.HTTP_PROTOBUF,),
)

SCENARIOS = (TRACED,)
