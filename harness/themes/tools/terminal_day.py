"""A session at a terminal, with every answer to a permission prompt and every edit tool."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.dialogs import Choice
from ...subject.interactive import ARGUMENTS, AnswerPrompt, See, SwitchMode, Type
from ...subject.process import Completed
from .observed import Switched

NOTEBOOK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": "first",
                "metadata": {},
                "outputs": [],
                "source": ["x = 1\n"],
            }
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    },
    indent=1,
)

_FILES = {"book.ipynb": NOTEBOOK, "odd.zzz": "a = 1\n", "old.ts": "let a = 1\n"}

_PULL_REQUEST = "gh pr create --title 'As asked' --body 'By hand.'"


def _steps(work: Path) -> Sequence[Step]:
    def read(name: str) -> UseTool:
        return UseTool("Read", {"file_path": str(work / name)})

    def edit(name: str, old: str, new: str) -> UseTool:
        path = str(work / name)
        return UseTool("Edit", {"file_path": path, "old_string": old, "new_string": new})

    def write(name: str) -> UseTool:
        return UseTool("Write", {"file_path": str(work / name), "content": "x = 1"})

    def notebook(source: str) -> UseTool:
        return UseTool(
            "NotebookEdit",
            {
                "notebook_path": str(work / "book.ipynb"),
                "cell_id": "first",
                "new_source": source,
            },
        )

    def bash(command: str) -> UseTool:
        return UseTool("Bash", {"command": command, "description": "As asked"})

    return (
        write("new.py"),  # yes
        read("book.ipynb"),
        notebook("y = 2\n"),  # yes
        read("odd.zzz"),
        edit("odd.zzz", "a = 1", "a = 2"),  # yes
        bash(_PULL_REQUEST),  # yes, and never ask again
        bash(_PULL_REQUEST),  # nobody is asked
        Say("The first part is done."),
        write("never.md"),  # no
        read("old.ts"),
        edit("old.ts", "let a", "var a"),  # dismissed
        notebook("z = 3\n"),  # no
        edit("odd.zzz", "a = 2", "a = 3"),  # no
        bash("git commit --quiet --allow-empty --message 'By hand'"),  # dismissed
        edit("new.py", "x = 1", "x = 2"),  # yes, for the session
        edit("new.py", "x = 2", "x = 3"),  # nobody is asked
        Say("The last part is done."),
    )


def _switched(stage: Stage, completed: Completed) -> Switched:
    """Tell the modes: edits were accepted for the session, and then the screen showed the last."""
    return Switched("acceptEdits", "plan")


TERMINAL_DAY = Scenario(
    name="terminal_day",
    expected_s=12.0,
    description=(
        "A session at a terminal: permission prompts answered yes, yes for the session, yes "
        "and never again, no, and dismissed, for Edit, Write, NotebookEdit and Bash; at last, "
        "another permission mode"
    ),
    script=_steps,
    files=_FILES,
    args=ARGUMENTS,
    # Short: a line that is typed again and again, before the CLI shows it, must not be full.
    acts=(
        Type("Do the first part."),
        AnswerPrompt(Choice.YES, "new.py"),
        AnswerPrompt(Choice.YES, "book.ipynb"),
        AnswerPrompt(Choice.YES, "odd.zzz"),
        AnswerPrompt(Choice.YES_AND_NEVER_ASK_AGAIN, "gh pr create"),
        See("The first part is done."),
        Type("Write what I do not want."),
        AnswerPrompt(Choice.NO, "never.md"),
        Type("Change what I ignore."),
        AnswerPrompt(Choice.DISMISS, "old.ts"),
        Type("Change the notebook."),
        AnswerPrompt(Choice.NO, "book.ipynb"),
        Type("Change the odd file."),
        AnswerPrompt(Choice.NO, "odd.zzz"),
        Type("Commit what there is."),
        AnswerPrompt(Choice.DISMISS, "git commit"),
        Type("Do the last part."),
        AnswerPrompt(Choice.YES_FOR_THE_SESSION, "new.py"),
        See("The last part is done."),
        SwitchMode("plan mode on"),
    ),
    observe=_switched,
    protocols=(Protocol.HTTP_PROTOBUF,),
)
