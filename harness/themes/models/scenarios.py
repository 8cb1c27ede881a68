"""Every scenario of the theme."""

from __future__ import annotations

import json

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario

#: The suffix asks for a long context; the API hears of the model without it.
_LONG_CONTEXT = "[1m]"

_AGENTS = {
    "helper": {
        "description": "Looks around.",
        "prompt": "You look around.",
        "model": f"claude-sonnet-4-5{_LONG_CONTEXT}",
    }
}

MODELS = Scenario(
    name="models",
    expected_s=1.9,
    description="A session with models that have a suffix, a low effort level and fast mode, and "
    "a subagent with a model that knows no effort",
    prompt="Think less than you could.",
    script=(
        UseTool(
            "Task",
            {
                "description": "Look around",
                "prompt": "Look around while I think.",
                "subagent_type": "helper",
                "run_in_background": False,
            },
        ),
        Say("Thought a little."),
    ),
    args=(
        *("--permission-mode", "default", "--allowedTools", "Task,Agent"),
        *("--model", f"claude-opus-4-6{_LONG_CONTEXT}"),
        *("--settings", json.dumps({"fastMode": True})),
        *("--agents", json.dumps(_AGENTS)),
    ),
    environment={"CLAUDE_CODE_EFFORT_LEVEL": "low", "OTEL_LOG_ASSISTANT_RESPONSES": "1"},
    # Older releases estimate a higher price for a long context, however long it is.
    traits=("a_model_with_suffix",),
    protocols=(Protocol.HTTP_JSON,),
)

SCENARIOS = (MODELS,)
