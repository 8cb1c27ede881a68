"""Sessions with edits whose lines are easily miscounted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from .terminal_day import NOTEBOOK


def _new_file(work: Path) -> Sequence[Step]:
    content = "first\nsecond\n"
    return (
        UseTool("Write", {"file_path": str(work / "lines.py"), "content": content}),
        Say("Written."),
    )


def _notebook(work: Path) -> Sequence[Step]:
    path = str(work / "book.ipynb")
    return (
        UseTool("Read", {"file_path": path}),
        UseTool(
            "NotebookEdit",
            {"notebook_path": path, "cell_id": "first", "new_source": "y = 2\nz = 3\n"},
        ),
        Say("Edited."),
    )


NEW_FILE = Scenario(
    name="new_file",
    description="A session that writes a new file whose last line ends like the others",
    prompt="Write two lines.",
    script=_new_file,
    protocols=(Protocol.HTTP_PROTOBUF,),
)

NOTEBOOK_EDIT = Scenario(
    name="notebook_edit",
    description="A session that changes a cell of a notebook",
    prompt="Change the notebook.",
    script=_notebook,
    files={"book.ipynb": NOTEBOOK},
    args=("--permission-mode", "default", "--allowedTools", "Read,NotebookEdit"),
    protocols=(Protocol.HTTP_JSON,),
)
