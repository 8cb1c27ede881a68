"""A shell line that does by hand what a run did."""

from __future__ import annotations

import shlex

from harness.capture.run import Run

_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
#: What telemetry is sent to by hand: the console, or where headers are to be seen, a
#: collector of one's own.
_BY_CONSOLE = {
    "OTEL_METRICS_EXPORTER": "console",
    "OTEL_LOGS_EXPORTER": "console",
}
_OTLP = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL")
_ENDPOINT = "http://localhost:4317"


def by_hand(run: Run) -> str:
    """``CLAUDE_CODE_ENABLE_TELEMETRY=1 … claude -p 'Go.'``, to be pasted into bash."""
    variables = dict(run.environment)
    if _HEADERS in variables:
        variables[_OTLP[0]] = _ENDPOINT
    else:
        for name in _OTLP:
            variables.pop(name, None)
        variables |= _BY_CONSOLE
    assigned = [f"{name}={word(value)}" for name, value in variables.items()]
    prompts = [f"-p {word(prompt)}" for prompt in run.truth.prompts] or ["-p Go."]
    return " ".join([*assigned, "claude", *prompts])


def word(text: str) -> str:
    """``text`` as one word of bash, in characters that a terminal shows."""
    if text.isprintable():
        return shlex.quote(text)
    # Octal bytes: whatever follows an escape of three digits is no part of it.
    escaped = "".join(
        character
        if character.isprintable() and character not in "'\\"
        else "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in text
    )
    return f"$'{escaped}'"
