"""Every scenario of the theme."""

from __future__ import annotations

from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .experiment import FULL, FULL_TOKENS, WINDOW, WINDOW_VARIABLE
from .observed import Provoked


def _provoked(stage: Stage, completed: Completed) -> Provoked:
    return Provoked({"auto": 1, "manual": 1}, FULL_TOKENS)


COMPACTION = Scenario(
    name="compaction",
    expected_s=3.0,
    description="A conversation whose context is full after its second answer, and that a person "
    "then compacts, with instructions",
    # Of a single exchange, some releases make no summary.
    prompts=("Tell me about keys.", "And about doors?", "And windows?", "/compact Keep the keys."),
    # Requests for a summary are of the main loop in some releases, and use the script as well.
    script=(Say("Noted."), Say("Noted as well.", usage=FULL), *[Say("Noted, too.")] * 5),
    environment={WINDOW_VARIABLE: str(WINDOW)},
    observe=_provoked,
    protocols=(Protocol.HTTP_PROTOBUF,),
    # Which prompts are commands, and what a summary costs, only the session itself knows.
    judged_only_by_name=True,
)

SCENARIOS = (COMPACTION,)
