"""Drive the subject without a terminal, with a single prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import process
from .binary import Binary
from .process import Completed, ProcessGroups
from .sandbox import Sandbox

#: Lets the scripted tools run without a question, also as root.  The mode is named for
#: releases that start in auto mode: there a model, not the list, would decide.
PERMISSIONS = ("--permission-mode", "default", "--allowedTools", "Write,Edit,Bash,Read")


def run_headless(
    binary: Binary,
    sandbox: Sandbox,
    prompt: str,
    *,
    api_url: str,
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = PERMISSIONS,
    deadline_s: float = 60.0,
    groups: ProcessGroups | None = None,
) -> Completed:
    """Run ``claude -p PROMPT`` with ``args`` in the sandbox's work tree.

    ``env`` is laid over the sandbox's environment. A run that reaches the deadline is ended
    and returned with ``timed_out`` set, so that what it exported can still be judged.
    Raises SubjectError if the process cannot be started.
    """
    return process.run(
        [*binary.argv, "-p", prompt, *args],
        cwd=sandbox.work,
        env=sandbox.env(env, api_url=api_url, path_entries=binary.path_entries),
        output_dir=sandbox.output,
        deadline_s=deadline_s,
        groups=groups,
        cell=sandbox.cell,
    )
