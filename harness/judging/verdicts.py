"""Decide the verdict of each requirement, and which verdicts fail the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import Finding, Judged, Level, NotExercised, Outcome, Verdict
from harness.judging.expectations import PACKAGED, Expectations
from harness.judging.judge import Judgement
from harness.otlp.model import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one requirement, as it is reported.

    ``reason`` explains every verdict but ``pass`` and ``fail``; ``looked_at`` is the number of
    things judged; ``by_protocol`` holds the outcome over each protocol (``pass``, ``fail`` or
    ``not exercised``), before listed deviations are considered; ``url`` leads to ``source`` and
    is empty for what this project measured itself. ``silent``: it fails only because no run
    exercised what such runs always do. ``listed_in`` is the list that names the deviation, if it is
    not ours.
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
        return _fallen_silent(requirement, judgement, listed is not None)
    outcome = judgement.outcome
    protocols = {
        protocol: _plain(own_outcome) for protocol, own_outcome in judgement.by_protocol.items()
    }
    if isinstance(outcome, NotExercised):
        if listed is None or listed.intermittent or not whole:
            return _row(requirement, Verdict.NOT_EXERCISED, outcome.reason, protocols=protocols)
        return _row(
            requirement,
            Verdict.ERROR,
            f"a deviation is listed, but nothing was seen to tell: {outcome.reason}",
            listed.evidence,
            protocols=protocols,
        )
    if listed is None or (not outcome.findings and (listed.intermittent or not whole)):
        verdict, reason, evidence = _plain(outcome), "", ""
    else:
        verdict = Verdict.KNOWN if outcome.findings else Verdict.FIXED
        reason, evidence = listed.reason, listed.evidence
    row = _row(
        requirement, verdict, reason, evidence, outcome.looked_at, outcome.findings, protocols
    )
    if not evidence or listed is None or listed.listed_in == PACKAGED:
        return row
    return replace(row, listed_in=listed.listed_in)


def _fallen_silent(requirement: Requirement, judgement: Judgement, listed: bool) -> Row:
    """Return the row of a requirement that some run should have exercised and did not.

    That is a failure whatever the outcome of other runs, and whatever deviation is listed: a
    list says how a release breaks a promise, not that nothing is seen of it any more. What is
    not ``listed`` tells more than silence, and comes first.
    """
    outcome = judgement.outcome
    judged = outcome if isinstance(outcome, Judged) else None
    protocols = {protocol: _plain(own) for protocol, own in judgement.by_protocol.items()}
    for finding in judgement.silenced:
        protocols |= {Protocol(run.protocol): Verdict.FAIL for run in finding.runs}
    found = judged.findings if judged else ()
    row = _row(
        requirement,
        Verdict.FAIL,
        looked_at=len(judgement.silenced) + (judged.looked_at if judged else 0),
        findings=(*judgement.silenced, *found) if listed else (*found, *judgement.silenced),
        protocols=protocols,
    )
    return replace(row, silent=judged is None)


def broken(requirement: Requirement, reason: str) -> Row:
    """Return the row of a requirement that the harness could not judge."""
    return _row(requirement, Verdict.ERROR, reason)


def fails_the_run(row: Row) -> bool:
    """Return whether a row makes the exit code non-zero; only here does a level decide."""
    match row.verdict:
        case Verdict.ERROR | Verdict.FIXED:
            return True
        case Verdict.FAIL:
            return row.level is Level.MUST
        case _:
            return False


def exercised(row: Row) -> bool:
    """Return whether a row says that the requirement was exercised."""
    judged = (Verdict.PASS, Verdict.FAIL, Verdict.KNOWN, Verdict.FIXED)
    return row.verdict in judged and not row.silent


def counts(rows: Iterable[Row]) -> dict[Verdict, int]:
    """Count the rows by verdict; verdicts that no row has are included as 0."""
    numbers = Counter(row.verdict for row in rows)
    return {verdict: numbers[verdict] for verdict in Verdict}


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
    )
