"""Every scenario of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Earlier, Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .observed import Resumption

_EARLIER = Earlier(
    "Keep in mind where the keys are hidden, please.", (Say("They are hidden below the mat."),)
)


def _resume(stage: Stage) -> Sequence[str]:
    return ("--resume", stage.earlier_session)


def _continue_apart(stage: Stage) -> Sequence[str]:
    return ("--continue", "--fork-session")


def _observe(stage: Stage, completed: Completed) -> Resumption:
    return Resumption(stage.earlier_session)


RESUMED = Scenario(
    name="resumed",
    expected_s=1.9,
    description="A session that goes on with an earlier one, by its id (--resume)",
    prompt="Where did we put them?",
    script=(
        UseTool("Bash", {"command": "true", "description": "Do nothing"}),
        Say("Where nobody looks."),
    ),
    earlier=_EARLIER,
    prepare=_resume,
    observe=_observe,
    protocols=(Protocol.HTTP_JSON,),
)

CONTINUED = Scenario(
    name="continued",
    expected_s=1.9,
    description="A session that goes on with the newest one under a new id "
    "(--continue --fork-session)",
    prompt="Put them elsewhere.",
    script=(Say("They are elsewhere now."),),
    # The one keeps closed what the other would open.
    environment={"OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOG_ASSISTANT_RESPONSES": "0"},
    earlier=_EARLIER,
    prepare=_continue_apart,
    observe=_observe,
    protocols=(Protocol.GRPC,),
)

SCENARIOS = (RESUMED, CONTINUED)
