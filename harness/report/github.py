"""Render the end of a run as GitHub shows it: annotations, and the summary of a job's step."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import printable
from ..judging.verdicts import fails_the_run
from .page import page
from .screen import Loss, broken_rows, losses
from .summary import Summary

#: Annotations of one kind that GitHub shows of a step: of more, it keeps the first in silence.
MOST = 10

#: GitHub drops the summary of a step as a whole if it is longer than 1 MiB.
_LONGEST = 1_000_000

#: Characters of an annotation that are told: nobody reads more, and GitHub shows less.
_MUCH = 4_000

_CUT = "\n\nThe rest is cut off: `--cc-report=DIR` writes all of it.\n"


def commands(summary: Summary) -> list[str]:
    """Return workflow commands, the worst first: what failed, then what only warns.

    What is said of several promises is one annotation; the last one tells how many are left out.
    """
    told = [*_whole(summary), *_broken(summary)]
    if len(told) > MOST:
        left = len(told) - (MOST - 1)
        more = _command("notice", "and more", f"{left} more are in the summary of this step.")
        told[MOST - 1 :] = [more]
    return told


def step_summary(summary: Summary) -> str:
    """Return what is appended to the file that ``GITHUB_STEP_SUMMARY`` names."""
    text = page(summary)
    # A path may have bytes that are no UTF-8.
    body = text.encode("utf-8", "backslashreplace")
    if len(body) <= _LONGEST:
        return body.decode()
    whole = body[: _LONGEST - len(_CUT)].rpartition(b"\n")[0].decode(errors="ignore")
    return f"{whole}\n{_open_fence(whole)}{_CUT}"


def _open_fence(text: str) -> str:
    """Return the fence of the block of code in which the text ends; empty if it does in none."""
    fence = ""
    for line in text.splitlines():
        if not fence and line.startswith("```"):
            fence = line.removesuffix("text")
        elif line == fence:
            fence = ""
    return fence


def _whole(summary: Summary) -> Iterator[str]:
    """Yield what is wrong with the run as a whole, if something is."""
    broken_off = len(summary.rows) < summary.selected
    if broken_off:
        why = f"The run was broken off: {len(summary.rows)} of {summary.selected} were judged."
    else:
        why = f"{summary.decision.why}."
    if broken_off or summary.decision.failed:
        title = f"Telemetry of {summary.header.subject.spec}"
        yield _command("error", title, "\n".join(filter(None, (why, summary.problem))))


def _broken(summary: Summary) -> Iterator[str]:
    rows = broken_rows(summary.rows)
    failing = [row for row in rows if fails_the_run(row)]
    others = [row for row in rows if not fails_the_run(row)]
    for kind, some in (("error", failing), ("warning", others)):
        for loss in losses(some, lambda row: row.statement):
            yield _command(kind, f"{loss.impact}: {loss.rows[0].requirement}", _text(loss, summary))


def _text(loss: Loss, summary: Summary) -> str:
    first = loss.rows[0]
    lines = [loss.sentence]
    if len(loss.rows) > 1:
        lines.append(f"Also: {', '.join(row.requirement for row in loss.rows[1:])}")
    for finding in first.findings[:1]:
        lines += [f"expected {finding.expected}", f"seen {finding.seen}", f"at {finding.where}"]
    lines += [first.reason, first.advice, first.url, summary.rerun(first)]
    return "\n".join(filter(None, lines))


def _command(kind: str, title: str, text: str) -> str:
    """Return a workflow command on one line, whatever its title and text hold."""
    named = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={named}::{_escaped(text[:_MUCH])}"


def _escaped(text: str) -> str:
    safe = printable(text).replace("%", "%25")
    return safe.replace("\r", "%0D").replace("\n", "%0A")
