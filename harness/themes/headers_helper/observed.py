"""What the scenarios about dynamic headers observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class HelperRun:
    """One run of the helper, as the helper logged it."""

    number: int
    started_unix_nano: int
    answered_unix_nano: int
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelperLog(Observation):
    """The helper's runs in order of their start, and the facts needed to judge them.

    ``headers`` are the names (in lower case) of the headers that the helper prints, ``static`` is
    the name of the header that a variable sets, ``injected`` that of a header that only a broken
    answer holds. A session that is not broken off prints ``last_words``. ``at_work_unix_nano`` is
    when its first tool ran, 0 if that was not noted; ``debug_log`` holds the lines of the debug
    log that name a helper.
    """

    NAME = "helper"

    runs: tuple[HelperRun, ...]
    headers: tuple[str, ...]
    static: str
    injected: str
    last_words: str
    at_work_unix_nano: int
    debug_log: tuple[str, ...]
