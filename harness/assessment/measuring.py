"""Measure from recordings what the runs of each release exercise and send.

``python docs/exercised.py DIR...`` writes the result to ``schemas/exercised.json``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..capture.names import OF_THE_CLOCK
from ..capture.run import SubjectFacts
from ..contract.applicability import JUDGED_ONLY_BY_NAME, applies_to_run
from ..contract.exercised import CLI, PARTS, REFERENCE, kind_of, rows_of
from ..contract.requirement import DRAWN, Requirement
from ..contract.versions import Version
from ..findings import Judged
from ..judging.items.item import Kind
from ..judging.items.view import CaptureView
from ..judging.judge import ACROSS_RUNS, Judge
from ..themes.catalogue import MEASURES, SCENARIOS, planned_runs
from .assessment import catalogue
from .endings import about_endings
from .recording import Recording

#: What is listed was seen in so many recordings at least, and missing in none.
_LEAST_RECORDINGS = 2

#: A run, by its scenario and protocol.
_Run = tuple[str, str]

#: A name (of a requirement or an event) in a run.
_Cell = tuple[str, _Run]


@dataclass
class Tally:
    """How often each cell could have been seen on one release, and how often it was."""

    recordings: int = 0
    possible: Counter[_Cell] = field(default_factory=Counter)
    seen: Counter[_Cell] = field(default_factory=Counter)

    def add(self, cell: _Cell, seen: bool) -> None:
        self.possible[cell] += 1
        self.seen[cell] += seen

    @property
    def sometimes(self) -> set[_Cell]:
        """The cells that some recordings of the release showed, and others did not."""
        return {cell for cell, times in self.possible.items() if 0 < self.seen[cell] < times}


#: Tallies by kind of subject, part of its table, and release.
Tallies = dict[tuple[str, str], dict[Version, Tally]]


def measure(recordings: Iterable[tuple[SubjectFacts, Recording]]) -> Tallies:
    """Tally what each recording exercised and sent; drawn runs are left out."""
    tallies: Tallies = defaultdict(lambda: defaultdict(Tally))
    for subject, recording in recordings:
        kind, version = kind_of(subject.spec), Version.parse(subject.version)
        views = [
            CaptureView(capture, MEASURES)
            for capture in recording.captures
            if DRAWN not in capture.run.traits
        ]
        exercised, sent = (tallies[kind, part][version] for part in PARTS)
        exercised.recordings += 1
        sent.recordings += 1
        contract = catalogue(subject.version)
        judge = Judge(contract)
        for requirement in filter(contract.applies, contract.requirements):
            for view in views if _is_tallied(requirement) else ():
                if applies_to_run(requirement, view.run):
                    outcome = judge.judge(requirement, [view]).outcome
                    exercised.add((requirement.name, _run(view)), isinstance(outcome, Judged))
        _tally_events(sent, views)
    return tallies


def _is_tallied(requirement: Requirement) -> bool:
    """Say whether single runs exercise it, on whichever machine, and not all of them do."""
    for_others = about_endings(requirement) or _about_the_network(requirement)
    return requirement.check not in ACROSS_RUNS and not for_others


def _tally_events(tally: Tally, views: Collection[CaptureView]) -> None:
    names = {name for view in views for name in view.capture.event_names}
    for view in views:
        if JUDGED_ONLY_BY_NAME not in view.run.traits:
            waits = SCENARIOS[view.run.scenario].waits_s > 0
            for name in names if waits else names - OF_THE_CLOCK:
                tally.add((name, _run(view)), name in view.capture.event_names)


def _run(view: CaptureView) -> _Run:
    return view.run.scenario, view.run.protocol.value


def table(tallies: Tallies, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the file: what was tallied, laid over what stood in it ``before``.

    What was recorded again replaces what was known of those runs of that release.
    """
    requirements = {each.name: each for each in catalogue().requirements}
    data: dict[str, Any] = {}
    for kind in (CLI, REFERENCE):
        counts = {
            Version.parse(version): number for version, number in before[kind]["measured"].items()
        }
        for version, tally in tallies.get((kind, "exercised"), {}).items():
            counts[version] = tally.recordings
        data[kind] = {"measured": {str(version): counts[version] for version in sorted(counts)}}
        for part in PARTS:
            known = requirements if part == "exercised" else None
            cells = _cells(tallies.get((kind, part), {}), before[kind], part, sorted(counts))
            kept = {cell: spans for cell, spans in cells.items() if _is_planned(cell, known)}
            data[kind][part] = list(_rows(kept, part, known))
    data["not_expected"] = _not_expected(data, tallies, before, requirements.values())
    return data


#: The first and the last release (None: it goes on) of each stretch without a gap.
_Spans = list[tuple[Version, Version | None]]


def _cells(
    tallies: Mapping[Version, Tally],
    before: Mapping[str, Any],
    part: str,
    releases: Collection[Version],
) -> dict[_Cell, _Spans]:
    """Return for each cell the stretches of releases on which every recording showed it."""
    old = _known_before(before, part)
    racing = {cell for tally in tallies.values() for cell in tally.sometimes}
    cells = {cell for tally in tallies.values() for cell in tally.possible} | old.keys()
    again = {version: {run for _, run in tally.possible} for version, tally in tallies.items()}
    measured = set(map(Version.parse, before["measured"]))
    found = {}
    for cell in cells - racing:
        states: dict[Version, int | None] = {}
        for version in releases:
            if cell[1] in again.get(version, ()):
                tally = tallies[version]
                states[version] = tally.seen[cell] if tally.possible[cell] else None
            elif version in measured:
                states[version] = _LEAST_RECORDINGS if version in old.get(cell, ()) else 0
            else:
                states[version] = None  # of a release of which some runs alone were recorded
        if spans := list(_stretches(states)):
            found[cell] = spans
    return found


def _known_before(before: Mapping[str, Any], part: str) -> dict[_Cell, set[Version]]:
    """Return the releases on which the file before says that a cell was always seen."""
    known: dict[_Cell, set[Version]] = defaultdict(set)
    measured = list(map(Version.parse, before["measured"]))
    for row in rows_of(dict(before), part):
        for scenario in row.scenarios:
            protocols = row.protocols or [
                run.protocol.value for run in planned_runs() if run.scenario == scenario
            ]
            for name in row.names:
                for protocol in protocols:
                    known[name, (scenario, protocol)] |= {v for v in measured if v in row.measured}
    return known


def _stretches(states: Mapping[Version, int | None]) -> Iterator[tuple[Version, Version | None]]:
    """Yield each stretch of releases that always showed it; None is a release without a word."""
    since = last = None
    recordings = 0
    for version, seen in states.items():
        if seen is None:
            continue
        if seen:
            since, last, recordings = since or version, version, recordings + seen
        else:
            if since is not None and recordings >= _LEAST_RECORDINGS:
                yield since, last
            since, recordings = None, 0
    if since is not None and recordings >= _LEAST_RECORDINGS:
        yield since, None


def _is_planned(cell: _Cell, requirements: Mapping[str, Requirement] | None) -> bool:
    """Say whether there still is such a run, and such a requirement that applies to it."""
    name, (scenario, protocol) = cell
    return (
        any(
            (run.scenario, run.protocol.value) == (scenario, protocol)
            and (requirements is None or _applies(requirements.get(name), run))
            for run in SCENARIOS[scenario].planned()
        )
        if scenario in SCENARIOS
        else False
    )


def _applies(requirement: Requirement | None, run: Any) -> bool:
    return requirement is not None and applies_to_run(requirement, run)


def _rows(
    cells: Mapping[_Cell, _Spans], part: str, requirements: Mapping[str, Requirement] | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows: names that were seen in the same scenarios on the same releases."""
    protocols: dict[tuple[str, str, tuple[Version, Version | None]], set[str]]
    protocols = defaultdict(set)
    for (name, (scenario, protocol)), spans in cells.items():
        for span in spans:
            protocols[name, scenario, span].add(protocol)
    scenarios: dict[tuple[str, Any, tuple[str, ...]], set[str]] = defaultdict(set)
    for (name, scenario, span), seen in protocols.items():
        every = {
            run.protocol.value
            for run in SCENARIOS[scenario].planned()
            if requirements is None or applies_to_run(requirements[name], run)
        }
        scenarios[name, span, () if seen == every else tuple(sorted(seen))].add(scenario)
    names: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for (name, span, some), members in scenarios.items():
        names[span, some, tuple(sorted(members))].append(name)
    for (span, some, members), alike in sorted(
        names.items(), key=lambda row: (sorted(row[1]), row[0][0][0], row[0][1], row[0][2])
    ):
        yield {
            PARTS[part]: sorted(alike),
            "scenarios": list(members),
            "since": str(span[0]),
            **({} if span[1] is None else {"last": str(span[1])}),
            **({"protocols": list(some)} if some else {}),
        }


def _not_expected(
    data: Mapping[str, Any],
    tallies: Tallies,
    before: Mapping[str, Any],
    requirements: Iterable[Requirement],
) -> dict[str, list[str]]:
    """Return the requirements in no row, by the reason; those that were not measured are in none.

    Known of before, or judged in a recorded run: so is one that was measured.
    """
    listed = {
        name
        for kind in (CLI, REFERENCE)
        for row in data[kind]["exercised"]
        for name in row["requirements"]
    }
    measured = set(before["not_expected"].get("never", ()))
    for (_, part), releases in tallies.items():
        if part == "exercised":
            measured |= {name for tally in releases.values() for name, _ in tally.possible}
    reasons: dict[str, list[str]] = {
        reason: [] for reason in ("drawn", "slow", "across", "always", "watched", "never")
    }
    for requirement in requirements:
        name = requirement.name
        runs = [run for run in planned_runs() if applies_to_run(requirement, run)]
        if name in listed:
            continue
        if requirement.check in ACROSS_RUNS:
            reasons["across"].append(name)
        elif about_endings(requirement):
            reasons["always"].append(name)
        elif _about_the_network(requirement):
            reasons["watched"].append(name)
        elif runs and all(DRAWN in run.traits for run in runs):
            reasons["drawn"].append(name)
        elif runs and all(SCENARIOS[run.scenario].slow for run in runs):
            reasons["slow"].append(name)
        elif name in measured:
            reasons["never"].append(name)
    return {reason: sorted(names) for reason, names in reasons.items()}


def _about_the_network(requirement: Requirement) -> bool:
    """Say whether only a machine that lets us watch the network exercises the requirement."""
    return requirement.selects.kind == Kind.MEASURED and requirement.selects.name == "reaches"


def unmeasured(data: Mapping[str, Any]) -> list[str]:
    """Return the requirements that the file does not name at all."""
    named = {
        name
        for kind in (CLI, REFERENCE)
        for row in data[kind]["exercised"]
        for name in row["requirements"]
    }
    for names in data["not_expected"].values():
        named.update(names)
    return [each.name for each in catalogue().requirements if each.name not in named]
