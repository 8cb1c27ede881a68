"""The registry of checks, and the judgement of one requirement over all its captures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.checks import fields, session, transport
from harness.checks.view import CaptureView
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import Judged, NotExercised, Outcome
from harness.otlp.model import Protocol

_PerCapture = Callable[[Requirement, CaptureView], Outcome]
_Across = Callable[[Requirement, Sequence[CaptureView]], Outcome]

_PER_CAPTURE: Mapping[str, _PerCapture] = {
    "absent": fields.absent,
    "configured_protocol": transport.configured_protocol,
    "constant": session.constant,
    "covers": fields.covers,
    "exported": session.exported,
    "increasing": session.increasing,
    "present": fields.present,
    "same_instant": session.same_instant,
    "subject_version": session.subject_version,
}
_ACROSS: Mapping[str, _Across] = {"same_everywhere": transport.same_everywhere}
_BY_SCHEMA = ("value", "json_text")

#: Every check that a requirement may name.
CHECKS = frozenset({*_PER_CAPTURE, *_ACROSS, *_BY_SCHEMA})


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome over all captures, and each protocol's own (empty for a check across them)."""

    outcome: Outcome
    by_protocol: Mapping[Protocol, Outcome] = field(default_factory=dict)


class Judge:
    """Judges captures by one contract.  Pure: same captures, same judgement."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        schema_checks = fields.FieldChecks(contract)
        self._per_capture = {
            **_PER_CAPTURE,
            "value": schema_checks.value,
            "json_text": schema_checks.json_text,
        }

    def judge(self, requirement: Requirement, views: Sequence[CaptureView]) -> Judgement:
        """Judge by the captures of the scenarios and protocols that the requirement names.

        Nothing seen on one protocol is not made good by another: without a
        finding, the whole is exercised only where every capture is.
        """
        if requirement.check is None:
            return Judgement(NotExercised(requirement.awaits))
        relevant = [
            view
            for view in views
            if view.run.scenario in requirement.scenarios
            and (not requirement.protocols or view.protocol in requirement.protocols)
        ]
        if not relevant:
            return Judgement(NotExercised(f"no run of {' or '.join(requirement.scenarios)}"))
        if requirement.check in _ACROSS:
            return Judgement(_ACROSS[requirement.check](requirement, relevant))
        check = self._per_capture[requirement.check]
        outcomes = {view.protocol: check(requirement, view) for view in relevant}
        return Judgement(_merge(outcomes), outcomes)


def _merge(outcomes: Mapping[Protocol, Outcome]) -> Outcome:
    judged = [each for each in outcomes.values() if isinstance(each, Judged)]
    findings = tuple(finding for each in judged for finding in each.findings)
    missed = {
        protocol: each.reason
        for protocol, each in outcomes.items()
        if isinstance(each, NotExercised)
    }
    if missed and not findings:
        reasons = set(missed.values())
        if len(missed) == len(outcomes) and len(reasons) == 1:
            return NotExercised(reasons.pop())
        return NotExercised("; ".join(f"{protocol}: {why}" for protocol, why in missed.items()))
    return Judged(sum(each.looked_at for each in judged), findings)
