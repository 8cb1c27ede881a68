"""Canaries: unique texts that stand in for what must stay private.

Each consists of letters only, so that it survives JSON, percent-encoding and every
name that a file, a server or a skill may have, and is found wherever it went.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..running.secrets import unique_word
from ..subject.sandbox import FAKE_API_KEY

_NAMES = (
    "prompt",
    "answer",
    "read_content",
    "written_content",
    "replaced_content",
    "edited_content",
    "command",
    "command_output",
    "failed_output",
    "commit_message",
    "collector_header",
    "helper_output",
    "mcp_server",
    "mcp_tool",
    "mcp_argument",
    "mcp_result",
    "skill_name",
    "skill_body",
    "subagent_prompt",
)


#: What each stands in for -> its text.  Of the API key the end is enough: that is what
#: programs like to show of one.
CANARIES: Mapping[str, str] = {
    **{name: unique_word(name) for name in _NAMES},
    "api_key": FAKE_API_KEY[-20:],
}
