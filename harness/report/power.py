"""Render what became of lies about a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..judging.power import Doubt, Exempt, Power
from .line import Line, Style


def by_doubt(power: Power) -> Mapping[Doubt, tuple[Exempt, ...]]:
    """Return the exceptions by what is in doubt, the worst first."""
    return {
        doubt: found
        for doubt in Doubt
        if (found := tuple(each for each in power.exceptions if each.doubt is doubt))
    }


def render(power: Power) -> Iterator[Line]:
    """Render all of it for a terminal: the sentence, and each exception with its reason."""
    yield Line(f"power      {power.told} ({power.lies} lies, {power.seconds:.1f} s)")
    for doubt, members in by_doubt(power).items():
        yield Line(f"  {doubt} ({len(members)})", Style.BAD if doubt is Doubt.BLIND else Style.CARE)
        yield from (Line(f"    {each.requirement}: {each.reason}") for each in members)
