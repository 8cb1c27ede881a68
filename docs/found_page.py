"""Render the deviations that we list as docs/what_we_found.md, by impact and by release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.contract.applicability import applies_to_version
from harness.contract.impacts import advice_for, meaning
from harness.contract.requirement import Requirement
from harness.contract.versions import Version, VersionRange
from harness.findings import Impact
from harness.judging.expectations import Expectation, packaged_list
from harness.judging.listing import packaged_listing

_INTRODUCTION = (
    "Where releases of the `claude` CLI do not do what their documents say, what people lose by "
    "it, and what helps. Each line was measured: a real release, in our sessions, against our "
    "collector. Written by `python docs/generated.py` of `schemas/expectations.json` and "
    "`schemas/impacts.json`; change these, not this page."
)

_READING = (
    "A deviation begins with the first release that shows it. It ends with the first one that "
    "does not, or with the first one whose document describes what is done. The list speaks for "
    "releases up to {newest}: a newer one may have mended some of it and brought more, so "
    "[judge it](judge_a_release.md). What is sent and no document names is on the page of "
    "[undocumented names](undocumented.md), what collectors do to telemetry on that of "
    "[collectors](collectors.md), and how each promise fared from release to release on that of "
    "[releases](releases.md)."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A deviation as people see it: one sentence, and the promises that are broken by it."""

    impact: Impact
    reason: str
    advice: str
    versions: VersionRange
    intermittent: bool
    names: tuple[str, ...]
    evidence: tuple[str, ...]

    @classmethod
    def of(cls, impact: Impact, advice: str, entries: Sequence[Expectation]) -> Found:
        """Make one of the entries that say the same of releases."""
        return cls(
            impact,
            entries[0].reason,
            advice,
            entries[0].versions,
            entries[0].intermittent,
            tuple(each.requirement for each in entries),
            tuple(dict.fromkeys(each.evidence for each in entries)),
        )


def page(catalogue: Sequence[Requirement]) -> str:
    """Return the page; ``catalogue`` is everything that is promised of any release."""
    promises = {requirement.name: requirement for requirement in catalogue}
    return "\n".join(_page(promises, Version.parse(packaged_listing().newest_measured))) + "\n"


def found(promises: Mapping[str, Requirement]) -> list[Found]:
    """Return every listed deviation: the worst impact first, then what breaks the most."""
    groups: dict[tuple[Impact, str, str, str, bool], list[Expectation]] = {}
    for each in packaged_list():
        promise = promises[each.requirement]
        advice = each.advice or promise.advice or advice_for(promise.impact)
        key = (promise.impact, advice, each.reason, str(each.versions), each.intermittent)
        groups.setdefault(key, []).append(each)
    order = list(Impact)
    every = [Found.of(key[0], key[1], entries) for key, entries in groups.items()]
    return sorted(every, key=lambda one: (order.index(one.impact), -len(one.names)))


def _page(promises: Mapping[str, Requirement], newest: Version) -> Iterator[str]:
    every = found(promises)
    yield "# What we found"
    yield ""
    yield _INTRODUCTION
    yield ""
    yield _READING.format(newest=newest)
    today = [one for one in every if newest in one.versions]
    yield ""
    yield f"## In {newest}, by what people lose"
    yield ""
    yield from _summary(today)
    for impact in Impact:
        members = [one for one in today if one.impact is impact]
        if members:
            yield ""
            yield f"### {impact.value.capitalize()}"
            yield ""
            yield meaning(impact)
            yield ""
            yield from _told(members)
    yield ""
    yield "## What ended, and in which release"
    yield ""
    yield (
        "If you run a release before the one in a heading, what stands under it concerns you, too."
    )
    yield from _ended(every)
    yield ""
    yield "## How many promises each release breaks"
    yield ""
    yield (
        "Promises with a listed deviation, for each release with which the list changes; a release "
        "between two of them has the numbers of the earlier one. Later documents promise more, so "
        "a larger number is not by itself a worse release."
    )
    yield ""
    yield from _by_release(every, promises, newest)


def _summary(today: Sequence[Found]) -> Iterator[str]:
    yield "| what people lose | deviations | promises | what it means |"
    yield "| --- | --- | --- | --- |"
    for impact in Impact:
        members = [one for one in today if one.impact is impact]
        promises = sum(len(one.names) for one in members)
        name = f"[{impact.value}](#{_anchor(impact)})" if members else impact.value
        yield f"| {name} | {len(members)} | {promises} | {meaning(impact)} |"


def _anchor(impact: Impact) -> str:
    return impact.value.replace(" ", "-")


def _told(members: Sequence[Found], *, impact: bool = False) -> Iterator[str]:
    for one in members:
        kind = f" ({one.impact.value})" if impact else ""
        sometimes = " Not in every session." if one.intermittent else ""
        yield f"* **{_escaped(one.reason)}**{kind} Since {one.versions.since}.{sometimes}"
        yield f"  * What to do: {_escaped(one.advice)}"
        yield f"  * Promises: {', '.join(f'`{name}`' for name in one.names)}."
        yield f"  * Evidence: {_escaped(' '.join(one.evidence))}"


def _escaped(text: str) -> str:
    """Return a text as prose of Markdown; what stands between backquotes stays as it is."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        for sign in "\\*<[":
            parts[index] = parts[index].replace(sign, f"\\{sign}")
    return "`".join(parts)


def _ended(every: Sequence[Found]) -> Iterator[str]:
    ends = {one.versions.until for one in every if one.versions.until is not None}
    for end in sorted(ends, reverse=True):
        yield ""
        yield f"### Ended in {end}"
        yield ""
        yield from _told([one for one in every if one.versions.until == end], impact=True)


def _by_release(
    every: Sequence[Found], promises: Mapping[str, Requirement], newest: Version
) -> Iterator[str]:
    edges = {edge for one in every for edge in (one.versions.since, one.versions.until) if edge}
    yield f"| release | {' | '.join(impact.value for impact in Impact)} | all |"
    yield f"| --- |{' --- |' * (len(Impact) + 1)}"
    for release in sorted(edges | {newest}, reverse=True):
        counts = Counter(
            one.impact
            for one in every
            if release in one.versions
            for name in one.names
            if applies_to_version(promises[name], release)
        )
        cells = " | ".join(str(counts[impact]) for impact in Impact)
        yield f"| {release} | {cells} | {counts.total()} |"
