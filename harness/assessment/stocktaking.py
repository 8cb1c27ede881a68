"""Take the inventory of a recording, with the facts that the themes tell of their sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..capture.capture import Capture
from ..capture.run import SubjectFacts
from ..contract.requirement import DRAWN
from ..drift.inventory import inventory_of
from ..themes.catalogue import FACTS


def stock_of(subject: SubjectFacts, captures: Iterable[Capture]) -> dict[str, Any]:
    """Return the inventory of these captures."""
    return inventory_of(subject, _the_same_each_time(captures), FACTS)


def _the_same_each_time(captures: Iterable[Capture]) -> list[Capture]:
    """Return the captures without drawn ones whose input is not always tried.

    What else was drawn differs from recording to recording, and so does what it shows.
    """
    every = list(captures)
    if not any(DRAWN in capture.run.traits for capture in every):
        return every
    from ..fuzzing.inputs import first  # Hypothesis is not for those who draw nothing

    tried = {frozenset(given.environment.items()) for given in first()}
    variables = {name for given in tried for name, _ in given}
    return [
        capture
        for capture in every
        if DRAWN not in capture.run.traits
        or frozenset(
            (name, text)
            for name, text in capture.run.environment.items()
            if name in variables and text
        )
        in tried
    ]
