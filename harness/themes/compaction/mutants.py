"""Lies about compactions."""

from __future__ import annotations

from collections.abc import Mapping

from ...mutants import editing
from ...mutants.events import Lie, lie, setting

_AUTO = {"event.name": "compaction", "trigger": "auto"}
_MANUAL = {"event.name": "compaction", "trigger": "manual"}

#: A quarter of an hour in milliseconds, which no session takes.
_LONG_MS = "900000"


_LIES = (
    lie("full_context_not_logged", "Log no compaction of a full one.", _AUTO, editing.remove),
    lie("command_not_logged", "Log no compaction by `/compact`.", _MANUAL, editing.remove),
    lie("compaction_logged_twice", "Log a compaction twice.", _AUTO, editing.repeat),
    lie(
        "command_called_automatic",
        "Call a compaction by `/compact` automatic.",
        _MANUAL,
        setting("trigger", "auto"),
    ),
    lie(
        "compaction_failed",
        "Call a compaction failed that was none.",
        _AUTO,
        setting("success", "false"),
    ),
    lie("error_without_failure", "Tell of an error.", _AUTO, setting("error", "too long")),
    lie("compaction_in_seconds", "Tell its time in seconds.", _AUTO, setting("duration_ms", "0")),
    lie(
        "compaction_in_microseconds",
        "Tell its time in microseconds.",
        _AUTO,
        setting("duration_ms", _LONG_MS),
    ),
    lie(
        "half_a_context",
        "Count half of the tokens before.",
        _AUTO,
        setting("pre_tokens", "85650"),
    ),
    lie(
        "context_not_smaller",
        "Count as many tokens after as before.",
        _AUTO,
        setting("post_tokens", "172000"),
    ),
    lie(
        "summary_called_prepared",
        "Tell of a prepared summary in one that asked for none.",
        _AUTO,
        setting("precompute_reuse", "hit"),
    ),
    lie(
        "summary_reused",
        "Call a summary reused that was made.",
        _MANUAL,
        setting("precompute_reuse", "hit"),
    ),
)

LIES: Mapping[str, Lie] = {each.__name__: each for each in _LIES}
