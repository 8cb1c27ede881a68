"""What is streamed means what the ordinary judge says of the same items: true ones, and lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from harness.assessment.job import CLAUDE
from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import Judged
from harness.fleet.rules import BY_ITEM, BY_SHAPE, BY_VALUE, TOGETHER, Fleet, not_shown
from harness.fleet.stream import Stream
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.mutants.mutate import mutate
from harness.otlp.model import Signal
from harness.themes.catalogue import lies as theme_lies
from tests.fleet.lines import Recorded, as_messages, lines_of

RELEASES = ("2.1.31", "2.1.332")
SCENARIOS = ("working_day", "terminal_day", "toolbox_open", "api_failures", "frequent", "mentions")

#: What a requirement was found to be: how many findings, and of how many things looked at.
Found = Mapping[str, tuple[int, int]]

contract_of = cache(CLAUDE.contract)


def fleet_of(capture: Capture) -> Fleet:
    return Fleet({k: v for k, v in capture.run.environment.items() if k.startswith("OTEL_")})


def as_recorded(capture: Capture, fleet: Fleet) -> Capture:
    """Return the capture as one of production data: its items in requests of which nothing more
    is known."""
    exports = []
    for number, line in enumerate(lines_of(capture), start=1):
        signal = next(s for s in Signal if line.startswith(f'{{"{_KEYS[s]}"'.encode()))
        exports.append(replace(_EMPTY, sequence=number, signal=signal, body=line))
    return Capture(fleet.run(capture.run.subject.version), tuple(exports))


def streamed(contract: Contract, capture: Capture, fleet: Fleet) -> Found:
    stream = Stream(lambda version: contract, fleet)
    stream.feed(as_messages(lines_of(capture)))
    stream.end()
    assert not stream.broken
    (release,) = stream.releases.values()
    return {
        row.requirement: (release.number_broken(row.requirement), row.looked_at)
        for row in release.rows(NO_EXPECTATIONS)
        if row.looked_at
    }


def ordinary(judge: Judge, capture: Capture, fleet: Fleet) -> Found:
    view = CaptureView(as_recorded(capture, fleet))
    found = {}
    for requirement in shown(judge.contract, fleet):
        outcome = judge.alone(requirement, view)
        if isinstance(outcome, Judged):
            found[requirement.name] = (len(outcome.findings), outcome.looked_at)
    return found


def shown(contract: Contract, fleet: Fleet) -> list[Requirement]:
    return [
        each
        for each in contract.requirements
        if contract.applies(each) and not not_shown(each, fleet)
    ]


def differing(contract: Contract, one: Found, other: Found) -> list[str]:
    """Say where two judges differ: in numbers, or for what several items say together in the
    verdict alone, since there the stream counts pairs, and a session at a time."""
    checks = {each.name: each.check for each in contract.requirements}
    wrong = []
    for name in sorted(one.keys() | other.keys()):
        first, second = one.get(name), other.get(name)
        if checks[name] in TOGETHER or checks[name] == "documented":
            first, second = ((v and (bool(v[0]), True)) or (False, True) for v in (first, second))
        if first != second:
            wrong.append(f"{name}: streamed {one.get(name)}, judged {other.get(name)}")
    return wrong


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_recorded_session_is_judged_alike(
    recorded: Recorded, release: str, scenario: str
) -> None:
    capture = recorded(release, scenario)
    contract, fleet = contract_of(release), fleet_of(capture)
    seen = streamed(contract, capture, fleet)
    assert len(seen) > 80
    assert differing(contract, seen, ordinary(Judge(contract), capture, fleet)) == []


@pytest.mark.parametrize("release", RELEASES)
def test_lies_of_the_contract_are_judged_alike(recorded: Recorded, release: str) -> None:
    """Every fourteenth lie about what a capture shows; nearly all of them are found."""
    contract = contract_of(release)
    capture = recorded(release, "terminal_day")
    fleet = fleet_of(capture)
    judge = Judge(contract)
    told, missed, wrong = 0, [], []
    truth = ordinary(judge, capture, fleet)
    lies = [
        (each, lie)
        for each in shown(contract, fleet)
        for lie in each.mutants
        if each.name in truth and not truth[each.name][0]
    ]
    for requirement, lie in lies[::14]:
        try:
            (lied,) = mutate([capture], requirement, lie, theme_lies())
        except (ValueError, KeyError):
            continue
        told += 1
        seen, said = streamed(contract, lied, fleet), ordinary(judge, lied, fleet)
        wrong += [f"{lie.name}: {line}" for line in differing(contract, seen, said)]
        if not seen.get(requirement.name, (0, 0))[0]:
            missed.append(lie.name)
    assert wrong == []
    assert told >= 10
    assert missed == []


def test_every_check_has_a_place() -> None:
    """What a capture shows is judged by one of the ways, and each way is that of some check."""
    contract = contract_of("2.1.332")
    checks = {each.check for each in shown(contract, Fleet({}))}
    assert checks <= BY_SHAPE | BY_VALUE | BY_ITEM | TOGETHER
    assert len(checks) >= 12


_KEYS = {"metrics": "resourceMetrics", "logs": "resourceLogs", "traces": "resourceSpans"}
_EMPTY = Export(
    sequence=0,
    protocol=Fleet({}).run("0.0.0").protocol,
    signal=None,
    method="POST",
    path="",
    http_version="",
    headers=(),
    body=b"",
    arrived_unix_nano=0,
    peer="",
    status=200,
)
