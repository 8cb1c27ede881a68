"""The registry of checks, and the judgement of one requirement over all its captures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from harness.capture.run import Run
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
        # A capture never changes, and is judged again beside others that do (mutants).
        self._known: WeakKeyDictionary[CaptureView, dict[str, Outcome]] = WeakKeyDictionary()

    def judge(self, requirement: Requirement, views: Sequence[CaptureView]) -> Judgement:
        """Judge by the captures of every run that the requirement speaks of.

        Nothing seen on one protocol is not made good by another: without a finding, the
        whole is exercised only where some scenario exercises it in each of its runs.
        """
        if requirement.check is None:
            return Judgement(NotExercised(requirement.awaits))
        relevant = [view for view in views if concerns(requirement, view.run)]
        if not relevant:
            return Judgement(NotExercised(f"none of the {requirement.exercised_by}"))
        if requirement.check in _ACROSS:
            return Judgement(_ACROSS[requirement.check](requirement, relevant))
        outcomes = [(view, self._outcome(requirement, view)) for view in relevant]
        return Judgement(_merge(outcomes), _by_protocol(outcomes))

    def _outcome(self, requirement: Requirement, view: CaptureView) -> Outcome:
        known = self._known.setdefault(view, {})
        if requirement.name not in known:
            assert requirement.check is not None
            known[requirement.name] = self._per_capture[requirement.check](requirement, view)
        return known[requirement.name]


def concerns(requirement: Requirement, run: Run) -> bool:
    """Whether the requirement speaks of this run."""
    if requirement.scenarios and run.scenario not in requirement.scenarios:
        return False
    if requirement.protocols and run.protocol not in requirement.protocols:
        return False
    return requirement.holds_given(run.environment, run.traits)


_Outcomes = Sequence[tuple[CaptureView, Outcome]]


def _merge(outcomes: _Outcomes) -> Outcome:
    judged = [each for _, each in outcomes if isinstance(each, Judged)]
    findings = tuple(finding for each in judged for finding in each.findings)
    missed: dict[str, dict[str, str]] = {}
    for view, each in outcomes:
        if isinstance(each, NotExercised):
            missed.setdefault(view.run.scenario, {})[view.protocol] = each.reason
    if findings or any(view.run.scenario not in missed for view, _ in outcomes):
        return Judged(sum(each.looked_at for each in judged), findings)
    # What some runs showed says more than what none did.
    seen = {view.run.scenario for view, each in outcomes if isinstance(each, Judged)}
    reasons = {
        f"{protocol}: {why}" if scenario in seen else why: None
        for scenario, by_protocol in missed.items()
        if scenario in seen or not seen
        for protocol, why in by_protocol.items()
    }
    return NotExercised("; ".join(reasons))


def _by_protocol(outcomes: _Outcomes) -> dict[Protocol, Outcome]:
    """Each protocol's own outcome, over all its runs."""
    grouped: dict[Protocol, list[tuple[CaptureView, Outcome]]] = {}
    for view, each in outcomes:
        grouped.setdefault(view.protocol, []).append((view, each))
    return {protocol: _merge(each) for protocol, each in grouped.items()}
