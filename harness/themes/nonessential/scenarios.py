"""Every scenario of the theme."""

from __future__ import annotations

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario

#: Unlike all others, this session may look for its vendor: it is in a network without any.
NONESSENTIAL = Scenario(
    name="nonessential_traffic",
    expected_s=2.0,
    description="A session whose nonessential traffic is not switched off, with loopback alone",
    prompt="Do nothing much.",
    script=(UseTool("Bash", {"command": "true", "description": "Do nothing"}), Say("Done.")),
    environment={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""},
    protocols=(Protocol.HTTP_JSON,),
)

SCENARIOS = (NONESSENTIAL,)
