"""The registry of checks, and the judgement of one requirement over all its captures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from ..capture.run import Run
from ..contract.applicability import applies_to_run
from ..contract.catalogue import Contract
from ..contract.exercised import NOTHING_MEASURED, Exercised
from ..contract.requirement import DRAWN, Requirement, Selector
from ..findings import Finding, Judged, NotExercised, Outcome, RunName
from ..otlp.model import Protocol
from .checks import (
    accounting,
    calls,
    canaries,
    costs,
    fields,
    ids,
    joined_tools,
    names,
    prompts,
    responses,
    runs,
    session,
    streams,
    tools,
    transport,
)
from .items.describe import shown as described
from .items.item import Item, Kind
from .items.view import CaptureView
from .silence import silenced

#: From a run and the name of a measure (or of an item) to a shell line.
ByHand = Callable[[Run, str], str]

_PerCapture = Callable[[Requirement, CaptureView], Outcome]
_Across = Callable[[Requirement, Sequence[CaptureView]], Outcome]
_Outcomes = Sequence[tuple[CaptureView, Outcome]]


def _named(*checks: Any) -> dict[str, Any]:
    """Return the checks by their function names, as ``check`` of a requirement names them."""
    return {check.__name__: check for check in checks}


_PER_CAPTURE: Mapping[str, _PerCapture] = _named(
    accounting.cost_agrees,
    accounting.counted,
    accounting.event_tokens,
    accounting.one_each,
    accounting.tokens_billed,
    calls.joins_a_call,
    calls.of_its_call,
    calls.told_to_the_api,
    calls.took_as_long,
    calls.usage_together,
    canaries.confined,
    canaries.shown_at,
    costs.cost_at_prices,
    costs.cost_counted_at_prices,
    costs.cost_in_micros,
    costs.cost_of_its_tokens,
    fields.absent,
    fields.covers,
    fields.present,
    joined_tools.joins_a_tool,
    ids.ids_whole,
    joined_tools.of_its_tool,
    joined_tools.tool_took_as_long,
    joined_tools.while_its_tool_ran,
    names.documented,
    prompts.kept_on_disk,
    prompts.of_a_prompt,
    prompts.one_for_each,
    responses.response_length,
    responses.response_text,
    runs.account_tagged,
    runs.active_at_least,
    runs.active_within_the_run,
    runs.as_host,
    runs.as_signed_in,
    runs.failures_told,
    runs.prompt_length,
    runs.prompt_text,
    runs.shorter_than_the_run,
    runs.within_the_run,
    session.constant,
    session.exported,
    session.increasing,
    session.same_instant,
    session.subject_version,
    session.without_gaps,
    streams.never_falls,
    streams.one_point_per_stream,
    streams.times_ordered,
    streams.unique_keys,
    streams.windows_apart,
    tools.decided,
    tools.edits_decided,
    tools.input_repeated,
    tools.input_size,
    tools.parameters,
    tools.parameters_of_the_input,
    tools.result_size,
    tools.slept,
    tools.tool_name,
    tools.tool_outcome,
    transport.configured_protocol,
)
_ACROSS: Mapping[str, _Across] = _named(
    transport.distinct, transport.equal_in_all, transport.same_everywhere
)
_BY_SCHEMA = ("valid_if_present", "present_and_valid", "json_text")
_BY_MEASUREMENT = ("still_sent",)

#: Findings of one run that tell what stood around them.
_WITH_ATTRIBUTES = 2

#: Every check that a requirement may name.
CHECKS = frozenset({*_PER_CAPTURE, *_ACROSS, *_BY_SCHEMA, *_BY_MEASUREMENT})

#: Those among them that judge all runs at once, and so say nothing of a single one.
ACROSS_RUNS = frozenset(_ACROSS)

#: Those that look at the selected items and at nothing else of a run.
OF_ITEMS_ALONE = frozenset(
    {*_BY_SCHEMA, *_named(fields.absent, fields.covers, fields.present)},
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome over all captures, and that of each protocol (none for a check across runs).

    ``silenced`` are findings in single runs that do not exercise the requirement although such
    runs always do, whatever other runs showed.
    """

    outcome: Outcome
    by_protocol: Mapping[Protocol, Outcome] = field(default_factory=dict)
    silenced: tuple[Finding, ...] = ()


class Judge:
    """Judges captures by one contract; the same captures always get the same judgement.

    ``by_hand`` makes the shell line that is added to findings in runs with drawn input;
    ``measured`` says what runs of the subject always exercise and send.
    """

    def __init__(
        self,
        contract: Contract,
        by_hand: ByHand | None = None,
        measured: Exercised = NOTHING_MEASURED,
    ) -> None:
        self.contract = contract
        self._by_hand = by_hand
        self._measured = measured
        schema_checks = fields.FieldChecks(contract)
        sent_checks = names.SentChecks(measured)
        self._per_capture = {
            **_PER_CAPTURE,
            **{name: getattr(schema_checks, name) for name in _BY_SCHEMA},
            **{name: getattr(sent_checks, name) for name in _BY_MEASUREMENT},
        }
        self._exported: defaultdict[Selector, list[Requirement]] = defaultdict(list)
        for promise in filter(contract.applies, contract.requirements):
            if promise.check == session.exported.__name__:
                self._exported[promise.selects].append(promise)
        # A capture never changes, and is judged again beside others that do (mutants).
        # The requirement is kept beside its outcome, so that no other gets its id.
        self._known: WeakKeyDictionary[CaptureView, dict[int, tuple[Requirement, Outcome]]]
        self._known = WeakKeyDictionary()

    def judge(self, requirement: Requirement, views: Sequence[CaptureView]) -> Judgement:
        """Judge the requirement by the captures of every run that it applies to.

        A scenario that exercises it over one protocol does not make up for another protocol:
        without a finding, it counts as exercised only if some scenario exercises it in each of
        its runs.
        """
        relevant = [view for view in views if applies_to_run(requirement, view.run)]
        if not relevant:
            return Judgement(NotExercised(f"there was none of: {requirement.exercised_by}"))
        if requirement.check in _ACROSS:
            outcome = _ACROSS[requirement.check](requirement, relevant)
            return Judgement(_seen_in(outcome, [view.run_name for view in relevant]))
        outcomes = [(view, self._outcome(requirement, view)) for view in relevant]
        return Judgement(
            _merge(outcomes), _by_protocol(outcomes), tuple(self._silenced(requirement, outcomes))
        )

    def _silenced(self, requirement: Requirement, outcomes: _Outcomes) -> Iterator[Finding]:
        for view, outcome in outcomes:
            if isinstance(outcome, NotExercised) and not self._known_missing(requirement, view):
                finding = silenced(requirement, view, outcome.reason, self._measured)
                if finding is not None:
                    yield finding

    def _known_missing(self, requirement: Requirement, view: CaptureView) -> bool:
        """Whether nothing that is selected was sent, and a finding of another promise says so."""
        if view.select(requirement.selects):
            return False
        return any(
            applies_to_run(promise, view.run)
            and isinstance(outcome := self._outcome(promise, view), Judged)
            and bool(outcome.findings)
            for promise in self._exported.get(requirement.selects, ())
        )

    def alone(self, requirement: Requirement, view: CaptureView) -> Outcome | None:
        """Return the outcome of one capture by itself; None for a check across captures.

        The requirement must apply to its run.
        """
        if requirement.check in _ACROSS:
            return None
        return self._outcome(requirement, view)

    def _outcome(self, requirement: Requirement, view: CaptureView) -> Outcome:
        known = self._known.setdefault(view, {})
        if id(requirement) not in known:
            outcome = self._per_capture[requirement.check](requirement, view)
            outcome = _seen_in(outcome, [view.run_name])
            outcome = _with_attributes(outcome, requirement.selects, view)
            if DRAWN in view.run.traits and self._by_hand is not None:
                outcome = _shown_by_hand(outcome, view.run, requirement, self._by_hand)
            known[id(requirement)] = (requirement, outcome)
        return known[id(requirement)][1]


def _seen_in(outcome: Outcome, runs: Sequence[RunName]) -> Outcome:
    """Add the runs to findings that do not name theirs yet."""
    if isinstance(outcome, NotExercised) or not outcome.findings:
        return outcome
    findings = tuple(
        finding if finding.runs else replace(finding, runs=tuple(runs))
        for finding in outcome.findings
    )
    return replace(outcome, findings=findings)


def _with_attributes(outcome: Outcome, selects: Selector, view: CaptureView) -> Outcome:
    """Add to the first findings the attributes of the item that each is about."""
    if isinstance(outcome, NotExercised) or not outcome.findings:
        return outcome
    items = {item.where: item for item in view.select(selects) if item.kind is not Kind.MEASURED}
    if not items:
        return outcome
    shown = [
        replace(finding, around=_attributes(items[finding.where]))
        if finding.where in items
        else finding
        for finding in outcome.findings[:_WITH_ATTRIBUTES]
    ]
    return replace(outcome, findings=(*shown, *outcome.findings[_WITH_ATTRIBUTES:]))


def _attributes(item: Item) -> Mapping[str, str]:
    attributes = item.at(("attributes",))
    if not isinstance(attributes, Mapping):
        return {}
    return {str(key): described(value) for key, value in attributes.items()}


def _shown_by_hand(
    outcome: Outcome, run: Run, requirement: Requirement, by_hand: ByHand
) -> Outcome:
    """Add to findings the shell line that repeats a run with drawn input."""
    if isinstance(outcome, NotExercised) or not outcome.findings:
        return outcome
    line = by_hand(run, requirement.selects.name)
    findings = tuple(replace(finding, by_hand=line) for finding in outcome.findings)
    return replace(outcome, findings=findings)


def _merge(outcomes: _Outcomes) -> Outcome:
    if len(outcomes) == 1:
        return outcomes[0][1]
    judged = [outcome for _, outcome in outcomes if isinstance(outcome, Judged)]
    findings = tuple(finding for outcome in judged for finding in outcome.findings)
    exercised = {_occasion(view.run) for view, outcome in outcomes if isinstance(outcome, Judged)}
    missed: dict[str, dict[str, str]] = {}
    for view, outcome in outcomes:
        if isinstance(outcome, NotExercised) and _occasion(view.run) not in exercised:
            missed.setdefault(view.run.scenario, {})[view.protocol] = outcome.reason
    if findings or any(view.run.scenario not in missed for view, _ in outcomes):
        return Judged(sum(outcome.looked_at for outcome in judged), findings)
    # What some runs showed says more than what none did.
    exercising = {view.run.scenario for view, outcome in outcomes if isinstance(outcome, Judged)}
    reasons = {
        f"{protocol}: {why}" if scenario in exercising else why: None
        for scenario, by_protocol in missed.items()
        if scenario in exercising or not exercising
        for protocol, why in by_protocol.items()
    }
    return NotExercised("; ".join(reasons))


def _occasion(run: Run) -> str:
    """Return a key that is equal for runs of which one is enough to exercise a requirement.

    Those are all drawn runs of a scenario, for their protocol is drawn, too; any other run is
    alone.
    """
    return run.scenario if DRAWN in run.traits else run.label


def _by_protocol(outcomes: _Outcomes) -> dict[Protocol, Outcome]:
    """Merge the outcomes of each protocol's runs."""
    grouped: dict[Protocol, list[tuple[CaptureView, Outcome]]] = {}
    for view, outcome in outcomes:
        grouped.setdefault(view.protocol, []).append((view, outcome))
    return {protocol: _merge(members) for protocol, members in grouped.items()}
