"""Tell what became of a release's listed deviations in the newest release that was measured."""

from __future__ import annotations

from collections.abc import Iterable

from ..contract.versions import Version
from ..judging.expectations import Expectation, packaged_list
from ..judging.verdicts import Row
from ..record.header import CLAUDE, Header


def told(rows: Iterable[Row], header: Header) -> str:
    """Say how many of these rows' deviations are gone in the newest release that we measured.

    Whoever decides about a release wants to know whether to wait for another one. The text is empty
    where our list says nothing: the subject is no release or newer than the list, or it excuses
    none of the rows.
    """
    if header.job != CLAUDE:
        return ""
    try:
        version = Version.parse(header.subject.version)
    except ValueError:
        return ""
    names = {row.requirement for row in rows if not row.listed_in}
    return since_then(names, version, packaged_list())


def since_then(names: Iterable[str], version: Version, entries: Iterable[Expectation]) -> str:
    """Compare what is listed for ``version`` with what is listed for the newest release."""
    entries = tuple(entries)
    newest = max((each.newest_measured for each in entries if each.newest_measured), default=None)
    now = {each.requirement for each in entries if version in each.versions}
    these = now.intersection(names)
    if newest is None or version > newest or not these:
        return ""
    if version == newest:
        return "no newer release was measured: none is known to be without these"
    then = {each.requirement for each in entries if newest in each.versions}
    gone, come = len(these - then), len(then - now)
    others = f", and has {come} others" if come else ""
    return f"{newest}, the newest that was measured, is without {gone} of these{others}"
