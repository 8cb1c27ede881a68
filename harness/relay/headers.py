"""Read the headers that go with every request to a collector under test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

from ..errors import UsageError

#: Stands in a value for a variable of the environment, so that a credential is not written down.
VARIABLE = re.compile(r"\$\{(\w+)\}")


def parse_headers(option: str, text: str | None) -> tuple[tuple[str, str], ...]:
    """Read headers in the form of ``OTEL_EXPORTER_OTLP_HEADERS``, and fill in variables.

    Raises UsageError, which names ``option`` and shows no value, for a member without a name, and
    for a variable that is not in the environment.
    """

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UsageError(
                option, seen="none", expected=f"a variable {match[1]} in the environment"
            )
        return os.environ[match[1]]

    return tuple(
        (name.lower(), VARIABLE.sub(variable, unquote(value)))
        for name, value in members(option, text)
    )


def members(option: str, text: str | None) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each header, as they are written."""
    for member in filter(None, (part.strip() for part in (text or "").split(","))):
        name, equals, value = member.partition("=")
        if not equals or not name.strip():
            # Not shown: it may be a credential.
            raise UsageError(option, seen="no name", expected="NAME=VALUE[,NAME=VALUE]")
        yield name.strip(), value.strip()
