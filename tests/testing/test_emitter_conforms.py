"""The conforming emitter against the contract: two readings of the same documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pytest

from harness.checks.judge import CHECKS, Judge
from harness.checks.view import CaptureView
from harness.contract.catalogue import load
from harness.contract.versions import Version
from harness.findings import Judged, NotExercised
from harness.otlp.model import Protocol
from harness.scenarios.catalogue import SCENARIOS
from harness.scenarios.recorder import record
from harness.subject.binary import resolve
from harness.testing.versions import Promises

#: Every version in which something changes, and the one before it.
BOUNDARIES = sorted(
    {
        str(version)
        for since in (each.metadata["since"] for each in fields(Promises))
        for version in (since, Version(since.major, since.minor, since.patch - 1))
    },
    key=Version.parse,
)


def outcomes_of(version: str, protocols: Sequence[Protocol]) -> dict[str, Judged | NotExercised]:
    """Outcome of every checked requirement that applies to ``version``."""
    binary = resolve(f"reference:{version}", progress=print)
    captures = record(binary, protocols=protocols, progress=print).captures
    contract = load(Version.parse(version), checks=CHECKS, scenarios=set(SCENARIOS))
    views = [CaptureView(capture) for capture in captures]
    judge = Judge(contract)
    assert [capture.run.stderr for capture in captures] == [""] * len(captures)
    return {
        requirement.name: judge.judge(requirement, views).outcome
        for requirement in contract.requirements
        if contract.applies(requirement) and requirement.check is not None
    }


@pytest.mark.parametrize("version", ["2.1.31", "2.1.240", "2.1.330"])
def test_every_requirement_passes_over_all_three_protocols(version: str) -> None:
    outcomes = outcomes_of(version, tuple(Protocol))

    assert len(outcomes) > 150
    not_passed = {
        name: outcome
        for name, outcome in outcomes.items()
        if isinstance(outcome, NotExercised) or outcome.findings
    }
    assert not_passed == {}


@pytest.mark.parametrize("version", BOUNDARIES)
def test_nothing_fails_on_either_side_of_a_change(version: str) -> None:
    outcomes = outcomes_of(version, [Protocol.HTTP_JSON])

    judged = {name: each for name, each in outcomes.items() if isinstance(each, Judged)}
    assert len(judged) > 150
    assert {name: each.findings for name, each in judged.items() if each.findings} == {}
