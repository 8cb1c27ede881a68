"""Judge what one release sent: the tallies of its requirements, and the rows that come of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from ..contract.catalogue import Contract
from ..contract.requirement import Requirement
from ..findings import Finding, Judged, NotExercised
from ..judging.expectations import Expectations
from ..judging.judge import Judge, Judgement
from ..judging.verdicts import Row, decide
from ..otlp.model import Signal
from . import wire
from .exact import ItemView
from .plans import Plan, Planner
from .rules import TOGETHER, Fleet, not_shown
from .sessions import Sessions

#: So many findings of a requirement are kept in full; the others are counted.
KEPT = 20

#: How the variables begin that let private texts out.
_GATES = "OTEL_LOG_"
_HIDDEN = "a value, which is not shown here: it may be private"

#: So many shapes are remembered at once.
_MOST_PLANS = 20_000

#: Kinds of selectors, by the signal of whose items they may select some.
_SELECTING = {
    Signal.LOGS: ("event", "events", "items"),
    Signal.METRICS: ("metric", "metrics", "items"),
    Signal.TRACES: ("span", "spans"),
}


class Owner:
    """A resource and a scope of a release: how often a message held them, and what they break."""

    __slots__ = ("broken", "count", "looked_at", "release")

    def __init__(self, release: Release) -> None:
        self.release = release
        self.count = 0
        self.looked_at: dict[str, int] = {}
        self.broken: list[Requirement] = []


class Release:
    """What was seen of one release in a capture, judged by its contract.

    ``documents`` are those that speak of it. ``items`` counts items by signal.
    """

    def __init__(self, contract: Contract, fleet: Fleet) -> None:
        self.contract = contract
        self.version = str(contract.version)
        self.items: Counter[Signal] = Counter()
        self._run = fleet.run(self.version)
        self._judge = Judge(contract)
        self._reasons = {
            requirement.name: reason
            for requirement in contract.requirements
            if contract.applies(requirement) and (reason := not_shown(requirement, fleet))
        }
        shown = [
            requirement
            for requirement in contract.requirements
            if contract.applies(requirement) and requirement.name not in self._reasons
        ]
        #: What a gate closes is private: reports tell where it came out, and not what it is.
        self._private = frozenset(
            each.name for each in shown if any(key.startswith(_GATES) for key in each.given)
        )
        self._planners = {
            signal: Planner(
                contract,
                self._judge,
                [each for each in shown if each.selects.kind in kinds and not _together(each)],
                self.version,
            )
            for signal, kinds in _SELECTING.items()
        }
        self._of_owners = [each for each in shown if each.selects.kind in ("resources", "scopes")]
        self.together: dict[tuple[str, ...], Requirement] = {
            (each.check, *_part(each)): each for each in shown if each.check in TOGETHER
        }
        self.where_keys = {
            signal: _where_keys(each for each in shown if each.selects.kind in kinds)
            for signal, kinds in _SELECTING.items()
        }
        self.sessions = Sessions(self._together_broken)
        self.plans: dict[Signal, dict[object, Plan]] = {signal: {} for signal in Signal}
        self._owners: list[Owner] = []
        self._looked: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._findings: defaultdict[str, list[Finding]] = defaultdict(list)

    def owner(self, view: ItemView) -> Owner:
        """Judge a resource and a scope that were not seen before."""
        owner = Owner(self)
        for requirement in self._of_owners:
            outcome = self._judge.alone(requirement, view)
            if isinstance(outcome, Judged):
                owner.looked_at[requirement.name] = outcome.looked_at
                if outcome.findings:
                    owner.broken.append(requirement)
        self._owners.append(owner)
        return owner

    def plan(
        self,
        signal: Signal,
        key: object,
        kinds: dict[str, str],
        view: Callable[[], ItemView],
    ) -> Plan:
        """Make and keep the plan of an item of a new shape."""
        plans = self.plans[signal]
        if len(plans) >= _MOST_PLANS:
            self._settle(signal)
        plan = plans[key] = self._planners[signal].plan(view(), kinds)
        return plan

    def broken(self, requirement: Requirement, view: Callable[[], ItemView]) -> None:
        """Note that an item breaks a requirement; its first items are shown in full."""
        name = requirement.name
        if self._broken[name] >= KEPT:
            self._broken[name] += 1
            return
        outcome = self._judge.alone(requirement, view())
        if isinstance(outcome, Judged):
            self._note(name, outcome.findings)

    def looked(self, name: str, times: int = 1) -> None:
        """Count what was looked at for a requirement."""
        self._looked[name] += times

    def note(self, name: str, finding: Finding) -> None:
        """Note a finding about several items."""
        self._note(name, (finding,))

    def _together_broken(self, what: tuple[str, ...], finding: Callable[[], Finding]) -> None:
        requirement = self.together.get(what)
        if requirement is None:
            return
        if self._broken[requirement.name] >= KEPT:
            self._broken[requirement.name] += 1
        else:
            self._note(requirement.name, (finding(),))

    def _note(self, name: str, findings: tuple[Finding, ...]) -> None:
        if name in self._private:
            findings = tuple(replace(each, seen=_HIDDEN) for each in findings)
        self._broken[name] += len(findings)
        room = KEPT - len(self._findings[name])
        self._findings[name] += findings[: max(room, 0)]

    def _settle(self, signal: Signal) -> None:
        """Add up what the plans counted, and forget them."""
        for plan in self.plans[signal].values():
            for name, times in plan.looked_at.items():
                self._looked[name] += times * plan.count
        self.plans[signal].clear()

    def end(self) -> None:
        """Add up everything, at the end of the capture."""
        for signal in Signal:
            self._settle(signal)
        for owner in self._owners:
            for name, times in owner.looked_at.items():
                self._looked[name] += times * owner.count
        self.sessions.end()
        for what, times in self.sessions.looked_at.items():
            if what in self.together:
                self._looked[self.together[what].name] += times

    def rows(self, expectations: Expectations) -> Iterator[Row]:
        """Yield the row of every requirement; :meth:`end` was called before."""
        for requirement in self.contract.requirements:
            judgement = None
            if self.contract.applies(requirement):
                judgement = Judgement(self._outcome(requirement))
            yield decide(self.contract, requirement, judgement, expectations, whole=False)

    def _outcome(self, requirement: Requirement) -> Judged | NotExercised:
        name = requirement.name
        if name in self._reasons:
            return NotExercised(self._reasons[name])
        if not self._looked[name] and not self._broken[name]:
            return NotExercised(f"the capture holds no {requirement.selects} that shows it")
        return Judged(max(self._looked[name], self._broken[name], 1), tuple(self._findings[name]))

    def number_broken(self, name: str) -> int:
        """Return how many findings there are of a requirement, those not kept included."""
        return self._broken[name]

    def view(
        self, signal: Signal, resource: msgspec.Raw, block: wire.Block, where: str
    ) -> ItemView:
        """Return a view of a single item, for the ordinary judge."""
        return ItemView(self._run, signal, resource, block, where)


def _together(requirement: Requirement) -> bool:
    return requirement.check in TOGETHER


def _part(requirement: Requirement) -> tuple[str, ...]:
    """Return what tells apart two requirements that are judged by one check of several items."""
    match requirement.check:
        case "constant":
            return (requirement.selects.kind,)
        case "one_for_each":
            return (requirement.path[1],)
    return ()


def _where_keys(requirements: Iterator[Requirement]) -> tuple[str, ...]:
    """Return the attributes whose values decide which requirements speak of an item."""
    keys: dict[str, None] = {}
    for requirement in requirements:
        where = requirement.params.get("where", {})
        assert isinstance(where, dict)
        for path, wanted in where.items():
            root, _, key = path.partition("/")
            assert root == "attributes", f"{requirement.name}: {path}"
            if not isinstance(wanted, dict) or wanted.keys() - {"type"}:
                keys[key] = None
    return tuple(keys)
