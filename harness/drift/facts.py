"""Collect facts of whole sessions: what was counted, how they ended, who inherited what.

A fact is a word about something, in one scenario. What differs from run to run (numbers, times,
ids, paths) is no fact; whoever yields one makes a class of it first. Themes yield facts of their
own sessions, from a module ``facts.py`` with ``FACTS``; nothing here knows of a theme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..capture.capture import Capture


class Topic(StrEnum):
    """What a fact speaks of; the topic decides how much a change matters."""

    #: What was counted of what really happened.
    ACCOUNTING = "accounting"
    #: What is asked of the model besides, and how.
    CALLS = "calls"
    #: What becomes of a request that is refused, and of connections.
    DELIVERY = "delivery"
    #: How a session ends.
    ENDING = "ending"
    #: What processes and other services get that is meant for collectors.
    INHERITED = "inherited"
    #: What becomes of odd input.
    INPUT = "input"
    #: How often a signal is exported.
    INTERVAL = "interval"
    #: Where telemetry goes, by what is configured.
    ROUTE = "route"
    #: What a session says on stderr or in its debug log.
    SAID = "said"
    #: In whose trace something is, and below which span.
    TRACE = "trace"


#: What is inherited where nothing is.
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of one run: ``value`` is a word or a few about ``about``.

    ``raced``: which session shows it depends on a race, so that its scenario is not listed.
    """

    topic: Topic
    about: str
    value: str
    raced: bool = False


#: Yields the facts of one run.
Facts = Callable[[Capture], Iterable[Fact]]

#: Topic, about, value -> scenarios.
Collected = dict[str, dict[str, dict[str, list[str]]]]


def facts_of(groups: Iterable[tuple[Iterable[Capture], Sequence[Facts]]]) -> Collected:
    """Return by topic and by what they are about the values, each with its scenarios.

    Each group is captures, and those who yield facts of them.
    """
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    told = (
        (capture.run.scenario, fact)
        for captures, sources in groups
        for capture in captures
        for source in sources
        for fact in source(capture)
    )
    for scenario, fact in told:
        scenarios = found[fact.topic.value][fact.about][fact.value]
        if not fact.raced:
            scenarios.add(scenario)
    return {
        topic: {
            about: {value: sorted(scenarios) for value, scenarios in sorted(values.items())}
            for about, values in sorted(abouts.items())
        }
        for topic, abouts in sorted(found.items())
    }
