"""Render what differs between two releases as an HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from harness.drift.comparison import Comparison
from harness.drift.difference import WORST_FIRST, Impact
from harness.report.drift import summary

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
    return _template().render(
        comparison=comparison,
        summary=summary(comparison),
        groups=groups,
        affected=sum(bool(hit.differences) for hit in hits),
        never=sum(bool(hit.never) for hit in hits),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("drift.html.jinja")
