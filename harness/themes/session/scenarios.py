"""Every scenario of the theme."""

from __future__ import annotations

from .failures import (
    API_FAILURES,
    API_UNREACHABLE,
    CUT_STREAM,
    RETRIED_EXPORT,
    USAGE_FRAMES,
)
from .identity import CUMULATIVE, FREQUENT, IDENTITIES
from .working_day import WORKING_DAY

SCENARIOS = (
    API_FAILURES,
    WORKING_DAY,
    CUMULATIVE,
    FREQUENT,
    CUT_STREAM,
    API_UNREACHABLE,
    RETRIED_EXPORT,
    USAGE_FRAMES,
    *IDENTITIES,
)
