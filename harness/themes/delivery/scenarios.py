"""Sessions with collectors that refuse, are slow, reset connections or are unreachable.

The session works on meanwhile, so that a subject has time to send again, until the outcome of
every delivery is known; each tool call gives it something more to export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ...capture.export import MAIN
from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol, Signal
from ...running.drive import telemetry_settings
from ...running.responders import Reply, Scripted
from ...running.scenario import Scenario, Until
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from .experiment import DELAY_S, HELD_S, LAST_WORDS, TIMEOUT_S
from .observed import Aftermath

_OFTEN = {"OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_LOGS_EXPORT_INTERVAL": "200"}

#: The file that every step of the work touches when it is done.
_WORKED = "worked"
_WORK = UseTool(
    "Bash", {"command": f"sleep 0.2; touch {_WORKED}", "description": "Work for a moment"}
)
_DONE = Say(LAST_WORDS)

#: No session goes on for longer than these steps, whatever does not happen.
_AT_MOST = 60
_DEADLINE_S = 30.0

_ABSENT, _CUTTING = "absent", "cutting"

#: A session that waits for what comes again does next to nothing meanwhile.
_IDLE_S = 4.0

#: First what takes the longest to come to its end, wherever exports do not overlap.
_METRICS = (
    Reply("partial_success", rejected=1, message="one was not taken"),
    Reply("unavailable_for_2_s", 503, 14, delay_s=DELAY_S),
    Reply("unavailable_thrice", 503, 14, times=3),
    Reply("unavailable", 503, 14),
)
_LOGS = (
    Reply("bad_request", 400, 3),
    Reply("empty_partial_success", rejected=0, message=""),
    Reply("unauthorized", 401, 16),
    Reply("warning", rejected=0, message="all taken, but mind the size"),
    Reply("internal", 500, 13),
)
OVER_HTTP = {
    Signal.METRICS: (
        *_METRICS,
        Reply("too_many_requests", 429),
        Reply("bad_gateway", 502),
        Reply("gateway_timeout", 504),
    ),
    Signal.LOGS: (
        *_LOGS,
        Reply("not_found", 404),
        Reply("too_large", 413),
        Reply("too_many_requests_until_a_date", 429, delay_s=DELAY_S, as_date=True),
    ),
}
OVER_GRPC = {
    Signal.METRICS: (
        *_METRICS,
        Reply("deadline_exceeded", grpc_code=4),
        Reply("aborted", grpc_code=10),
        Reply("cancelled", grpc_code=1),
        Reply("out_of_range", grpc_code=11),
        Reply("data_loss", grpc_code=15),
    ),
    Signal.LOGS: (
        *_LOGS,
        Reply("permission_denied", grpc_code=7),
        Reply("resource_exhausted", grpc_code=8),
        Reply("resource_exhausted_for_2_s", grpc_code=8, delay_s=DELAY_S),
    ),
}


def _observe(stage: Stage, completed: Completed) -> Aftermath:
    worked = stage.work / _WORKED
    lingered_s = None
    if worked.exists():
        lingered_s = (completed.ended_unix_nano - worked.stat().st_mtime_ns) / 1e9
    return Aftermath(
        lingered_s=lingered_s,
        absent_after_the_trouble=_after_the_trouble(stage, _ABSENT),
        cutting_after_the_trouble=_after_the_trouble(stage, _CUTTING),
    )


def _after_the_trouble(stage: Stage, name: str) -> int | None:
    """Count what the collector ``name`` accepted after its failure; None if it had none."""
    proxy = stage.proxies.get(name)
    troubles = (*proxy.cuts, *proxy.openings) if proxy is not None else ()
    if not troubles:
        return None
    return sum(
        export.arrived_unix_nano > max(troubles) and not export.rejected
        for export in stage.collectors[name].exports
    )


def _scenario(
    name: str, description: str, until: Callable[[Stage], bool], **others: Any
) -> Scenario:
    return Scenario(
        name=name,
        description=description,
        prompt="Work on, whatever becomes of the telemetry.",
        script=(Until(_WORK, until, _AT_MOST), _DONE),
        observe=_observe,
        judged_only_by_name=True,
        **others,
    )


def _settled(stage: Stage) -> bool:
    responder = stage.main.responder
    assert isinstance(responder, Scripted)
    return responder.settled()


def _refusing(
    name: str, plan: Mapping[Signal, Sequence[Reply]], protocols: tuple[Protocol, ...]
) -> Scenario:
    answers = ", ".join(reply.called for replies in plan.values() for reply in replies)
    return _scenario(
        name,
        f"A session at a collector that answers, once each: {answers.replace('_', ' ')}",
        _settled,
        environment=_OFTEN,
        backends={MAIN: Backend(responder=partial(Scripted, plan))},
        waits_s=_IDLE_S,
        protocols=protocols,
    )


_TAKEN = Reply("taken")


def _all_but_the_first_held() -> Scripted:
    first = {Signal.METRICS: (_TAKEN,), Signal.LOGS: (_TAKEN,)}
    return Scripted(first, finally_=Reply("held", hold_s=HELD_S))


def _both_given_up(stage: Stage) -> bool:
    given_up = {export.signal for export in stage.main.exports if export.given_up_unix_nano}
    return given_up >= {Signal.METRICS, Signal.LOGS}


SLOW_COLLECTOR = _scenario(
    "slow_collector",
    "A session at a collector that answers the first request of each signal and then none, "
    "with a timeout of one second",
    _both_given_up,
    environment={**_OFTEN, "OTEL_EXPORTER_OTLP_TIMEOUT": f"{TIMEOUT_S * 1000:.0f}"},
    backends={MAIN: Backend(responder=_all_but_the_first_held)},
    protocols=(Protocol.GRPC, Protocol.HTTP_JSON),
)


def _apart(stage: Stage) -> Mapping[str, str]:
    """Configure one collector for metrics and another for logs."""
    paths = ("", "") if stage.protocol is Protocol.GRPC else ("/v1/metrics", "/v1/logs")
    return {
        **telemetry_settings(stage.protocol, stage.endpoint(_ABSENT)),
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": stage.endpoint(_ABSENT) + paths[0],
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": stage.endpoint(_CUTTING) + paths[1],
    }


def _trouble(stage: Stage) -> None:
    """Reset a request with logs, then start to listen for metrics once more logs have come."""
    logs = stage.collectors[_CUTTING]
    logs.wait_for_exports(2, _DEADLINE_S)
    stage.proxies[_CUTTING].cut()
    logs.wait_for_exports(5, _DEADLINE_S)
    stage.proxies[_ABSENT].open()


def _back(stage: Stage) -> bool:
    """Return whether enough has arrived that what was lost could have been sent again, too."""
    return len(stage.collectors[_ABSENT].exports) >= 7


RETURNING_COLLECTOR = _scenario(
    "returning_collector",
    "A session whose collector of metrics is not there for the first seconds, and whose "
    "collector of logs resets the connection in the middle of a request",
    _back,
    environment=_OFTEN,
    backends={_ABSENT: Backend(listening=False), _CUTTING: Backend()},
    configure=_apart,
    meanwhile=_trouble,
    waits_s=_IDLE_S,
    protocols=(Protocol.GRPC, Protocol.HTTP_PROTOBUF),
)

NO_COLLECTOR = _scenario(
    "no_collector",
    "A session in which nothing listens where the collector should be",
    lambda stage: len(stage.api.tool_runs) >= 3,
    environment=_OFTEN,
    backends={MAIN: Backend(listening=False)},
    protocols=(Protocol.GRPC, Protocol.HTTP_PROTOBUF),
)

SCENARIOS = (
    _refusing("refusing_http", OVER_HTTP, (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON)),
    _refusing("refusing_grpc", OVER_GRPC, (Protocol.GRPC,)),
    SLOW_COLLECTOR,
    RETURNING_COLLECTOR,
    NO_COLLECTOR,
)
