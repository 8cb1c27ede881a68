"""Every scenario of the theme."""

from __future__ import annotations

from harness.themes.session.failures import (
    API_FAILURES,
    API_UNREACHABLE,
    CUT_STREAM,
    RETRIED_EXPORT,
    USAGE_FRAMES,
)
from harness.themes.session.identity import CUMULATIVE, FREQUENT, IDENTITIES
from harness.themes.session.working_day import WORKING_DAY

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
