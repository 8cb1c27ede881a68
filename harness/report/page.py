"""Render the summary of a run as a Markdown page, for a pull request or a job's summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from html import escape

from ..findings import Verdict
from ..judging.entries import EntryState
from ..judging.verdicts import Row, counts, fails_the_run
from ..record.header import CLAUDE
from . import drift, power
from .failure import failure
from .summary import Summary
from .terminal import SHOWN_DIFFERENCES

FILE_NAME = "summary.md"

#: Failures that are shown; GitHub takes a page of a megabyte at most.
_SHOWN = 50


def page(summary: Summary) -> str:
    """Render the whole page: the decision first, then what made it, then what else is to know."""
    rows = summary.rows
    blocks: Sequence[Iterator[str]] = (
        _head(summary),
        _problem(summary),
        _failures(summary),
        _told("Good news: deviations that are gone in this release", rows, _is_good_news, _news),
        _told("Not as it SHOULD be, without failing the run", rows, _is_warned, _first_finding),
        _differences(summary),
        _power(summary),
        _entries(summary),
        _told("Known deviations, seen again", rows, _is_known, _reason, folded=True),
        _notes(summary),
    )
    lines = (line for block in blocks for line in block)
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(summary: Summary) -> Iterator[str]:
    header = summary.header
    version = f" (claude {header.subject.version})" if header.job == CLAUDE else ""
    yield f"# Telemetry of {_text(header.subject.spec)}{version}"
    yield ""
    decided = summary.decision
    if len(summary.rows) < summary.selected:
        yield f"**Broken off**: {len(summary.rows)} of {summary.selected} requirements were judged."
    else:
        yield f"**{'FAILED' if decided.failed else 'OK'}**: {_text(decided.why)}."
    yield ""
    numbers = [(verdict, number) for verdict, number in counts(summary.rows).items() if number]
    yield f"| {' | '.join(verdict for verdict, _ in numbers)} |"
    yield "|" + " --- |" * len(numbers)
    yield f"| {' | '.join(str(number) for _, number in numbers)} |"
    yield ""


def _problem(summary: Summary) -> Iterator[str]:
    if summary.problem:
        yield from _fenced(summary.problem.splitlines())


def _failures(summary: Summary) -> Iterator[str]:
    failing = [row for row in summary.rows if fails_the_run(row)]
    if not failing:
        return
    yield f"## Failures ({len(failing)})"
    yield ""
    for row in failing[:_SHOWN]:
        new = " (new in this release)" if row.news.startswith("new ") else ""
        yield f"### {row.verdict.upper()} `{row.requirement}`{new}"
        yield ""
        yield from _fenced(failure(row, summary.rerun(row), shown=1))
    if len(failing) > _SHOWN:
        yield f"And {len(failing) - _SHOWN} more: the record holds all."
        yield ""


def _told(
    title: str,
    rows: Sequence[Row],
    which: Callable[[Row], bool],
    what: Callable[[Row], str],
    *,
    folded: bool = False,
) -> Iterator[str]:
    """Yield a section with a line for each of these rows; nothing if there are none."""
    told = [row for row in rows if which(row)]
    if not told:
        return
    title = f"{title} ({len(told)})"
    yield from (f"<details><summary>{title}</summary>", "") if folded else (f"## {title}", "")
    yield from (f"* `{row.requirement}`: {_text(what(row))}" for row in told)
    yield ""
    if folded:
        yield from ("</details>", "")


def _differences(summary: Summary) -> Iterator[str]:
    """Yield what differs from another release, with what is shown of it in the terminal."""
    if summary.comparison is None:
        return
    yield "## Differences from the baseline"
    yield ""
    yield from _fenced([line.text for line in drift.lines(summary.comparison, SHOWN_DIFFERENCES)])


def _power(summary: Summary) -> Iterator[str]:
    if summary.power is None:
        return
    yield "## Power: lies about this run"
    yield ""
    yield f"{summary.power.told[:1].upper()}{summary.power.told[1:]}."
    yield ""
    for doubt, members in power.by_doubt(summary.power).items():
        yield f"* {doubt} ({len(members)}):"
        yield from (f"  * `{each.requirement}`: {_text(each.reason)}" for each in members)
    if summary.power.exceptions:
        yield ""


def _entries(summary: Summary) -> Iterator[str]:
    if not summary.listing:
        return
    numbers = Counter(each.state for each in summary.entries)
    told = ", ".join(f"{numbers[state]} {state}" for state in EntryState if numbers[state])
    yield f"## {_text(summary.listing)}"
    yield ""
    yield f"{told or 'No requirement is listed'}."
    yield ""
    others = [each for each in summary.entries if each.state is not EntryState.SEEN]
    yield from (f"* {each.state}: `{each.name}` ({_text(each.why)})" for each in others)
    if others:
        yield ""


def _notes(summary: Summary) -> Iterator[str]:
    notes = [*summary.notes, *summary.written]
    if notes:
        yield from _fenced(notes)


def _is_good_news(row: Row) -> bool:
    return row.verdict is Verdict.PASS and bool(row.news)


def _is_warned(row: Row) -> bool:
    return row.verdict is Verdict.FAIL and not fails_the_run(row)


def _is_known(row: Row) -> bool:
    return row.verdict is Verdict.KNOWN


def _news(row: Row) -> str:
    return row.news


def _reason(row: Row) -> str:
    return row.reason + (f" (listed in {row.listed_in})" if row.listed_in else "")


def _first_finding(row: Row) -> str:
    finding = row.findings[0]
    return f"expected {finding.expected}, seen {finding.seen}, at {finding.where}"


def _text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    shown = escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{each}" if each in "\\`*_[]|#" else each for each in shown)


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines as a block of code, whatever they hold."""
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    yield from (f"{fence}text", text, fence, "")
