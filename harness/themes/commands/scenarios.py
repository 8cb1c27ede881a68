"""Sessions whose prompts are slash commands."""

from __future__ import annotations

from collections.abc import Mapping

from ...contract.applicability import opens
from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .observed import Typed

BUILT_IN, CUSTOM, UNKNOWN = "context", "greet-wombat", "frobnicate"

_DETAILS = "OTEL_LOG_TOOL_DETAILS"

#: The last one shows that the session goes on after the others.
_PROMPTS = (f"/{BUILT_IN}", f"/{CUSTOM} Bob", f"/{UNKNOWN} now", "Say goodbye.")


def _observe(stage: Stage, completed: Completed) -> Typed:
    return Typed({BUILT_IN: "builtin", CUSTOM: "custom", UNKNOWN: "unknown"})


def _scenario(name: str, description: str, environment: Mapping[str, str]) -> Scenario:
    return Scenario(
        name=name,
        expected_s=2.0,
        description=description,
        prompts=_PROMPTS,
        script=(Say("Goodbye."),),
        files={f".claude/commands/{CUSTOM}.md": "Greet $ARGUMENTS in one word.\n"},
        environment=environment,
        observe=_observe,
        traits=tuple(opens(variable) for variable in environment),
        protocols=(Protocol.HTTP_JSON,),
        # Which of the commands are prompts, nobody but the session itself knows.
        judged_only_by_name=True,
    )


SCENARIOS = (
    _scenario(
        "commands",
        "A conversation of slash commands: one that is built in, one of the project, and one that "
        "does not exist",
        {},
    ),
    _scenario("commands_details", f"The same with {_DETAILS}=1", {_DETAILS: "1"}),
)
