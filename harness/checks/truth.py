"""What must have left a trace: occasions, counted in the ground truth of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.capture.run import GroundTruth

#: Tools whose permission decision the code-edit counter counts.
EDIT_TOOLS = frozenset({"Edit", "Write", "NotebookEdit"})

#: Name of an occasion -> how often it came about, counted by our fakes.
OCCASIONS: Mapping[str, Callable[[GroundTruth], int]] = {
    "a session": lambda truth: 1 if truth.prompts else 0,
    "a prompt": lambda truth: len(truth.prompts),
    "an answered API request": lambda truth: sum(call.status == 200 for call in truth.api_calls),
    "a failed API request": lambda truth: sum(call.status >= 400 for call in truth.api_calls),
    "a tool run": lambda truth: len(truth.tool_runs),
    "a failed tool run": lambda truth: sum(not run.ok for run in truth.tool_runs),
    "an edit of a file": lambda truth: sum(run.name in EDIT_TOOLS for run in truth.tool_runs),
    "a changed line": lambda truth: truth.lines_added + truth.lines_removed,
    "a commit": lambda truth: truth.commits,
    "a pull request": lambda truth: truth.pull_requests,
}
