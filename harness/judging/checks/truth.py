"""The occasions: what must have left telemetry, counted in the ground truth of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.run import GroundTruth

#: Tools whose permission decision the code-edit counter counts.
EDIT_TOOLS = frozenset({"Edit", "Write", "NotebookEdit"})

#: Name of an occasion -> how often it came about, counted by our fakes.
OCCASIONS: Mapping[str, Callable[[GroundTruth], int]] = {
    "a session": lambda truth: 1 if truth.prompts else 0,
    "a prompt": lambda truth: len(truth.prompts),
    "an answered API request": lambda truth: sum(
        call.status == 200 and not (call.probe or call.given_up) for call in truth.api_calls
    ),
    "an answer of the main loop": lambda truth: sum(
        call.status == 200 and not call.auxiliary for call in truth.api_calls
    ),
    "another answer": lambda truth: sum(
        call.status == 200 and call.auxiliary for call in truth.api_calls
    ),
    "an answered probe, or one that was not waited for": lambda truth: sum(
        call.status == 200 and (call.probe or call.given_up) for call in truth.api_calls
    ),
    "an answer with text": lambda truth: sum(
        call.status == 200 and bool(call.said) and not call.auxiliary for call in truth.api_calls
    ),
    "another answer with text": lambda truth: sum(
        call.status == 200 and bool(call.said) and call.auxiliary for call in truth.api_calls
    ),
    "an answer that was not waited for": lambda truth: sum(
        call.given_up for call in truth.api_calls
    ),
    "a failed API request": lambda truth: len(truth.failures),
    "a request that failed after retries": lambda truth: sum(
        failure.retried for failure in truth.failures
    ),
    "a bad request that came again": lambda truth: sum(
        failure.attempts > 1 and not failure.retried for failure in truth.failures
    ),
    "a tool run": lambda truth: len(truth.tools_that_ran),
    "a rejected tool": lambda truth: sum(not decision.accepted for decision in truth.decisions),
    "a decision": lambda truth: len(truth.decisions),
    "a failed tool run": lambda truth: sum(not run.ok for run in truth.tools_that_ran),
    "a decision about an edit": lambda truth: sum(
        decision.name in EDIT_TOOLS for decision in truth.decisions
    ),
    "a changed line": lambda truth: truth.lines_added + truth.lines_removed,
    "an added line": lambda truth: truth.lines_added,
    "a removed line": lambda truth: truth.lines_removed,
    "a commit": lambda truth: truth.commits,
    "a pull request": lambda truth: truth.pull_requests,
}
