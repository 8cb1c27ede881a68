"""Render what differs between two releases as an HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping

from ..drift.comparison import Comparison
from ..drift.difference import WORST_FIRST, Impact
from .drift import summary
from .templates import template

#: What each impact means to somebody who reads dashboards, not source code.
_ABOUT: Mapping[Impact, str] = {
    Impact.PRIVACY: "More of what is private may leave the machine, or at more places. Look at "
    "these before the new release is rolled out, and at your redaction rules.",
    Impact.BREAKING: "A panel, an alert or a rule that worked with the old release may be empty or "
    "wrong with the new one.",
    Impact.BEHAVIOURAL: "The telemetry tells of something else than before, or a promise of the "
    "documents is kept or broken now.",
    Impact.ADDITIVE: "There is more than before; what was there is as it was.",
    Impact.INFORMATIONAL: "Hardly anybody depends on these.",
}


def page(comparison: Comparison) -> str:
    """Return the comparison as a page: the worst first, to be filtered by impact."""
    groups = []
    for impact in WORST_FIRST:
        members = [each for each in comparison.differences if each.impact is impact]
        if members:
            groups.append({"impact": impact.value, "about": _ABOUT[impact], "members": members})
    hits = comparison.hits or ()
    return template("drift.html.jinja").render(
        comparison=comparison,
        summary=summary(comparison),
        groups=groups,
        affected=sum(bool(hit.differences) for hit in hits),
        never=sum(bool(hit.never) for hit in hits),
    )
