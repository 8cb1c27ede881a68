"""What the scenarios about dynamic headers observe."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class HelperRun:
    """One run of the helper, as it logged it itself."""

    number: int
    started_unix_nano: int
    answered_unix_nano: int
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelperLog(Observation):
    """The helper's runs in the order in which they began, and what to know of them.

    Of headers the names, in lower case: ``headers`` are those that the helper answers
    with, ``static`` the one that a variable sets, ``injected`` one that only a broken
    answer holds.  A session that comes to its end prints ``last_words``.
    ``at_work_unix_nano`` is when its first tool ran, 0 where nobody noted it;
    ``debug_log`` holds the lines of the debug log that name a helper.
    """

    NAME = "helper"

    runs: tuple[HelperRun, ...]
    headers: tuple[str, ...]
    static: str
    injected: str
    last_words: str
    at_work_unix_nano: int
    debug_log: tuple[str, ...]
