"""Mutants of one session, in seconds: what a refactoring of the judge breaks is seen at once.

``test_mutants.py`` tells every lie about every session, in minutes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.capture.capture import Capture
from harness.contract.catalogue import Contract, load
from harness.contract.requirement import Requirement
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge
from harness.judging.verdicts import decide
from harness.mutants.mutate import mutate
from harness.otlp.model import Protocol
from harness.running.recorder import record
from harness.subject.binary import resolve
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.catalogue import lies as theme_lies
from harness.themes.free_form.by_hand import by_hand

RELEASE = "2.1.240"
#: Every lie that one session gives occasion for would take a minute.
EVERY = 3


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(Version.parse(RELEASE), checks=CHECKS, scenarios=SCENARIOS)


@pytest.fixture(scope="module")
def capture() -> Capture:
    """What the conforming emitter leaves of one working day."""
    scenario = replace(SCENARIOS["working_day"], protocols=(Protocol.HTTP_JSON,))
    done = record(
        resolve(f"reference:{RELEASE}", progress=print), scenarios=[scenario], progress=print
    )
    assert done.faults == {}
    (made,) = done.captures
    return made


@pytest.fixture(scope="module")
def judge(contract: Contract) -> Judge:
    """One for all: it remembers what it said of a value, as it does in any run."""
    return Judge(contract, by_hand)


def verdicts(judge: Judge, captures: Sequence[Capture]) -> dict[str, Verdict]:
    contract = judge.contract
    views = [CaptureView(capture, MEASURES) for capture in captures]
    return {
        each.name: decide(contract, each, judge.judge(each, views), NO_EXPECTATIONS).verdict
        for each in contract.requirements
        if contract.applies(each)
    }


def lying_captures(capture: Capture, requirements: Sequence[Requirement]) -> dict[str, Capture]:
    """The lies that this capture gives occasion for, each with the capture of the liar."""
    found = {}
    for requirement in requirements:
        for lie in requirement.mutants:
            # A session without an item of the kind has nothing to lie about.
            with contextlib.suppress(ValueError):
                (found[lie.name],) = mutate((capture,), requirement, lie, theme_lies())
    return found


def test_the_honest_session_breaks_nothing(judge: Judge, capture: Capture) -> None:
    found = set(verdicts(judge, [capture]).values())
    assert found == {Verdict.PASS, Verdict.NOT_EXERCISED}


def test_each_lie_of_the_sample_is_caught(judge: Judge, capture: Capture) -> None:
    """What else a lie breaks depends on the session, and is left to ``test_mutants.py``."""
    honest = verdicts(judge, [capture])
    lies = lying_captures(
        capture,
        [each for each in judge.contract.requirements if honest.get(each.name) is Verdict.PASS],
    )
    assert len(lies) > 200
    missed = {}
    for name in sorted(lies)[::EVERY]:
        rows = verdicts(judge, [lies[name]])
        owner, _ = name.rsplit("~", 1)
        if rows[owner] is not Verdict.FAIL or Verdict.ERROR in rows.values():
            missed[name] = rows[owner]
    assert missed == {}
