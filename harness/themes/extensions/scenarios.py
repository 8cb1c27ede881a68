"""Every scenario of the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from . import hooks, plugins
from .observed import Hooked

DETAILS_GATE = "OTEL_LOG_TOOL_DETAILS"


def _steps(work: Path) -> Sequence[Step]:
    return (
        UseTool("Bash", {"command": "true", "description": "Do nothing"}),
        UseTool("Read", {"file_path": str(work / "notes.txt")}, forbidden=True, decided_by="hook"),
        Say("Done."),
    )


def _prepare(stage: Stage) -> Sequence[str]:
    return (*hooks.configure(stage), *plugins.configure(stage))


def _observe(stage: Stage, completed: Completed) -> Hooked:
    return hooks.observe(stage)


def _scenario(
    name: str, description: str, gates: Mapping[str, str], protocols: tuple[Protocol, ...]
) -> Scenario:
    return Scenario(
        name=name,
        expected_s=3.0,
        description=f"{description}: hooks of every type, in every settings file, that succeed, "
        "block, fail and never end, and a plugin",
        prompt="Run what is hooked.",
        script=_steps,
        files={"notes.txt": "one\n"},
        environment=gates,
        canaries={"plugin_name": plugins.NAME},
        prepare=_prepare,
        observe=_observe,
        waits_s=hooks.LIMIT_S,
        protocols=protocols,
    )


SCENARIOS = (
    _scenario("extensions", "All gates closed", {}, (Protocol.GRPC, Protocol.HTTP_PROTOBUF)),
    _scenario(
        "extensions_details",
        "Tool details are logged",
        {DETAILS_GATE: "1"},
        (Protocol.HTTP_JSON,),
    ),
)
