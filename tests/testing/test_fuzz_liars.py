"""Liars about custom attributes: each falls to a quick exploration; the emitter stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.fuzzing.exploration import PROFILES, Exploration, Profile
from harness.scenarios.fuzz import FUZZ, Input
from harness.scenarios.recorder import record
from harness.subject.binary import Binary, resolve
from harness.suite.assessment import Assessment
from harness.suite.recording import Recording
from harness.testing.liars import ABOUT_ATTRIBUTES, ABOUT_OTHERS, liar

RELEASE = "2.1.240"
SEED = 5


def silent(line: str) -> None:
    """Take progress and say nothing."""


def never() -> Recording:
    raise AssertionError("nothing is judged but single captures")


def explored(binary: Binary, profile: Profile, first: Sequence[Input] | None = None) -> Exploration:
    assessment = Assessment("reference", binary.version, never)
    contract = assessment.contract
    asked = [each for each in contract.requirements if contract.applies(each) and each.check]

    def oracle(capture: Capture) -> Sequence[str]:
        return assessment.breaks(asked, capture)

    made = Exploration("quick", profile, SEED, None, oracle, silent)
    if first is not None:
        made.first = first
    recorded = record(binary, scenarios=[FUZZ], progress=silent, explore=made)
    assert recorded.faults == {}
    return made


@pytest.mark.parametrize("lie", ABOUT_ATTRIBUTES)
def test_what_is_always_tried_finds_each_liar(lie: str, tmp_path: Path) -> None:
    found = explored(liar(ABOUT_ATTRIBUTES[lie], RELEASE, tmp_path), Profile(0, 0))
    assert any(name.startswith("resource_attributes.") for name in found.broken_after)


@pytest.mark.parametrize("lie", ABOUT_OTHERS)
def test_liars_about_headers_and_prompts_are_found(lie: str, tmp_path: Path) -> None:
    broken, code = ABOUT_OTHERS[lie]
    found = explored(liar(code, RELEASE, tmp_path), Profile(0, 0))
    assert broken in found.broken_after


def test_what_is_drawn_finds_a_liar_by_itself(tmp_path: Path) -> None:
    """``benchmarks/fuzz_liars.py`` tells how soon it finds each of them."""
    binary = liar(ABOUT_ATTRIBUTES["loses attributes on events"], RELEASE, tmp_path)
    found = explored(binary, Profile(10, 0), first=())
    assert "resource_attributes.on_events" in found.broken_after


@pytest.mark.parametrize("release", ["2.1.31", RELEASE])
def test_the_conforming_emitter_stands(release: str) -> None:
    binary = resolve(f"reference:{release}", progress=silent)
    found = explored(binary, PROFILES["quick"])
    assert found.broken_after == {}
    assert found.tally.sessions > len(found.first)
