"""Render the summary for a terminal, as lines; nothing is printed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..findings import Verdict
from ..judging.entries import EntryState
from ..judging.verdicts import Row, counts, fails_the_run
from ..record.header import CLAUDE, Header
from . import canaries, drift, latency, power, screen, undocumented
from .failure import failure
from .line import Line, Style
from .summary import SHOWN_FAILURES as SHOWN_FAILURES
from .summary import Summary

#: Differences of one impact that are shown in the summary.
SHOWN_DIFFERENCES = 20

#: Themes whose second word is worth a line of its own, and from how many rows on.
_WIDE = ("metrics", "events", "standard")
_OWN_LINE = 4

_STYLES = {
    Verdict.PASS: Style.GOOD,
    Verdict.FAIL: Style.BAD,
    Verdict.FIXED: Style.BAD,
    Verdict.ERROR: Style.BAD,
}

_ENTRY_STYLES = {
    **dict.fromkeys(EntryState, Style.PLAIN),
    EntryState.EXPIRED: Style.CARE,
    EntryState.GONE: Style.CARE,
}


def render(summary: Summary, width: int = screen.NARROWEST) -> list[Line]:
    """Render all there is to say, without a title; last comes what a reader decides by."""
    blocks = (
        _head(summary),
        _problem(summary),
        _themes(summary.rows),
        _warned(summary),
        _known(summary.rows),
        _good_news(summary.rows),
        _entries(summary),
        _idle(summary.rows),
        latency.render(summary.header.latencies),
        canaries.render(summary.header.canaries),
        undocumented.render(summary.header.undocumented),
        _failures(summary),
        power.render(summary.power) if summary.power else (),
        drift.lines(summary.comparison, SHOWN_DIFFERENCES) if summary.comparison else (),
        map(Line, summary.notes),
        screen.render(summary, width),
    )
    lines: list[Line] = []
    for block in blocks:
        block_lines = list(block)
        if block_lines and lines:
            lines.append(Line())
        lines += block_lines
    return lines


def theme(requirement: str) -> str:
    """Return the theme of a requirement, by its name: ``events.user_prompt``, ``transport``."""
    first, *rest = requirement.split(".")
    return f"{first}.{rest[0]}" if first in _WIDE and len(rest) > 1 else first


def _head(summary: Summary) -> Iterator[Line]:
    header = summary.header
    yield from _subject(header)
    for label, document in zip(["contract", *[""] * 99], header.documents, strict=False):
        yield Line(f"{label:<10} {document}")
    exports = ", ".join(f"{protocol} {number}" for protocol, number in header.exports.items())
    ran = "subjects ran" if header.job == CLAUDE else "runs took"
    took = f" · {ran} {header.recording_s:.1f} s" if header.recording_s else ""
    yield Line(f"exports    {exports or 'none'}{took} · {header.wall_s:.1f} s in all")
    if header.critical_run:
        yield Line(f"runs       {len(header.runs)}, the longest: {header.critical_run}")
    if header.fuzz is not None:
        fuzz = header.fuzz
        yield Line(
            f"fuzz       {fuzz.sessions} sessions with drawn input in {fuzz.seconds:.1f} s "
            f"({fuzz.per_second:.1f} a second) · profile {fuzz.profile} · "
            f"--hypothesis-seed={fuzz.seed}"
        )
    if header.ratio is not None:
        yield Line(
            f"ratio      {header.ratio:.2f}: {header.wall_s:.1f} s in all, of which "
            f"{header.unavoidable_s:.1f} s are the longest unavoidable wait"
        )
    numbers = counts(summary.rows)
    words = [f"{number} {verdict}" for verdict, number in numbers.items() if number]
    yield Line(f"verdicts   {' · '.join(words) or 'none'}", Style.TITLE)


def _subject(header: Header) -> Iterator[Line]:
    """Name what was judged: a release of the CLI, or a collector and what was sent to it."""
    subject, relay = header.subject, header.relay
    if header.job == CLAUDE:
        named = dict.fromkeys((subject.spec, f"claude {subject.version}", subject.path))
        yield Line(f"subject    {' · '.join(named)}")
        return
    config = f" · configuration {relay.config}" if relay and relay.config else ""
    yield Line(f"collector  {subject.spec}{config}")
    if relay is None:
        return
    for label, sent in zip(["sent", *[""] * 99], relay.sent, strict=False):
        sessions = f"{sent.sessions} session{'s' * (sent.sessions != 1)}"
        yield Line(f"{label:<10} {sessions} of claude {sent.release}, {sent.origin}")
    yield Line(f"seen at    {', '.join(relay.outlets) or 'no place: the receiving side only'}")
    if relay.changes:
        yield Line(f"declared   {relay.changes}")


def _problem(summary: Summary) -> Iterator[Line]:
    for text in summary.problem.splitlines():
        yield Line(text, Style.BAD)


def _themes(rows: Sequence[Row]) -> Iterator[Line]:
    used = [verdict for verdict, number in counts(rows).items() if number]
    groups = {name: members for name, members in grouped(rows).items() if not _silent(members)}
    if not groups:
        return
    width = max(len("theme"), *map(len, groups))
    yield Line("  ".join(["theme".ljust(width), *used]))
    for name, members in groups.items():
        numbers = counts(members)
        cells = [
            (str(numbers[verdict]) if numbers[verdict] else "·").rjust(len(verdict))
            for verdict in used
        ]
        style = Style.BAD if any(map(fails_the_run, members)) else Style.PLAIN
        yield Line("  ".join([name.ljust(width), *cells]), style)


def grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Group rows by theme; small themes join the group of their first word."""
    fine: dict[str, list[Row]] = {}
    for row in rows:
        fine.setdefault(theme(row.requirement), []).append(row)
    groups: dict[str, list[Row]] = {}
    for name, members in fine.items():
        wide = name.partition(".")[0]
        groups.setdefault(name if len(members) >= _OWN_LINE else wide, []).extend(members)
    first = list(dict.fromkeys(name.partition(".")[0] for name in groups))
    ordered = sorted(groups, key=lambda name: first.index(name.partition(".")[0]))
    return {name: groups[name] for name in ordered}


def _silent(rows: Sequence[Row]) -> bool:
    return all(row.verdict in (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE) for row in rows)


def _warned(summary: Summary) -> Iterator[Line]:
    rows = [row for row in summary.rows if row.verdict is Verdict.FAIL and not fails_the_run(row)]
    if not rows:
        return
    yield Line(f"not as it SHOULD be, without failing the run ({len(rows)})", Style.CARE)
    for row in rows:
        finding = row.findings[0]
        yield Line(f"  {row.requirement} [{row.level}]", Style.CARE)
        yield Line(f"    expected {finding.expected}, seen {finding.seen}, at {finding.where}")


def _known(rows: Sequence[Row]) -> Iterator[Line]:
    known = [row for row in rows if row.verdict is Verdict.KNOWN]
    if not known:
        return
    yield Line(f"known deviations, listed and seen again ({len(known)})", Style.CARE)
    for reason, members in _by_reason(known).items():
        yield Line(f"  {reason}")
        for row in members:
            listed = f" (listed in {row.listed_in})" if row.listed_in else ""
            yield Line(f"    {row.requirement}{listed}")


def _good_news(rows: Sequence[Row]) -> Iterator[Line]:
    gone = [row for row in rows if row.verdict is Verdict.PASS and row.news]
    if gone:
        yield Line(f"good news: deviations that are gone in this release ({len(gone)})", Style.GOOD)
    for row in gone:
        yield Line(f"  {row.requirement}")
        yield Line(f"    {row.news}")


def _entries(summary: Summary) -> Iterator[Line]:
    """Tell what became of somebody's own list; what is as listed is told above."""
    if not summary.listing:
        return
    numbers = Counter(each.state for each in summary.entries)
    told = " · ".join(f"{numbers[state]} {state}" for state in EntryState if numbers[state])
    yield Line(f"{summary.listing}: {told or 'no requirement is listed'}")
    for each in summary.entries:
        if each.state is not EntryState.SEEN:
            yield Line(f"  {each.state}: {each.name} ({each.why})", _ENTRY_STYLES[each.state])


def _idle(rows: Sequence[Row]) -> Iterator[Line]:
    idle = [row for row in rows if row.verdict is Verdict.NOT_EXERCISED]
    if idle:
        yield Line(f"not exercised ({len(idle)})")
    for reason, members in sorted(_by_reason(idle).items(), key=lambda group: -len(group[1])):
        yield Line(f"  {len(members):>4}  {reason}")
    other = sum(row.verdict is Verdict.NOT_APPLICABLE for row in rows)
    if other:
        yield Line(f"not applicable ({other}): promised for other versions only")


def _by_reason(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.reason, []).append(row)
    return groups


def _failures(summary: Summary) -> Iterator[Line]:
    failing = [row for row in summary.rows if fails_the_run(row)]
    if not failing:
        return
    yield Line(f"failures ({len(failing)})", Style.BAD)
    # One fault of the harness, or a subject that cannot be used, is an error of everything.
    alike = Counter(row.reason for row in failing if row.verdict is Verdict.ERROR)
    told = [row for row in failing if row.verdict is not Verdict.ERROR or alike[row.reason] == 1]
    told += {row.reason: row for row in reversed(failing) if alike[row.reason] > 1}.values()
    for row in told[: summary.shown]:
        yield Line(f"  {row.verdict.upper()} {row.requirement}", _STYLES[row.verdict])
        for text in failure(row, summary.rerun(row), shown=1):
            yield Line(f"    {text}")
        if alike[row.reason] > 1:
            yield Line(f"    and {alike[row.reason] - 1} more for the same reason")
    if len(told) > summary.shown:
        yield Line(f"  and {len(told) - summary.shown} more, each shown above")
