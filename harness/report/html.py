"""Render a record as one HTML page that needs nothing but itself, whatever its age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from ..contract.impacts import meaning
from ..findings import Impact, Level, Verdict
from ..judging.verdicts import Row
from ..record.header import CLAUDE
from ..record.run_record import RunRecord
from . import drift, newer
from .power import by_doubt
from .rerun import rerun
from .screen import answer, broken_rows, impact, listed_rows, losses
from .summary import Summary
from .templates import template
from .terminal import grouped
from .timeline import chart

FILE_NAME = "index.html"

#: Kinds of losses, and findings of one promise, that are shown.
_LOSSES, _FINDINGS = 6, 10


def page(record: RunRecord) -> str:
    """Return the whole page of a record."""
    header, rows = record.header, record.rows
    summary = _summary(record)
    told, style = answer(summary)
    recording = record.recording
    version = f" (claude {header.subject.version})" if header.job == CLAUDE else ""
    return template("report.html.jinja").render(
        title=header.subject.spec + version,
        answer=told[:1].upper() + told[1:],
        style=style,
        newer=newer.told(listed_rows(rows), header),
        why=record.footer.why if record.footer and record.footer.failed else "",
        problem=summary.problem.splitlines(),
        header=header,
        impacts=list(_impacts(rows)),
        groups=[
            {
                "title": "Broken promises, the worst first",
                "style": "bad",
                "losses": losses(broken_rows(rows), lambda row: row.statement),
            },
            {
                "title": "Listed deviations, the worst first",
                "style": "care",
                "losses": losses(listed_rows(rows), lambda row: row.reason),
            },
        ],
        shown_losses=_LOSSES,
        shown_findings=_FINDINGS,
        idle=_idle(rows),
        changed=drift.summary(record.comparison) if record.comparison else "",
        power=record.power,
        doubts=by_doubt(record.power) if record.power else {},
        choices=_choices(rows),
        themes=grouped(rows),
        impact=impact,
        scenarios_of=_scenarios_of,
        rerun=summary.rerun,
        runs=[
            {**asdict(run), "chart": chart(run.moments)}
            for run in (recording.runs if recording else ())
        ],
        by_hand=list(_by_hand(rows)),
        environment=list(_environment(record)),
    )


def _summary(record: RunRecord) -> Summary:
    recording = record.recording
    options = record.plan.options or (f"--cc-binary={record.header.subject.spec}",)
    return Summary(
        record.header,
        record.rows,
        len(record.rows) if record.footer else len(record.rows) + 1,
        _rerun(options, record),
        recording.problem if recording else "",
        len(recording.undriven) if recording else 0,
        comparison=record.comparison,
        ended=record.footer.why if record.footer and _only_ended(record) else "",
    )


def _only_ended(record: RunRecord) -> bool:
    """Say whether the run failed for a reason that neither its rows nor its runs tell."""
    return bool(record.footer and record.footer.failed) and not any(
        row.verdict in (Verdict.FAIL, Verdict.FIXED, Verdict.ERROR) for row in record.rows
    )


def _rerun(options: Sequence[str], record: RunRecord) -> Callable[[Row], str]:
    return lambda row: rerun(options, row, record.header.fuzz)


def _impacts(rows: Sequence[Row]) -> Iterator[dict[str, object]]:
    broken, listed = (Counter(map(impact, of)) for of in (broken_rows(rows), listed_rows(rows)))
    for each in Impact:
        if broken[each] or listed[each]:
            yield {
                "impact": each.value,
                "broken": broken[each],
                "listed": listed[each],
                "means": meaning(each),
            }


def _idle(rows: Sequence[Row]) -> list[tuple[str, int]]:
    idle = (row.reason for row in rows if row.verdict is Verdict.NOT_EXERCISED)
    return Counter(idle).most_common()


def _choices(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the filters, each with what there is to choose from."""
    verdicts = {row.verdict for row in rows}
    impacts = {impact(row) for row in rows}
    levels = {row.level for row in rows}
    return {
        "verdict": [each.value for each in Verdict if each in verdicts],
        "impact": [each.value for each in Impact if each in impacts],
        "level": [each.value for each in Level if each in levels],
        "protocol": sorted({protocol for row in rows for protocol in row.by_protocol}),
        "scenario": sorted({name for row in rows for name in _scenarios_of(row)}),
    }


def _scenarios_of(row: Row) -> list[str]:
    return sorted({run.scenario for finding in row.findings for run in finding.runs})


def _by_hand(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        lines = dict.fromkeys(finding.by_hand for finding in row.findings if finding.by_hand)
        yield from ((row.requirement, line) for line in [*lines][:3])


def _environment(record: RunRecord) -> Iterator[tuple[str, str]]:
    header, plan = record.header, record.plan
    yield "subject", f"{header.subject.spec}, {header.subject.path}"
    for document in header.documents:
        yield "contract", document
    exports = ", ".join(f"{name} {number}" for name, number in header.exports.items())
    yield "exports", exports or "none"
    yield "took", f"{header.wall_s:.1f} s, of which subjects ran {header.recording_s:.1f} s"
    machine = header.machine
    yield "machine", f"{machine.os} {machine.arch}, Python {machine.python}"
    yield "tool", f"pytest-cc-otel {header.tool}"
    if header.versions:
        versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
        yield "libraries", versions
    yield "options", " ".join(plan.options) or "none"
    yield "planned runs", str(len(plan.runs))
    if record.recording is not None:
        for note in record.recording.notes:
            label, _, text = note.partition(" ")
            yield label, text.strip()
