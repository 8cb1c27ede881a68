"""Run the session that comes before a scenario's own, in the same home and work tree."""

from __future__ import annotations

from ..errors import NotInTimeError, SubjectError
from ..fakes.messages_api import MessagesApi
from ..subject.binary import Binary
from ..subject.headless import run_headless
from ..subject.process import ProcessGroups
from ..subject.sandbox import Sandbox
from .scenario import Earlier


def run_earlier(
    binary: Binary,
    earlier: Earlier | None,
    sandbox: Sandbox,
    deadline_s: float,
    groups: ProcessGroups,
) -> str:
    """Run ``earlier`` to its end without telemetry; return the session id that it told the API.

    None is no session, and has no id. Raises :class:`SubjectError` if it does not end well or
    tells no id, and :class:`NotInTimeError` if it does not end in time.
    """
    if earlier is None:
        return ""
    new_socket = sandbox.cell.new_socket
    with MessagesApi(earlier.script, prompts=[earlier.prompt], new_socket=new_socket) as api:
        ended = run_headless(
            binary,
            sandbox,
            earlier.prompt,
            api_url=api.base_url,
            deadline_s=deadline_s,
            groups=groups,
        )
        told = {call.session_id for call in api.main_calls} - {""}
    if ended.timed_out:
        raise NotInTimeError(
            f"the session before it did not end within {deadline_s:g} s", output=ended.last_output
        )
    if ended.exit_code != 0 or len(told) != 1:
        raise SubjectError(
            f"the session before it ended with exit code {ended.exit_code} "
            f"and told the API the session ids {sorted(told)}; expected 0 and a single id",
            output=ended.last_output,
        )
    return told.pop()
