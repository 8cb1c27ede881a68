"""Which exporters a session uses: none without consent, and those that are named.

Sessions called ``example_…`` have the variables of the documents' example
configurations and no others; only the endpoints are ours.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from harness.capture.export import MAIN, Export
from harness.contract.requirement import WITHOUT_EVENTS, WITHOUT_METRICS
from harness.errors import HarnessError
from harness.exposition import console, numbered
from harness.otlp.model import Protocol, Signal
from harness.scenarios import scraping
from harness.scenarios.place import Backend, Place
from harness.scenarios.scenario import Scenario, Until
from harness.subject.process import Completed
from harness.subject.script import Say, Step, UseTool

#: A run in which metrics are scraped while it goes on, and not at its end.
SCRAPED = "scraped"

_ENABLED = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1"}
_KNOCK_S = 5.0
_GLANCE_S = 0.1


def _work(work: Path) -> tuple[Step, ...]:
    """Something for most metrics to count."""
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


def _work_and_end(work: Path) -> Sequence[Step]:
    return (*_work(work), Say("Done."))


def _work_and_be_scraped(work: Path) -> Sequence[Step | Until]:
    return (*_work(work), *scraping.wait_and_end(work / "new.py"))


# Nothing without consent.


def _everything_but(*left_out: str) -> Callable[[Place], Mapping[str, str]]:
    """Each exporter, endpoint and short interval is set, but not what is ``left_out``."""

    def configure(place: Place) -> Mapping[str, str]:
        own = {
            f"OTEL_EXPORTER_OTLP_{signal}_{what}": value
            for signal in ("METRICS", "LOGS", "TRACES")
            for what, value in (
                ("PROTOCOL", place.protocol),
                ("ENDPOINT", _signal_url(place, signal)),
            )
        }
        everything = {
            **_ENABLED,
            "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
            "OTEL_METRICS_EXPORTER": "otlp,console,prometheus",
            "OTEL_LOGS_EXPORTER": "otlp,console",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": place.protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": place.endpoint(),
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
            "OTEL_LOGS_EXPORT_INTERVAL": "100",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(scraping.free_port(place)),
            **own,
        }
        return {name: value for name, value in everything.items() if name not in left_out}

    return configure


def _signal_url(place: Place, signal: str) -> str:
    path = "" if place.protocol is Protocol.GRPC else f"/v1/{signal.lower()}"
    return place.endpoint() + path


def _knock(place: Place) -> Sequence[str]:
    """Come to the door oneself, before the session: whoever came then would be seen."""
    url = urlsplit(place.endpoint())
    socket.create_connection((url.hostname, url.port), _KNOCK_S).close()
    end = time.monotonic() + _KNOCK_S
    while not place.doors[MAIN].knocks:
        if time.monotonic() > end:
            raise HarnessError(f"nobody saw a connection to {place.endpoint()}")
        time.sleep(0.001)
    return ()


def _look_for_an_endpoint(place: Place) -> None:
    while not place.ended.wait(_GLANCE_S):
        if scraping.answers(scraping.free_port(place)):
            (place.sandbox.root / "served").touch()
            return


def _what_was_served(place: Place, completed: Completed) -> Mapping[str, object]:
    return {"served": (place.sandbox.root / "served").exists()}


def _printed(place: Place, completed: Completed) -> Sequence[Export]:
    """What was printed, all of it: no more than the end is kept of a process's output."""
    output = (place.sandbox.output / "stdout").read_text(encoding="utf-8", errors="replace")
    exports = console.exports(output, completed.ended_unix_nano)
    return numbered(exports, after=len(place.exports()[0]))


def _silent(
    name: str, says: str, protocol: Protocol, environment: Mapping[str, str], *left_out: str
) -> Scenario:
    return Scenario(
        name=name,
        says=f"Everything is set for export {says}",
        prompt="Keep it to yourself.",
        script=(
            UseTool("Bash", {"command": "sleep 0.3", "description": "Wait"}),
            Say("Nobody will know."),
        ),
        configure=_everything_but(*left_out),
        environment=environment,
        prepare=_knock,
        meanwhile=_look_for_an_endpoint,
        observe=_what_was_served,
        more_exports=_printed,
        protocols=(protocol,),
        apart=True,
    )


_SWITCH = "CLAUDE_CODE_ENABLE_TELEMETRY"
_NOT_ENABLED = (
    _silent("not_enabled", "but the switch", Protocol.GRPC, {}, _SWITCH),
    _silent("enabled_empty", "but the switch is empty", Protocol.HTTP_PROTOBUF, {_SWITCH: ""}),
    _silent("enabled_zero", "but the switch is 0", Protocol.HTTP_JSON, {_SWITCH: "0"}),
    _silent(
        "no_exporters",
        "but no exporter is named",
        Protocol.HTTP_PROTOBUF,
        {},
        *(f"OTEL_{signal}_EXPORTER" for signal in ("METRICS", "LOGS", "TRACES")),
    ),
)


def _without(signal: str, protocol: Protocol) -> Scenario:
    return Scenario(
        name=f"no_{signal}",
        says=f"The exporter of {signal} is `none`, that of the other signal `otlp`",
        prompt="Tell me half of it.",
        script=_work_and_end,
        environment={f"OTEL_{signal.upper()}_EXPORTER": "none"},
        protocols=(protocol,),
        apart=True,
    )


# The example configurations.


def _example(name: str, says: str, variables: Mapping[str, str], protocol: Protocol) -> Scenario:
    """``{endpoint}`` stands for the collector's."""

    def configure(place: Place) -> Mapping[str, str]:
        endpoint = place.endpoint()
        return {**_ENABLED, **{k: v.format(endpoint=endpoint) for k, v in variables.items()}}

    return Scenario(
        name=f"example_{name}",
        says=f"The documents’ example: {says}",
        prompt="Do as in the example.",
        script=_work_and_end,
        configure=configure,
        protocols=(protocol,),
    )


def _has_printed(place: Place) -> bool:
    return "dataPoints" in (place.sandbox.output / "stdout").read_text("utf-8", "replace")


def _work_until_printed(work: Path) -> Sequence[Step | Until]:
    wait = UseTool("Bash", {"command": "sleep 0.4", "description": "Wait"})
    return (*_work(work), Until(wait, _has_printed, at_most=20), Say("Done."))


_EXAMPLE_CONSOLE = replace(
    _example(
        "console",
        "metrics on the console, every second",
        {"OTEL_METRICS_EXPORTER": "console", "OTEL_METRIC_EXPORT_INTERVAL": "1000"},
        Protocol.HTTP_JSON,
    ),
    script=_work_until_printed,
    more_exports=_printed,
    traits=(WITHOUT_EVENTS,),
)

_GRPC = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{endpoint}",
}

_EXAMPLE_METRICS_ONLY = replace(
    _example(
        "metrics_only",
        "metrics and no events, over gRPC",
        {"OTEL_METRICS_EXPORTER": "otlp", **_GRPC},
        Protocol.GRPC,
    ),
    traits=(WITHOUT_EVENTS,),
)

_EXAMPLE_LOGS_ONLY = replace(
    _example(
        "logs_only",
        "events and no metrics, over gRPC",
        {"OTEL_LOGS_EXPORTER": "otlp", **_GRPC},
        Protocol.GRPC,
    ),
    traits=(WITHOUT_METRICS,),
)

_EXAMPLE_PROMETHEUS = replace(
    _example(
        "prometheus",
        f"metrics to be scraped from port {scraping.DEFAULT_PORT}",
        {"OTEL_METRICS_EXPORTER": "prometheus"},
        Protocol.HTTP_JSON,
    ),
    script=_work_and_be_scraped,
    hindrance=scraping.port_hindrance,
    launch=scraping.at_the_default_port,
    meanwhile=scraping.scrape,
    observe=scraping.scraped,
    more_exports=scraping.served_exports,
    traits=(WITHOUT_EVENTS, SCRAPED),
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
    apart=True,
)


def _two_backends(place: Place) -> Mapping[str, str]:
    return {
        **_ENABLED,
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": place.endpoint("metrics", Protocol.HTTP_PROTOBUF),
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": place.endpoint("logs", Protocol.GRPC),
    }


_EXAMPLE_BACKENDS = Scenario(
    name="example_backends",
    says="The documents’ example: metrics over HTTP to one backend, events over gRPC to another",
    prompt="Do as in the example.",
    script=_work_and_end,
    # The endpoint has no path, and a signal's own endpoint is used as it is.
    backends={"metrics": Backend(paths={"/": Signal.METRICS}), "logs": Backend()},
    configure=_two_backends,
    protocols=(Protocol.GRPC,),
    apart=True,
)


def _several(place: Place) -> Mapping[str, str]:
    return {
        **_ENABLED,
        "OTEL_METRICS_EXPORTER": "otlp,prometheus",
        "OTEL_LOGS_EXPORTER": "console,otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": place.protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": place.endpoint(),
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(scraping.free_port(place)),
    }


def _printed_and_served(place: Place, completed: Completed) -> Sequence[Export]:
    shown = [*_printed(place, completed), *scraping.served_exports(place, completed)]
    return numbered(shown, after=len(place.exports()[0]))


_SEVERAL_EXPORTERS = Scenario(
    name="several_exporters",
    says="Metrics go over OTLP and to a scraper, events to the console and over OTLP",
    prompt="Tell everybody.",
    script=_work_and_be_scraped,
    configure=_several,
    meanwhile=scraping.scrape,
    observe=scraping.scraped,
    more_exports=_printed_and_served,
    protocols=(Protocol.HTTP_JSON,),
    apart=True,
)

EXPORTERS = (
    _EXAMPLE_CONSOLE,
    _EXAMPLE_PROMETHEUS,
    _SEVERAL_EXPORTERS,
    _EXAMPLE_SEVERAL,
    _EXAMPLE_BACKENDS,
    _EXAMPLE_METRICS_ONLY,
    _EXAMPLE_LOGS_ONLY,
    _without("metrics", Protocol.HTTP_JSON),
    _without("logs", Protocol.HTTP_PROTOBUF),
    *_NOT_ENABLED,
)
