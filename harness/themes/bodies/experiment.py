"""What scenarios, measures and mutants of the theme share: variables, limits and texts."""

from __future__ import annotations

GATE = "OTEL_LOG_RAW_API_BODIES"
ANSWERS_GATE = "OTEL_LOG_ASSISTANT_RESPONSES"
LIMIT_VARIABLE = "CLAUDE_CODE_OTEL_CONTENT_MAX_LENGTH"
SDK_LIMIT_VARIABLE = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"

INLINE = "1"
#: The folder of bodies that are kept as files, as it is named below the work tree.
FOLDER = "bodies"
IN_FILES = f"file:{FOLDER}"

#: The limit of contents that holds where nobody sets one, in UTF-16 code units.
DEFAULT_LIMIT = 61_440
#: Limits that scenarios set: no body is as long as the first.
NO_LIMIT, OWN_LIMIT, SDK_LIMIT = 1_000_000, 1000, 900

#: A mark may be this long: a text that was cut fills its limit up to that.
MARK_AT_MOST = 80

#: A character of two UTF-16 code units and of four bytes in UTF-8.
WIDE = "\N{GRINNING FACE}"

#: What stands in place of what the model thought, in what we compare.
THOUGHT = "(thought)"


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def limit_in(environment: dict[str, str]) -> int:
    """Return the limit of contents that a session with these variables has."""
    own = int(environment.get(LIMIT_VARIABLE, DEFAULT_LIMIT))
    return min(own, int(environment.get(SDK_LIMIT_VARIABLE, own)))
