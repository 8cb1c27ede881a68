"""Sessions that must export nothing, or nothing of one signal, for lack of consent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from ...capture.export import MAIN, Export
from ...errors import HarnessError
from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from . import scraping
from .experiment import GLANCE_S, SILENT_INTERVAL_S, SILENT_WORK_S
from .exporters import ENABLED, printed_to, work_and_end
from .observed import Endpoint

_PROBE_S = 5.0


def _everything_but(*left_out: str) -> Callable[[Stage], Mapping[str, str]]:
    """Configure every exporter, endpoint and short interval, except what is ``left_out``."""

    def configure(stage: Stage) -> Mapping[str, str]:
        own = {
            f"OTEL_EXPORTER_OTLP_{signal}_{what}": value
            for signal in ("METRICS", "LOGS", "TRACES")
            for what, value in (
                ("PROTOCOL", stage.protocol),
                ("ENDPOINT", _signal_url(stage, signal)),
            )
        }
        everything = {
            **ENABLED,
            "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
            "OTEL_METRICS_EXPORTER": "otlp,console,prometheus",
            "OTEL_LOGS_EXPORTER": "otlp,console",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": stage.protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": stage.endpoint(),
            "OTEL_METRIC_EXPORT_INTERVAL": f"{SILENT_INTERVAL_S * 1000:.0f}",
            "OTEL_LOGS_EXPORT_INTERVAL": f"{SILENT_INTERVAL_S * 1000:.0f}",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(scraping.free_port(stage)),
            **own,
        }
        return {name: value for name, value in everything.items() if name not in left_out}

    return configure


def _signal_url(stage: Stage, signal: str) -> str:
    path = "" if stage.protocol is Protocol.GRPC else f"/v1/{signal.lower()}"
    return stage.endpoint() + path


def _probe(stage: Stage) -> Sequence[str]:
    """Open one connection before the session, to prove that connections are recorded."""
    url = urlsplit(stage.endpoint())
    with stage.cell.new_socket() as probe:
        probe.settimeout(_PROBE_S)
        probe.connect((url.hostname, url.port))
    if not stage.proxies[MAIN].wait_for_connection(_PROBE_S):
        raise HarnessError(f"nobody saw a connection to {stage.endpoint()}")
    return ()


def _look_for_an_endpoint(stage: Stage) -> None:
    while not stage.ended.wait(GLANCE_S):  # that a port is served gives no sign
        if scraping.answers(stage.cell, scraping.free_port(stage)):
            (stage.sandbox.root / "served").touch()
            return


def _what_was_served(stage: Stage, completed: Completed) -> Endpoint:
    return Endpoint(served=(stage.sandbox.root / "served").exists())


def _printed_anywhere(stage: Stage, completed: Completed) -> Sequence[Export]:
    """Return what was printed to standard output and standard error, as exports."""
    return printed_to(stage, completed, "stdout", "stderr")


def _silent(
    name: str, description: str, protocol: Protocol, environment: Mapping[str, str], *left_out: str
) -> Scenario:
    return Scenario(
        name=name,
        description=f"Everything is set for export, {description}",
        prompt="Keep it to yourself.",
        script=(
            UseTool("Bash", {"command": f"sleep {SILENT_WORK_S:g}", "description": "Wait"}),
            Say("Nobody will know."),
        ),
        configure=_everything_but(*left_out),
        environment=environment,
        prepare=_probe,
        meanwhile=_look_for_an_endpoint,
        observe=_what_was_served,
        more_exports=_printed_anywhere,
        protocols=(protocol,),
        judged_only_by_name=True,
    )


_SWITCH = "CLAUDE_CODE_ENABLE_TELEMETRY"
_SILENT = (
    _silent(
        "not_enabled", "but CLAUDE_CODE_ENABLE_TELEMETRY is not set", Protocol.GRPC, {}, _SWITCH
    ),
    _silent(
        "enabled_empty",
        "but CLAUDE_CODE_ENABLE_TELEMETRY is empty",
        Protocol.HTTP_PROTOBUF,
        {_SWITCH: ""},
    ),
    _silent(
        "enabled_zero", "but CLAUDE_CODE_ENABLE_TELEMETRY is 0", Protocol.HTTP_JSON, {_SWITCH: "0"}
    ),
    _silent(
        "no_exporters",
        "but no exporter is named",
        Protocol.HTTP_PROTOBUF,
        {},
        *(f"OTEL_{signal}_EXPORTER" for signal in ("METRICS", "LOGS", "TRACES")),
    ),
)


def _without(signal: str, protocol: Protocol, **more: str) -> Scenario:
    return Scenario(
        name=f"no_{signal}",
        description=f"The exporter of {signal} is `none`, that of the other signal `otlp`",
        prompt="Tell me half of it.",
        script=work_and_end,
        environment={f"OTEL_{signal.upper()}_EXPORTER": "none", **more},
        protocols=(protocol,),
        judged_only_by_name=True,
    )


OPT_IN = (
    # Spans have a switch of their own, which is not set.
    _without("metrics", Protocol.HTTP_JSON, OTEL_TRACES_EXPORTER="otlp"),
    _without("logs", Protocol.HTTP_PROTOBUF),
    *_SILENT,
)
