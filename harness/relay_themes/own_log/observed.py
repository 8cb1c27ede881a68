"""Find the lines in a collector's own log that tell of data that it loses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation

_THINGS = (
    r"(?:data|metrics?|(?:data ?)?points?|samples?|logs?|(?:log )?records?|events?|spans?|traces?|"
    r"items?|batch(?:es)?|requests?)"
)

#: What each kind of line looks like: in the OpenTelemetry Collector (exporter helper, memory
#: limiter, exporters for Prometheus), in what is built of it, and in others that say the like.
LOSSES: Mapping[str, re.Pattern[str]] = {
    "dropped": re.compile(
        rf"\b(?:dropping|rejecting|discarding) (?:\d+ )?{_THINGS}\b|"
        rf"\b{_THINGS} (?:was |were |is |are |has been |have been )?(?:dropped|discarded)\b",
        re.IGNORECASE,
    ),
    "queue_full": re.compile(r"(?:queue|buffer|channel) is full\b", re.IGNORECASE),
    "refused": re.compile(r"\brefusing data\b|\bdata refused\b", re.IGNORECASE),
    "unsupported": re.compile(
        r"\binvalid temporality\b|\bunsupported (?:aggregation |metric )?(?:temporality|type)\b|"
        r"\bfailed to (?:convert|translate) metrics?\b",
        re.IGNORECASE,
    ),
}

#: A line is quoted up to here.
_MOST = 600


@dataclass(frozen=True, slots=True)
class Told:
    """Lines of one kind: how many there were, and the first of them."""

    times: int
    first: str


@dataclass(frozen=True, slots=True)
class OwnLog(Observation):
    """What a collector's log told of lost data in a run: of each kind of line, how often.

    ``lines`` counts all lines of the log; kinds without any line are left out.
    """

    NAME: ClassVar[str] = "own_log"

    lines: int
    told: Mapping[str, Told]


def read_log(lines: Iterable[str]) -> OwnLog:
    """Look for losses in the lines of a log; a line may be of several kinds."""
    count = 0
    told: dict[str, Told] = {}
    for count, line in enumerate(lines, start=1):  # noqa: B007 - used behind the loop
        for kind, looks in LOSSES.items():
            if looks.search(line):
                before = told.get(kind) or Told(0, line.strip()[:_MOST])
                told[kind] = Told(before.times + 1, before.first)
    return OwnLog(count, told)
