"""Decide the verdict of each requirement, and which verdicts fail the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..contract.catalogue import Contract
from ..contract.requirement import Requirement
from ..contract.versions import Version
from ..findings import Finding, Impact, Judged, Level, NotExercised, Outcome, Verdict
from ..otlp.model import Protocol
from .expectations import Expectation, Expectations
from .judge import Judgement
from .listing import PACKAGED


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one requirement, as it is reported.

    ``reason`` explains every verdict but ``pass`` and ``fail``; ``looked_at`` is the number of
    things judged; ``by_protocol`` holds the outcome over each protocol (``pass``, ``fail`` or
    ``not exercised``), before listed deviations are considered; ``url`` leads to ``source`` and
    is empty for what this project measured itself. ``silent``: it fails only because no run
    exercised what such runs always do. ``listed_in`` is the list that names the deviation, if it is
    not ours. ``news`` says what changed about it: a listed deviation that is gone on a release
    newer than the list, a failure that is new, an entry that has expired. ``impact`` is what
    people lose where the promise is broken (None: nobody noted it), ``advice`` what to do about
    it. ``asked``: by its impact it fails the run, whatever its level, and although we list it.
    """

    requirement: str
    level: Level
    verdict: Verdict
    statement: str
    source: str
    reason: str = ""
    evidence: str = ""
    looked_at: int = 0
    findings: tuple[Finding, ...] = ()
    by_protocol: Mapping[Protocol, Verdict] = field(default_factory=dict)
    url: str = ""
    silent: bool = False
    listed_in: str = ""
    news: str = ""
    impact: Impact | None = None
    advice: str = ""
    asked: bool = False


def decide(
    contract: Contract,
    requirement: Requirement,
    judgement: Judgement | None,
    expectations: Expectations,
    *,
    whole: bool = True,
) -> Row:
    """Decide the verdict on a requirement by its judgement and the listed deviations.

    ``judgement`` may be None only for a requirement that does not apply to the version. What fell
    silent (:mod:`harness.judging.silence`) fails, whatever else was seen. ``whole``
    says that every run that the requirement applies to was made, so that a listed deviation must
    have shown itself.
    """
    if not contract.applies(requirement):
        return _row(
            requirement,
            Verdict.NOT_APPLICABLE,
            reason=f"holds {requirement.versions}; the subject is {contract.version}",
        )
    if judgement is None:
        raise ValueError(f"{requirement.name} applies to {contract.version} but was not judged")
    listed = expectations.get(requirement.name)
    if judgement.silenced:
        row = _fallen_silent(requirement, judgement, listed)
    elif isinstance(judgement.outcome, NotExercised):
        must_show = whole and listed is not None and listed.speaks_for(contract.version)
        row = _unseen(requirement, judgement, listed, must_show)
    else:
        row = _seen(requirement, judgement, listed, contract.version, whole)
    if row.verdict is Verdict.FAIL and (over := expectations.expired(requirement.name)):
        news = f"accepted until {over.expires} by {over.listed_in}: {over.reason}"
        row = replace(row, news=news)
    if row.verdict is Verdict.KNOWN and listed is not None and listed.advice:
        row = replace(row, advice=listed.advice)
    if not row.evidence or listed is None or listed.listed_in == PACKAGED:
        return row
    return replace(row, listed_in=listed.listed_in)


def _seen(
    requirement: Requirement,
    judgement: Judgement,
    listed: Expectation | None,
    version: Version,
    whole: bool,
) -> Row:
    """Return the row of a requirement that was exercised.

    A list speaks for the releases that it was measured on: on a newer one, a listed deviation
    that is gone is good news.
    """
    outcome = judgement.outcome
    assert isinstance(outcome, Judged)
    row = _row(
        requirement,
        _plain(outcome),
        looked_at=outcome.looked_at,
        findings=outcome.findings,
        protocols=_by_protocol(judgement),
    )
    if listed is None or (listed.silent and outcome.findings):
        return row
    if outcome.findings:
        verdict = Verdict.KNOWN
    elif listed.intermittent or not whole:
        return row
    elif not listed.speaks_for(version):
        news = (
            f"a deviation that {listed.listed_in} lists up to {listed.newest_measured}, the newest "
            f"release that it was measured on, is gone: {listed.reason}"
        )
        return replace(row, news=news)
    else:
        verdict = Verdict.FIXED
    return replace(row, verdict=verdict, reason=listed.reason, evidence=listed.evidence)


def _unseen(
    requirement: Requirement, judgement: Judgement, listed: Expectation | None, must_show: bool
) -> Row:
    """Return the row of a requirement of which no run told; ``must_show``: one should have."""
    assert isinstance(judgement.outcome, NotExercised)
    reason, protocols = judgement.outcome.reason, _by_protocol(judgement)
    if listed is None or listed.intermittent or listed.silent or not must_show:
        return _row(requirement, Verdict.NOT_EXERCISED, reason, protocols=protocols)
    return _row(
        requirement,
        Verdict.ERROR,
        f"a deviation is listed, but nothing was seen to tell: {reason}",
        listed.evidence,
        protocols=protocols,
    )


def _fallen_silent(
    requirement: Requirement, judgement: Judgement, listed: Expectation | None
) -> Row:
    """Return the row of a requirement that some run should have exercised and did not.

    That is a failure whatever the outcome of other runs, and whatever deviation is listed, unless
    it is just this: a list says how a release breaks a promise, not that nothing is seen of it any
    more. What is not listed tells more than silence, and comes first.
    """
    outcome = judgement.outcome
    judged = outcome if isinstance(outcome, Judged) else None
    protocols = _by_protocol(judgement)
    for finding in judgement.silenced:
        protocols |= {Protocol(run.protocol): Verdict.FAIL for run in finding.runs}
    found = judged.findings if judged else ()
    silent = listed is not None and listed.silent
    row = _row(
        requirement,
        Verdict.FAIL,
        looked_at=len(judgement.silenced) + (judged.looked_at if judged else 0),
        findings=(*judgement.silenced, *found)
        if listed and not silent
        else (*found, *judgement.silenced),
        protocols=protocols,
    )
    row = replace(row, silent=judged is None)
    if listed is None or not silent or found:
        return row
    return replace(row, verdict=Verdict.KNOWN, reason=listed.reason, evidence=listed.evidence)


def broken(requirement: Requirement, reason: str) -> Row:
    """Return the row of a requirement that the harness could not judge."""
    return _row(requirement, Verdict.ERROR, reason)


def fails_the_run(row: Row) -> bool:
    """Return whether a row makes the exit code non-zero; only here does a level decide."""
    match row.verdict:
        case Verdict.ERROR | Verdict.FIXED:
            return True
        case Verdict.FAIL:
            return row.level is Level.MUST or row.asked
        case Verdict.KNOWN:
            return row.asked
        case _:
            return False


def held_to(row: Row, fail_on: Collection[Impact]) -> Row:
    """Return the row as one that fails the run, if it is broken and its impact is one of these.

    What somebody's own list accepts stays accepted: that list knows what was asked for.
    """
    broken = row.verdict is Verdict.FAIL or (row.verdict is Verdict.KNOWN and not row.listed_in)
    return replace(row, asked=True) if broken and row.impact in fail_on else row


def exercised(row: Row) -> bool:
    """Return whether a row says that the requirement was exercised."""
    judged = (Verdict.PASS, Verdict.FAIL, Verdict.KNOWN, Verdict.FIXED)
    return row.verdict in judged and not row.silent


def counts(rows: Iterable[Row]) -> dict[Verdict, int]:
    """Count the rows by verdict; verdicts that no row has are included as 0."""
    numbers = Counter(row.verdict for row in rows)
    return {verdict: numbers[verdict] for verdict in Verdict}


def _by_protocol(judgement: Judgement) -> dict[Protocol, Verdict]:
    return {protocol: _plain(outcome) for protocol, outcome in judgement.by_protocol.items()}


def _plain(outcome: Outcome) -> Verdict:
    if isinstance(outcome, Judged):
        return Verdict.FAIL if outcome.findings else Verdict.PASS
    return Verdict.NOT_EXERCISED


def _row(
    requirement: Requirement,
    verdict: Verdict,
    reason: str = "",
    evidence: str = "",
    looked_at: int = 0,
    findings: tuple[Finding, ...] = (),
    protocols: Mapping[Protocol, Verdict] | None = None,
) -> Row:
    return Row(
        requirement.name,
        requirement.level,
        verdict,
        requirement.statement,
        str(requirement.source),
        reason,
        evidence,
        looked_at,
        findings,
        protocols or {},
        requirement.source.url,
        impact=requirement.impact,
        advice=requirement.advice
        if verdict in (Verdict.FAIL, Verdict.KNOWN, Verdict.FIXED)
        else "",
    )
