"""Liars about custom attributes: each falls to a quick exploration; the emitter stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.recording import Recording
from harness.capture.capture import Capture
from harness.fuzzing.exploration import PROFILES, Exploration, Profile
from harness.fuzzing.inputs import first
from harness.mutants.liars import ABOUT_ATTRIBUTES, ABOUT_OTHERS, liar
from harness.running.recorder import record
from harness.subject.binary import Binary, resolve
from harness.themes.free_form.scenarios import FUZZ, Input

pytestmark = pytest.mark.slow

RELEASE = "2.1.240"
SEED = 5


def silent(line: str) -> None:
    """Take progress and say nothing."""


def never() -> Recording:
    raise AssertionError("nothing is judged but single captures")


class FoundError(Exception):
    """Ends an exploration that found what it was after."""


def explored(
    binary: Binary, profile: Profile, first: Sequence[Input], until: str = "never"
) -> Exploration:
    """Explore ``binary``; raises FoundError for a broken promise that begins with ``until``."""
    assessment = Assessment("reference", binary.version, never)

    def oracle(capture: Capture) -> Sequence[str]:
        broken = assessment.breaks(capture)
        if any(name.startswith(until) for name in broken):
            raise FoundError(broken)
        return broken

    made = Exploration("quick", profile, SEED, None, oracle, silent, first)
    recorded = record(binary, scenarios=[FUZZ], progress=silent, explore=made)
    assert recorded.faults == {}
    return made


#: For each lie, what stands in the one of the inputs that are always tried which tells.
TELLING = {
    "does not decode": "John%27s",
    "decodes twice": "%2520",
    "splits at the last equals sign": "a=b=c",
    "trims what it decoded": "padded=%20x%20",
    "drops all after an error": "before=1,a(b=c",
    "keeps all after an error": "before=1,a(b=c",
    "overrides service.name": "service.name=evil",
    "writes keys in lower case": ",A=1,",
    "loses attributes on events": "John%27s",
    "measures prompts in bytes": "\U0001f980 e\u0301",
    "shows prompts with line breaks": "<b>&amp;</b>",
    "does not decode headers": "x-encoded=a%20b",
    "cuts headers at the last equals sign": "x-equals=a=b==",
}


def telling(lie: str) -> list[Input]:
    """The inputs that tell of this lie, among those that are always tried.

    What the others do costs a session each, and shows nothing more.
    """
    text = TELLING[lie]
    found = [each for each in first() if text in each.attributes + each.headers + each.prompt]
    assert found
    return found


@pytest.mark.parametrize("lie", ABOUT_ATTRIBUTES)
def test_what_is_always_tried_finds_each_liar(lie: str, tmp_path: Path) -> None:
    binary = liar(ABOUT_ATTRIBUTES[lie], RELEASE, tmp_path)
    with pytest.raises(FoundError):
        explored(binary, Profile(0, 0), telling(lie), until="resource_attributes.")


@pytest.mark.parametrize("lie", ABOUT_OTHERS)
def test_liars_about_headers_and_prompts_are_found(lie: str, tmp_path: Path) -> None:
    broken, code = ABOUT_OTHERS[lie]
    with pytest.raises(FoundError):
        explored(liar(code, RELEASE, tmp_path), Profile(0, 0), telling(lie), until=broken)


def test_what_is_drawn_finds_a_liar_by_itself(tmp_path: Path) -> None:
    """``benchmarks/fuzz_liars.py`` tells how soon it finds each of them."""
    binary = liar(ABOUT_ATTRIBUTES["loses attributes on events"], RELEASE, tmp_path)
    with pytest.raises(FoundError):
        explored(binary, Profile(60, 0), first=(), until="resource_attributes.on_events")


@pytest.mark.parametrize("release", ["2.1.31", RELEASE])
def test_the_conforming_emitter_stands(release: str) -> None:
    """What is always tried is part of the recordings that ``test_mutants.py`` judges."""
    binary = resolve(f"reference:{release}", progress=silent)
    found = explored(binary, PROFILES["quick"], first=())
    assert found.broken_after == {}
    assert found.tally.sessions > 1
