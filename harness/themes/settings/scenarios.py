"""Sessions whose variables come from the environment and every level of settings files.

Each level points to a collector of its own, so that the collector that got the data shows which
level decided.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...contract.applicability import opens
from ...fakes.script import Say, UseTool
from ...keeping.cells import why_not_apart
from ...otlp.model import Protocol
from ...running.drive import telemetry_settings
from ...running.scenario import Scenario
from ...running.stage import Backend, Stage
from ...subject.managed import MAIN_FILE, Files
from ...subject.process import Completed
from .observed import CommandEnvironment

#: Levels, the lowest first: the process environment and what can stand in its way.
ENVIRONMENT, USER, PROJECT, LOCAL = "environment", "user", "project", "local"
COMMAND_LINE, MANAGED = "command_line", "managed"
#: Where an administrator sends one signal apart.
SIEM = "siem"

_BACKENDS = {
    name: Backend() for name in (ENVIRONMENT, USER, PROJECT, LOCAL, COMMAND_LINE, MANAGED, SIEM)
}

_TELEMETRY = "CLAUDE_CODE_ENABLE_TELEMETRY"
_METRICS_EXPORTER, _LOGS_EXPORTER = "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"
_OTLP = "OTEL_EXPORTER_OTLP_"
_ENDPOINT, _PROTOCOL, _HEADERS = f"{_OTLP}ENDPOINT", f"{_OTLP}PROTOCOL", f"{_OTLP}HEADERS"
_METRICS_ENDPOINT, _LOGS_ENDPOINT = f"{_OTLP}METRICS_ENDPOINT", f"{_OTLP}LOGS_ENDPOINT"
_METRICS_HEADERS, _LOGS_HEADERS = f"{_OTLP}METRICS_HEADERS", f"{_OTLP}LOGS_HEADERS"
_METRICS_PROTOCOL, _LOGS_PROTOCOL = f"{_OTLP}METRICS_PROTOCOL", f"{_OTLP}LOGS_PROTOCOL"
_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_SESSION_ID = "OTEL_METRICS_INCLUDE_SESSION_ID"

Env = Mapping[str, str]
_Level = Callable[[Stage], Env]

_LISTING = "environment.txt"
_WORK = (
    UseTool("Bash", {"command": f"env > {_LISTING}", "description": "Look around"}),
    Say("Looked."),
)

#: What stands in a header must not come out in the environment of a command, either.
_SECRET = "header-of-the-user"


def _signal_endpoint(stage: Stage, name: str, signal: str, protocol: Protocol | None = None) -> str:
    url = stage.endpoint(name, protocol)
    grpc = (protocol or stage.protocol) is Protocol.GRPC
    return url if grpc else f"{url}/v1/{signal}"


def _other(stage: Stage) -> Protocol:
    """Return a protocol that the run does not use."""
    return Protocol.HTTP_JSON if stage.protocol is Protocol.GRPC else Protocol.HTTP_PROTOBUF


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _prepare(**levels: _Level) -> Callable[[Stage], Sequence[str]]:
    """Make a step that writes the settings files of these levels."""

    def prepare(stage: Stage) -> Sequence[str]:
        project = stage.work / ".claude"
        files = {
            USER: stage.home / ".claude" / "settings.json",
            PROJECT: project / "settings.json",
            LOCAL: project / "settings.local.json",
        }
        for name, path in files.items():
            if name in levels:
                _write(path, {"env": levels[name](stage)})
        if COMMAND_LINE not in levels:
            return ()
        return ("--settings", json.dumps({"env": levels[COMMAND_LINE](stage)}))

    return prepare


def _managed(env: _Level, **fragments: _Level) -> Callable[[Stage], Files]:
    def managed(stage: Stage) -> Files:
        return {
            MAIN_FILE: {"env": env(stage)},
            **{
                f"managed-settings.d/{name}.json": {"env": fragment(stage)}
                for name, fragment in fragments.items()
            },
        }

    return managed


def _environment(more: _Level = lambda _: {}) -> _Level:
    """Make the telemetry settings that a developer exports, and ``more``."""

    def configure(stage: Stage) -> Env:
        settings = telemetry_settings(stage.protocol, stage.endpoint(ENVIRONMENT))
        return {**settings, **more(stage)}

    return configure


def _nothing(stage: Stage) -> Env:
    return {}


def passed_on(stage: Stage, completed: Completed) -> CommandEnvironment | None:
    """Return the variables that a command inherited and should not have.

    Those are OpenTelemetry's, and any that holds a header's text. None if the command's list of
    variables is missing or incomplete.
    """
    try:
        listed = (stage.work / _LISTING).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    variables = [line.partition("=") for line in listed]
    if "PATH" not in {name for name, _, _ in variables}:  # the list itself cannot be right
        return None
    named = {name for name, _, value in variables if name.startswith("OTEL_") or _SECRET in value}
    return CommandEnvironment(tuple(sorted(named)))


def _scenario(name: str, description: str, prompt: str, **rest: Any) -> Scenario:
    """Make a scenario that is judged only by name.

    Other requirements would judge it by the variables of its environment, which settings
    override.
    """
    return Scenario(
        name,
        description,
        prompt,
        script=_WORK,
        backends=_BACKENDS,
        judged_only_by_name=True,
        **rest,
    )


LEVELS = _scenario(
    "settings_levels",
    "Variables in the environment and in user, project, local project and command-line "
    "settings, each set in several of them",
    "Who is heard?",
    configure=_environment(
        lambda _: {
            _HEADERS: "x-level=environment",
            _METRICS_HEADERS: "x-metrics-level=environment",
            _ATTRIBUTES: "level=environment",
        }
    ),
    prepare=_prepare(
        user=lambda stage: {
            _ENDPOINT: stage.endpoint(USER),
            _HEADERS: "x-level=user",
            _METRICS_HEADERS: "x-metrics-level=user",
            _LOGS_HEADERS: f"x-logs-level={_SECRET}",
            _ATTRIBUTES: "level=user",
            _SESSION_ID: "false",
        },
        project=lambda stage: {
            _ENDPOINT: stage.endpoint(PROJECT),
            _HEADERS: "x-level=project",
            _ATTRIBUTES: "level=project",
            _SESSION_ID: "true",
        },
        local=lambda stage: {
            _ENDPOINT: stage.endpoint(LOCAL),
            _HEADERS: "x-level=local",
            _ATTRIBUTES: "level=local",
        },
        command_line=lambda stage: {_ENDPOINT: stage.endpoint(COMMAND_LINE)},
    ),
    observe=passed_on,
)

EXAMPLE = _scenario(
    "settings_managed_example",
    "The documented managed settings, and no other setting for telemetry",
    "Who decides?",
    configure=_nothing,
    managed=_managed(
        lambda stage: {
            _TELEMETRY: "1",
            _METRICS_EXPORTER: "otlp",
            _LOGS_EXPORTER: "otlp",
            _PROTOCOL: "grpc",
            _ENDPOINT: stage.endpoint(MANAGED),
            _HEADERS: "Authorization=Bearer company-token",
        }
    ),
    protocols=(Protocol.GRPC,),
)


def _against_all(name: str) -> _Level:
    """Make a level that tries to switch telemetry off, and to lead it away."""
    return lambda stage: {
        _TELEMETRY: "0",
        _METRICS_EXPORTER: "none",
        **_led_away(name)(stage),
    }


def _led_away(name: str) -> _Level:
    return lambda stage: {
        _ENDPOINT: stage.endpoint(name),
        _LOGS_ENDPOINT: _signal_endpoint(stage, name, "logs"),
        _HEADERS: f"x-level={name}",
        _ATTRIBUTES: f"level={name}",
    }


ALL_LEVELS = _scenario(
    "settings_managed",
    "Managed settings, in several files, against every other level",
    "Who decides?",
    configure=_environment(_led_away(ENVIRONMENT)),
    prepare=_prepare(**{name: _against_all(name) for name in (USER, PROJECT, LOCAL, COMMAND_LINE)}),
    managed=_managed(
        lambda stage: {
            _TELEMETRY: "1",
            _METRICS_EXPORTER: "otlp",
            _LOGS_EXPORTER: "otlp",
            _ENDPOINT: stage.endpoint(MANAGED),
            _LOGS_ENDPOINT: _signal_endpoint(stage, SIEM, "logs"),
            _HEADERS: "x-level=managed",
            _ATTRIBUTES: "level=managed,fragment=none",
        },
        # Not in the order of their names: whoever reads them as they come is found out.
        **{
            "20-second": lambda _: {_ATTRIBUTES: "level=managed,fragment=second"},
            "10-first": lambda _: {_ATTRIBUTES: "level=managed,fragment=first"},
        },
    ),
    protocols=(Protocol.HTTP_PROTOBUF,),
)

LOCKED = _scenario(
    "settings_locked",
    "A managed endpoint and protocol against endpoints and protocols of single signals",
    "Where to?",
    configure=_environment(
        lambda stage: {
            _METRICS_ENDPOINT: _signal_endpoint(stage, ENVIRONMENT, "metrics", _other(stage)),
            _METRICS_PROTOCOL: _other(stage),
        }
    ),
    prepare=_prepare(
        user=lambda stage: {
            _LOGS_ENDPOINT: _signal_endpoint(stage, USER, "logs", _other(stage)),
            _LOGS_PROTOCOL: _other(stage),
        }
    ),
    managed=_managed(lambda stage: {_ENDPOINT: stage.endpoint(MANAGED), _PROTOCOL: stage.protocol}),
    protocols=(Protocol.GRPC, Protocol.HTTP_JSON),
)

_DEFAULT_PORTS = (4317, 4318)


def default_port_taken() -> str | None:
    """Return why telemetry must not be sent to the default endpoint here; None if it may.

    Nobody else is met in a network of its own.
    """
    if not why_not_apart():
        return None
    for port in _DEFAULT_PORTS:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return f"something listens on port {port}, where telemetry without an endpoint goes"
    return None


LOCKED_CREDENTIALS = _scenario(
    "settings_locked_credentials",
    "Managed headers against endpoints and headers that a developer has set",
    "Whose header?",
    configure=_environment(),
    prepare=_prepare(
        user=lambda stage: {
            _ENDPOINT: stage.endpoint(USER),
            _LOGS_ENDPOINT: _signal_endpoint(stage, USER, "logs"),
            _METRICS_HEADERS: "x-own=user",
        }
    ),
    managed=_managed(
        lambda stage: {
            _HEADERS: "x-level=managed",
            _METRICS_ENDPOINT: _signal_endpoint(stage, MANAGED, "metrics"),
        }
    ),
    skip_reason=default_port_taken,
    protocols=(Protocol.HTTP_JSON,),
)

LOCKED_SIGNAL = _scenario(
    "settings_locked_signal",
    "A managed header and exporter of metrics; a developer has set their endpoint, and "
    "switches both signals to the console",
    "Whose header?",
    configure=_environment(),
    prepare=_prepare(
        user=lambda stage: {
            _METRICS_ENDPOINT: _signal_endpoint(stage, USER, "metrics"),
            _METRICS_EXPORTER: "console",
            _LOGS_EXPORTER: "console",
        }
    ),
    managed=_managed(lambda _: {_METRICS_HEADERS: "x-level=managed", _METRICS_EXPORTER: "otlp"}),
    protocols=(Protocol.HTTP_PROTOBUF,),
)

SIEM_EXAMPLE = _scenario(
    "settings_siem",
    "The documented managed settings that send events to a SIEM",
    "Who listens?",
    configure=_nothing,
    managed=_managed(
        lambda stage: {
            _TELEMETRY: "1",
            _LOGS_EXPORTER: "otlp",
            "OTEL_LOG_TOOL_DETAILS": "1",
            _LOGS_PROTOCOL: "http/protobuf",
            _LOGS_ENDPOINT: _signal_endpoint(stage, SIEM, "logs"),
            _HEADERS: "Authorization=Bearer your-siem-token",
        }
    ),
    traits=(opens("OTEL_LOG_TOOL_DETAILS"),),
    protocols=(Protocol.HTTP_PROTOBUF,),
)

SCENARIOS = (LEVELS, EXAMPLE, ALL_LEVELS, LOCKED, LOCKED_CREDENTIALS, LOCKED_SIGNAL, SIEM_EXAMPLE)
