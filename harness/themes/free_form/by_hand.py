"""Write the shell line that repeats a run by hand."""

from __future__ import annotations

import shlex

from ...capture.run import Run
from . import static_headers
from .measures import VARIABLES

#: What telemetry is sent to by hand: the console, or where headers are to be seen, a
#: collector of one's own.
_BY_CONSOLE = {
    "OTEL_METRICS_EXPORTER": "console",
    "OTEL_LOGS_EXPORTER": "console",
}
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


def by_hand(run: Run, measure: str = "") -> str:
    """Return a line for bash that runs the session again.

    For instance ``CLAUDE_CODE_ENABLE_TELEMETRY=1 … claude -p Go.``  For a ``measure`` that
    reads one variable, it leaves out what was drawn for the others.
    """
    about = VARIABLES.get(measure)
    variables = dict(run.environment)
    if about is not None:
        for other in set(VARIABLES.values()) - {about}:
            variables.pop(other, None)
    if static_headers.VARIABLE in variables:
        variables[_ENDPOINT] = "http://localhost:4317"
    else:
        for name in (_ENDPOINT, _PROTOCOL):
            variables.pop(name, None)
        variables |= _BY_CONSOLE
    assigned = [f"{name}={word(value)}" for name, value in variables.items()]
    prompts = run.truth.prompts if about is None else ()
    asked = [f"-p {word(prompt)}" for prompt in prompts or ("Go.",)]
    return " ".join([*assigned, "claude", *asked])


def word(text: str) -> str:
    """Quote ``text`` as one word of bash, in printable characters."""
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
