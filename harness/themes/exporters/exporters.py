"""Sessions with the console, Prometheus and OTLP exporters, alone and together.

Sessions called ``example_…`` have the variables of the documents' example configurations and no
others; only the endpoints are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...capture.export import Export
from ...contract.applicability import exports_only
from ...exposition import console, numbered
from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol, Signal
from ...running.scenario import Scenario, Until
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from ..canaries import CANARIES
from . import scraping
from .experiment import (
    AUTHORIZATION,
    BATCHES,
    CONSOLE_INTERVAL_MS,
    DEFAULT_PORT,
)

#: A run in which metrics are scraped while it goes on, and not at its end.
SCRAPED = "scraped"

ENABLED = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1"}


def _work(work: Path) -> tuple[Step, ...]:
    """Return steps that give most metrics something to count."""
    return (
        UseTool("Write", {"file_path": str(work / "new.py"), "content": "x = 1\ny = 2"}),
        UseTool(
            "Bash",
            {
                "command": "git add new.py && git commit --quiet --message 'Begin'",
                "description": "Commit",
            },
        ),
    )


def work_and_end(work: Path) -> Sequence[Step]:
    """Return steps that give most metrics something to count, and a last answer."""
    return (*_work(work), Say("Done."))


def _work_and_be_scraped(work: Path) -> Sequence[Step | Until]:
    return (*_work(work), *scraping.wait_and_end(work / "new.py"))


def _printed(stage: Stage, completed: Completed) -> Sequence[Export]:
    """Return what was printed to standard output, as exports."""
    return printed_to(stage, completed, "stdout")


def printed_to(stage: Stage, completed: Completed, *streams: str) -> Sequence[Export]:
    """Return what was printed to these streams as exports, numbered after those received.

    The sandbox keeps the whole output; ``completed`` holds no more than its end.
    """
    exports: list[Export] = []
    for stream in streams:
        output = (stage.sandbox.output / stream).read_text(encoding="utf-8", errors="replace")
        exports += console.exports(output, completed.ended_unix_nano)
    return numbered(exports, after=len(stage.exports()[0]))


# The example configurations.


def _example(
    name: str, description: str, variables: Mapping[str, str], protocol: Protocol
) -> Scenario:
    """Make the scenario of an example; ``{endpoint}`` in a variable becomes the collector's."""

    def configure(stage: Stage) -> Mapping[str, str]:
        endpoint = stage.endpoint()
        return {**ENABLED, **{k: v.format(endpoint=endpoint) for k, v in variables.items()}}

    return Scenario(
        name=f"example_{name}",
        description=f"The documents’ example: {description}",
        prompt="Do as in the example.",
        script=work_and_end,
        configure=configure,
        protocols=(protocol,),
    )


_COLLECTED = re.compile(r"endTime: \[([^\]]*)\]")


def _has_printed(stage: Stage) -> bool:
    printed = (stage.sandbox.output / "stdout").read_text("utf-8", "replace")
    return len(set(_COLLECTED.findall(printed))) >= BATCHES


def _work_until_printed(work: Path) -> Sequence[Step | Until]:
    wait = UseTool("Bash", {"command": "sleep 0.4", "description": "Wait"})
    return (*_work(work), Until(wait, _has_printed, at_most=30), Say("Done."))


_EXAMPLE_CONSOLE = replace(
    _example(
        "console",
        "metrics on the console, every second",
        {
            "OTEL_METRICS_EXPORTER": "console",
            "OTEL_METRIC_EXPORT_INTERVAL": str(CONSOLE_INTERVAL_MS),
        },
        Protocol.HTTP_JSON,
    ),
    script=_work_until_printed,
    more_exports=_printed,
    traits=exports_only(Signal.METRICS),
)

_GRPC = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{endpoint}",
}

_EXAMPLE_QUICK_START = _example(
    "quick_start",
    "the quick start",
    {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        **_GRPC,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={AUTHORIZATION}",
        "OTEL_METRIC_EXPORT_INTERVAL": "10000",
        "OTEL_LOGS_EXPORT_INTERVAL": "5000",
    },
    Protocol.GRPC,
)

_EXAMPLE_METRICS_ONLY = replace(
    _example(
        "metrics_only",
        "metrics and no events, over gRPC",
        {"OTEL_METRICS_EXPORTER": "otlp", **_GRPC},
        Protocol.GRPC,
    ),
    traits=exports_only(Signal.METRICS),
)

_EXAMPLE_LOGS_ONLY = replace(
    _example(
        "logs_only",
        "events and no metrics, over gRPC",
        {"OTEL_LOGS_EXPORTER": "otlp", **_GRPC},
        Protocol.GRPC,
    ),
    traits=exports_only(Signal.LOGS),
)

_EXAMPLE_PROMETHEUS = replace(
    _example(
        "prometheus",
        f"metrics to be scraped from port {DEFAULT_PORT}",
        {"OTEL_METRICS_EXPORTER": "prometheus"},
        Protocol.HTTP_JSON,
    ),
    script=_work_and_be_scraped,
    skip_reason=scraping.port_taken,
    launch=scraping.at_the_default_port,
    meanwhile=scraping.scrape,
    observe=scraping.scraped,
    more_exports=scraping.served_exports,
    traits=(*exports_only(Signal.METRICS), SCRAPED),
)

_EXAMPLE_SEVERAL = replace(
    _example(
        "several",
        "metrics on the console and over OTLP",
        {
            "OTEL_METRICS_EXPORTER": "console,otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            # The example leaves the default, which is not ours to listen at.
            "OTEL_EXPORTER_OTLP_ENDPOINT": "{endpoint}",
        },
        Protocol.HTTP_JSON,
    ),
    more_exports=_printed,
    judged_only_by_name=True,
)


def _two_backends(stage: Stage) -> Mapping[str, str]:
    return {
        **ENABLED,
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": stage.endpoint("metrics", Protocol.HTTP_PROTOBUF),
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": stage.endpoint("logs", Protocol.GRPC),
    }


_EXAMPLE_BACKENDS = Scenario(
    name="example_backends",
    description=(
        "The documents’ example: metrics over HTTP to one backend, events over gRPC to another"
    ),
    prompt="Do as in the example.",
    script=work_and_end,
    # The endpoint has no path, and a signal's own endpoint is used as it is.
    backends={"metrics": Backend(paths={"/": Signal.METRICS}), "logs": Backend()},
    configure=_two_backends,
    protocols=(Protocol.GRPC,),
    judged_only_by_name=True,
)


def _several(stage: Stage) -> Mapping[str, str]:
    return {
        **ENABLED,
        "OTEL_METRICS_EXPORTER": "otlp,prometheus",
        "OTEL_LOGS_EXPORTER": "console,otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": stage.protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": stage.endpoint(),
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(scraping.free_port(stage)),
    }


def _printed_and_served(stage: Stage, completed: Completed) -> Sequence[Export]:
    shown = [*_printed(stage, completed), *scraping.served_exports(stage, completed)]
    return numbered(shown, after=len(stage.exports()[0]))


_SEVERAL_EXPORTERS = Scenario(
    name="several_exporters",
    description="Metrics are exported over OTLP and scraped, events over OTLP and to the console",
    prompt="Tell everybody.",
    script=_work_and_be_scraped,
    configure=_several,
    meanwhile=scraping.scrape,
    observe=scraping.scraped,
    more_exports=_printed_and_served,
    protocols=(Protocol.HTTP_JSON,),
    judged_only_by_name=True,
)

_HIDDEN = {name: CANARIES[name] for name in ("prompt", "answer", "command", "written_content")}


def _work_in_secret(work: Path) -> Sequence[Step]:
    content, command = _HIDDEN["written_content"], f"true {_HIDDEN['command']}"
    return (
        UseTool("Write", {"file_path": str(work / "new.py"), "content": content}),
        UseTool("Bash", {"command": command, "description": "Do it"}),
        Say(_HIDDEN["answer"]),
    )


_CONSOLE_EVENTS = Scenario(
    name="console_events",
    description="Events are exported to the console alone",
    prompt=f"Keep {CANARIES['prompt']} off the screen.",
    script=_work_in_secret,
    canaries=_HIDDEN,
    configure=lambda stage: {**ENABLED, "OTEL_LOGS_EXPORTER": "console"},
    more_exports=_printed,
    protocols=(Protocol.HTTP_JSON,),
    traits=exports_only(Signal.LOGS),
)

EXPORTERS = (
    _EXAMPLE_CONSOLE,
    _CONSOLE_EVENTS,
    _EXAMPLE_QUICK_START,
    _EXAMPLE_PROMETHEUS,
    _SEVERAL_EXPORTERS,
    _EXAMPLE_SEVERAL,
    _EXAMPLE_BACKENDS,
    _EXAMPLE_METRICS_ONLY,
    _EXAMPLE_LOGS_ONLY,
)
