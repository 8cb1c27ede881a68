"""Run the session that comes before a scenario's own, in the same home and work tree."""

from __future__ import annotations

from harness.errors import SubjectError
from harness.fakes.messages_api import MessagesApi
from harness.running.scenario import Earlier
from harness.subject.binary import Binary
from harness.subject.headless import run_headless
from harness.subject.process import ProcessGroups
from harness.subject.sandbox import Sandbox


def run_earlier(
    binary: Binary, earlier: Earlier, sandbox: Sandbox, deadline_s: float, groups: ProcessGroups
) -> str:
    """Run ``earlier`` to its end without telemetry; return the session id that it told the API.

    Raises :class:`SubjectError` if it does not end well in time, or tells no id.
    """
    with MessagesApi(earlier.script, prompts=[earlier.prompt]) as api:
        ended = run_headless(
            binary,
            sandbox,
            earlier.prompt,
            api_url=api.base_url,
            deadline_s=deadline_s,
            groups=groups,
        )
        told = {call.session_id for call in api.main_calls} - {""}
    if ended.timed_out or ended.exit_code != 0 or len(told) != 1:
        raise SubjectError(
            f"the session before it ended with exit code {ended.exit_code} "
            f"and told the API the session ids {sorted(told)}; expected 0 and a single id",
            output=ended.last_output,
        )
    return told.pop()
