"""Find the names of an event.

An event states its name in up to three places: the attribute ``event.name`` (short:
``user_prompt``), the log record's own field ``event_name`` (newer OTLP), and the body, where the
subject writes the full name (``claude_code.user_prompt``). A query finds an event by any of them,
with or without the prefix; a check that compares these places reads them from the event itself.
"""

from __future__ import annotations

from ..otlp.model import Event

PREFIX = "claude_code."

#: Housekeeping some ten seconds after the start: whether a session gets as far is up to its pace.
OF_THE_CLOCK = frozenset({"retention_sweep"})


def short(name: str) -> str:
    """Return ``name`` without the ``claude_code.`` prefix."""
    return name.removeprefix(PREFIX)


def event_names(event: Event) -> tuple[str, ...]:
    """Return the distinct short names that an event states, the most reliable first.

    A body counts only if it is one word, as a name is and a message is not.
    """
    names: list[str] = []
    for value in (event.attributes.get("event.name"), event.event_name, event.body):
        if isinstance(value, str) and value and not any(map(str.isspace, value)):
            name = short(value)
            if name not in names:
                names.append(name)
    return tuple(names)


def event_name(event: Event) -> str:
    """Return the most reliable short name of an event; ``""`` for a log record without one."""
    return next(iter(event_names(event)), "")
