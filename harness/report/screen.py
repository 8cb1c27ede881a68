"""Render what a reader decides by, as one screen: what people lose, the worst of it, what to do."""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..contract.impacts import impact_of
from ..errors import printable
from ..findings import Impact, Level, Verdict
from ..judging.entries import EntryState
from ..judging.power import Power
from ..judging.verdicts import Row, exercised, fails_the_run
from ..record.header import CLAUDE
from . import drift, newer
from .line import Line, Style
from .power import by_doubt
from .summary import Summary

#: The narrowest terminal for which no line is too long; only a path may be.
NARROWEST = 80

#: Deviations, and reasons why something was not exercised, that are told.
_WORST, _REASONS = 3, 3

#: Impacts that somebody who decides about a roll-out wants to know of.
_GRAVE = (Impact.PRIVACY, Impact.LOSS, Impact.NUMBERS, Impact.SETUP)

#: Where more than one of so many was not exercised, the answer says so.
_MANY_IDLE = 20

#: Lines of what went wrong in runs: much of it only where that is all there is to say.
_MUCH, _LITTLE = 14, 4

_LABEL = 11


@dataclass(frozen=True, slots=True)
class Loss:
    """What people lose in one way: the rows that say the same of it, the first one for all."""

    impact: Impact
    sentence: str
    rows: tuple[Row, ...]


def render(summary: Summary, width: int = NARROWEST) -> list[Line]:
    """Render the screen, without a title, for a terminal that is so wide."""
    screen = _Screen(summary, max(width, NARROWEST))
    lines: list[Line] = []
    for block in (
        screen.head(),
        screen.problem(),
        screen.counts(),
        screen.broken(),
        screen.listed(),
        [*screen.rest(), *screen.end()],
    ):
        told = list(block)
        if told and lines:
            lines.append(Line())
        lines += told
    return lines


def impact(row: Row) -> Impact:
    """Return the impact of a row; records of before do not say it, but its name does."""
    return row.impact or impact_of(row.requirement)


def losses(rows: Iterable[Row], sentence: Callable[[Row], str]) -> list[Loss]:
    """Group rows by what is said of them, the worst group first."""
    groups: dict[tuple[Impact, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((impact(row), sentence(row)), []).append(row)
    order, levels = list(Impact), list(Level)
    found = [Loss(what, text, tuple(members)) for (what, text), members in groups.items()]
    return sorted(
        found,
        key=lambda loss: (
            order.index(loss.impact),
            -len(loss.rows),
            min(levels.index(row.level) for row in loss.rows),
        ),
    )


def broken_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of promises that are broken, and that no list excuses."""
    return [
        row
        for row in rows
        if row.verdict is Verdict.FAIL or (row.verdict is Verdict.KNOWN and fails_the_run(row))
    ]


def listed_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of deviations that are listed and excused."""
    return [row for row in rows if row.verdict is Verdict.KNOWN and not fails_the_run(row)]


def answer(summary: Summary) -> tuple[str, Style]:
    """Return the answer to the question whether the subject keeps its promises."""
    rows = summary.rows
    judged = sum(map(exercised, rows))
    if len(rows) < summary.selected:
        return "not known: the run was broken off", Style.BAD
    if not judged:
        return "not known: nothing was exercised", Style.BAD
    broken, listed = broken_rows(rows), listed_rows(rows)
    grave = [row for row in broken if fails_the_run(row)]
    if grave:
        beside = f", beside {len(listed)} listed deviations" if listed else ""
        return f"BROKEN: {len(grave)} of {judged} promises{beside}: {_which(grave)}", Style.BAD
    if summary.decision.failed:
        return _failed(summary, judged), Style.BAD
    deviating = broken + listed
    if not deviating:
        return f"keeps its promises: all {judged} that were exercised", Style.GOOD
    return (
        f"keeps its promises but for {len(deviating)} of {judged}: {_which(deviating)}",
        Style.CARE,
    )


def _failed(summary: Summary, judged: int) -> str:
    """Answer for a run that failed, although no promise is broken that fails it."""
    compared = summary.comparison is not None and summary.comparison.failure
    if summary.undriven or summary.ended or compared:
        return f"BROKEN: {summary.decision.why}"
    errors = sum(row.verdict is Verdict.ERROR for row in summary.rows)
    if errors:
        return (
            f"not known for {errors} of {judged + errors} promises, which could not be judged; of "
            "the others no MUST is broken that is not listed"
        )
    gone = sum(row.verdict is Verdict.FIXED for row in summary.rows)
    return f"better than is listed: {gone} deviations are gone, and the list is to be mended"


def _which(rows: Sequence[Row]) -> str:
    """Name the worst impacts of these rows."""
    found = {impact(row) for row in rows}
    named = [each.value for each in Impact if each in found]
    if len(named) > _WORST:
        named[_WORST:] = ["…"]
    return ", ".join(named)


class _Screen:
    """The blocks of the screen, fitted to a width."""

    def __init__(self, summary: Summary, width: int) -> None:
        self._summary = summary
        self._width = width
        self._broken = broken_rows(summary.rows)
        self._listed = listed_rows(summary.rows)
        # Where there is much to say, each thing is said in fewer lines.
        self._tight = bool(self._broken and self._listed)

    def head(self) -> Iterator[Line]:
        header = self._summary.header
        if header.job == CLAUDE:
            named = dict.fromkeys((header.subject.spec, f"claude {header.subject.version}"))
            yield from self._told("subject", " · ".join(named), most=2)
        else:
            yield from self._told("collector", header.subject.spec, most=2)
        text, style = answer(self._summary)
        idle = sum(row.verdict is Verdict.NOT_EXERCISED for row in self._summary.rows)
        judged = sum(map(exercised, self._summary.rows))
        if idle * _MANY_IDLE > judged > 0:
            text += f" ({idle} more were not exercised)"
        yield from self._told("answer", text, style=style, most=3)

    def problem(self) -> Iterator[Line]:
        lines = self._summary.problem.splitlines()
        judged = any(map(exercised, self._summary.rows))
        most = _LITTLE // (1 + self._tight) if judged else _MUCH
        for text in lines[:most]:
            yield from self._wrapped(text, style=Style.BAD, most=2)
        if len(lines) > most:
            yield Line(f"… and {len(lines) - most} more lines: -v, or the report", Style.BAD)

    def counts(self) -> Iterator[Line]:
        broken, listed = (Counter(map(impact, rows)) for rows in (self._broken, self._listed))
        if not broken and not listed:
            return
        yield Line("what people lose   broken   listed, seen again", Style.TITLE)
        for each in Impact:
            if broken[each] or listed[each]:
                style = Style.BAD if broken[each] else Style.PLAIN
                numbers = [str(count[each] or "·") for count in (broken, listed)]
                yield Line(f"  {each:<15}  {numbers[0]:>6}   {numbers[1]:>6}", style)

    def broken(self) -> Iterator[Line]:
        found = losses(self._broken, lambda row: row.statement)
        yield from self._worst("broken promises", found, Style.BAD)

    def listed(self) -> Iterator[Line]:
        found = losses(self._listed, lambda row: row.reason)
        yield from self._worst("listed deviations", found, Style.CARE)

    def _worst(self, title: str, found: Sequence[Loss], style: Style) -> Iterator[Line]:
        if not found:
            return
        shown = self._chosen(found)
        number = sum(len(loss.rows) for loss in found)
        which = f", the worst of {len(found)} kinds" if len(found) > len(shown) else ""
        yield Line(f"{title} ({number}){which}", style)
        lines = 1 if self._tight and found[0].rows[0] in self._listed else 2
        for loss in shown:
            first = loss.rows[0]
            more = f" ({len(loss.rows)} promises)" if len(loss.rows) > 1 else ""
            yield from self._wrapped(
                f"{loss.impact}: {loss.sentence}{more}", "  ", "    ", most=lines, keep=more
            )
            if first.verdict is Verdict.FAIL and first.findings:
                seen = first.findings[0]
                told = f"{seen.seen}; expected {seen.expected}"
                yield from self._wrapped(f"seen  {told}", "    ", " " * 10)
            if first.advice:
                most = 1 if self._broken else 2
                yield from self._wrapped(f"do    {first.advice}", "    ", " " * 10, most=most)

    def _chosen(self, found: Sequence[Loss]) -> list[Loss]:
        """Choose what is shown: the worst, and of each further grave impact one if there is room.

        ``found`` begins with the worst.
        """
        shown = [*found[:_WORST]]
        for each in () if self._broken else _GRAVE:
            if all(loss.impact is not each for loss in shown):
                shown += [loss for loss in found if loss.impact is each][:1]
        return shown

    def rest(self) -> Iterator[Line]:
        summary, rows = self._summary, self._summary.rows
        mended = newer.told(self._listed, summary.header)
        if mended:
            yield from self._told("newer", mended, most=2)
        news = [row for row in rows if row.verdict is Verdict.PASS and row.news]
        if news:
            yield from self._told("good news", f"{len(news)} deviations are gone", Style.GOOD)
        gone = [row.requirement for row in rows if row.verdict is Verdict.FIXED]
        if gone:
            text = f"{len(gone)} listed, but not seen again; mend the list: {', '.join(gone)}"
            yield from self._told("gone", text, Style.BAD)
        for reason, number in _reasons(rows, Verdict.ERROR)[:1]:
            yield from self._told("error", f"{number} not judged: {reason}", Style.BAD)
        yield from self._not_seen()
        yield from self._own_list()
        if summary.comparison is not None:
            yield from self._told("changed", drift.summary(summary.comparison), most=2)
        if summary.power is not None:
            yield from self._power(summary.power)

    def _not_seen(self) -> Iterator[Line]:
        """Tell what was not put to the test: what people would lose by it, and why it was not."""
        rows = [row for row in self._summary.rows if row.verdict is Verdict.NOT_EXERCISED]
        idle = _reasons(rows, Verdict.NOT_EXERCISED)
        told = 1 if self._tight else _REASONS
        label = "not seen"
        if len(idle) > 1 and not self._tight:
            counts = Counter(map(impact, rows))
            named = ", ".join(f"{each} {counts[each]}" for each in Impact if counts[each])
            yield from self._told(label, f"{len(rows)} promises: {named}", most=2)
            label = ""
        for reason, number in idle[:told]:
            yield from self._told(label, f"{number} not exercised: {reason}")
            label = ""
        if len(idle) > told:
            others = sum(number for _, number in idle[told:])
            yield from self._told("", f"{others} not exercised for {len(idle) - told} more reasons")

    def _power(self, power: Power) -> Iterator[Line]:
        doubts = [f"{len(names)}: {doubt}" for doubt, names in by_doubt(power).items()]
        style = Style.BAD if power.blind else Style.PLAIN
        text = "; but ".join(filter(None, (power.told, "; ".join(doubts))))
        yield from self._told("power", text, style, 2)
        if power.blind:
            yield from self._told("", f"missed: {', '.join(power.blind)}", style, 2)

    def _own_list(self) -> Iterator[Line]:
        summary = self._summary
        if not summary.listing:
            return
        numbers = Counter(each.state for each in summary.entries)
        told = " · ".join(f"{numbers[state]} {state}" for state in EntryState if numbers[state])
        text = f"{summary.listing}: {told or 'no requirement is listed'}"
        over = (EntryState.EXPIRED, EntryState.GONE)
        style = Style.CARE if any(numbers[state] for state in over) else Style.PLAIN
        yield from self._told("your list", text, style, most=2)

    def end(self) -> Iterator[Line]:
        summary, header = self._summary, self._summary.header
        exports = sum(header.exports.values())
        drawn = f", {header.fuzz.sessions} with drawn input" if header.fuzz else ""
        text = f"{len(header.runs)} runs{drawn}, {exports} exports, {header.wall_s:.0f} s in all"
        yield from self._told("made of", text)
        for note in summary.written:
            # A path stays in one piece, so that it can be copied.
            yield Line(note)
        if not summary.written:
            yield from self._told("report", "-v shows all of it; --cc-report=DIR writes it")
        yield from ending(summary, self._width)

    def _told(
        self, label: str, text: str, style: Style = Style.PLAIN, most: int = 1
    ) -> Iterator[Line]:
        yield from self._wrapped(
            f"{label:<{_LABEL - 1}} {text}", "", " " * _LABEL, style=style, most=most
        )

    def _wrapped(
        self,
        text: str,
        first: str = "",
        others: str = "",
        *,
        style: Style = Style.PLAIN,
        most: int = 1,
        keep: str = "",
    ) -> Iterator[Line]:
        """Yield the text as so many lines at most; what is cut off says so, ``keep`` is its end."""
        lines = fitted(text, self._width, first, others, most)
        if keep and not lines[-1].endswith(keep):
            cut = fitted(text.removesuffix(keep), self._width - len(keep), first, others, most)
            lines = [*cut[:-1], cut[-1] + keep]
        yield from (Line(line, style) for line in lines)


def ending(summary: Summary, width: int = 10_000) -> Iterator[Line]:
    """Yield the last line, which says whether the run as a whole has failed, and why."""
    if len(summary.rows) < summary.selected:
        yield Line(
            f"broken off: {len(summary.rows)} of {summary.selected} requirements were judged",
            Style.BAD,
        )
        return
    decided = summary.decision
    deviates = any(row.verdict in (Verdict.FAIL, Verdict.KNOWN) for row in summary.rows)
    if decided.failed:
        text, style = f"FAILED: {decided.why}", Style.BAD
    elif deviates:
        text, style = f"OK: {decided.why}", Style.GOOD
    else:
        text, style = "OK: no deviation was seen", Style.GOOD
    yield from (Line(line, style) for line in fitted(text, width, "", "        ", 4))


def fitted(text: str, width: int, first: str, others: str, most: int) -> list[str]:
    """Break a text into so many lines at most, none of them wider than ``width`` columns."""
    return textwrap.wrap(
        _narrow(printable(text)),
        width,
        initial_indent=first,
        subsequent_indent=others,
        max_lines=most,
        placeholder=" …",
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    ) or [""]


def _narrow(text: str) -> str:
    """Escape what takes another number of columns than one, so that widths can be counted."""
    if text.isascii():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if _columns(char) != 1 else char for char in text
    )


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _reasons(rows: Sequence[Row], verdict: Verdict) -> list[tuple[str, int]]:
    return Counter(row.reason for row in rows if row.verdict is verdict).most_common()
