"""Every scenario of the theme."""

from __future__ import annotations

from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .observed import Mentioned

#: What the prompt mentions: two files, a folder, a file that does not exist, and a subagent.
_MENTIONED = ("notes.txt", "more.txt", "plans", "gone.txt")
_AGENT = "reviewer"

_DEFINITION = f"""---
name: {_AGENT}
description: Reviews what it is shown.
---
Review it.
"""


def _mentioned(stage: Stage, completed: Completed) -> Mentioned:
    """Count the mentioned files and folders that exist, and the subagent."""
    paths = (stage.work / name for name in _MENTIONED)
    kinds = ["directory" if path.is_dir() else "file" for path in paths if path.exists()]
    return Mentioned({"agent": 1, **{kind: kinds.count(kind) for kind in kinds}})


MENTIONS = Scenario(
    name="mentions",
    description="A session whose prompt mentions files and a folder, a file that is not "
    "there, and a subagent",
    prompt="Compare @{} with @{} as @agent-{} would, look into @{} and tell me about @{}".format(
        *_MENTIONED[:2], _AGENT, *_MENTIONED[2:]
    ),
    script=(Say("Compared."),),
    files={
        "notes.txt": "one\n",
        "more.txt": "two\n",
        "plans/today.txt": "three\n",
        f".claude/agents/{_AGENT}.md": _DEFINITION,
    },
    observe=_mentioned,
    protocols=(Protocol.HTTP_JSON,),
)

SCENARIOS = (MENTIONS,)
