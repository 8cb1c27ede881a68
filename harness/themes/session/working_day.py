"""A headless session with a prompt, edits, a commit, a pull request and failures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...fakes.script import Fail, Step, UseTool
from ...running.scenario import Scenario

#: What the failing command prints; a file, so that the command itself does not say it.
_PRINTED = "printed.txt"


def _steps(work: Path) -> Sequence[Step]:
    module = str(work / "greeting.py")
    return (
        UseTool("Write", {"file_path": module, "content": "name = 'world'\nprint('hello', name)"}),
        UseTool(
            "Edit",
            {
                "file_path": module,
                "old_string": "print('hello', name)",
                "new_string": "for _ in range(2):\n    print('hello', name)",
            },
        ),
        UseTool(
            "Bash",
            {
                "command": "git add greeting.py && git commit --quiet --message 'Greet twice'",
                "description": "Commit the greeting",
                "timeout": 20000,
            },
        ),
        UseTool(
            "Bash",
            {
                "command": "gh pr create --title 'Greet twice' --body 'As asked.'",
                "description": "Ask for a review",
            },
        ),
        UseTool("Bash", {"command": f"cat {_PRINTED} >&2; exit 3", "description": "Fail"}),
        # Releases differ in how often they try again after a 400; none gets another answer.
        Fail(400, "the scripted day ends with an error", "invalid_request_error", times=None),
    )


WORKING_DAY = Scenario(
    name="working_day",
    expected_s=2.0,
    description=(
        "One headless session: a prompt, Write, Edit, a git commit, a pull request, "
        "a failing command, and an API error at the end"
    ),
    prompt="Please greet the world twice, commit it and open a pull request.",
    script=_steps,
    files={_PRINTED: "no such thing\n"},
)
