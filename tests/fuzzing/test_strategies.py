"""What the strategies draw is what they promise: the model reads it so."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from harness.env_lists.pairs import Quirk, read
from harness.fuzzing.strategies import anything, near_miss, pairs, well_formed

AVOIDED = frozenset({"service.name", "a"})


@given(well_formed(AVOIDED))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_well_formed_lists_are_undisputed(text: str) -> None:
    reading = read(text)
    assert reading.well_formed
    assert not reading.quirks
    assert not {key.lower() for key in reading.attributes} & AVOIDED


@given(pairs())
def test_pairs_have_keys_of_their_own(found: list[tuple[str, str]]) -> None:
    assert len({key for key, _ in found}) == len(found)


@pytest.mark.parametrize("quirk", Quirk)
def test_a_near_miss_breaks_one_rule(quirk: Quirk) -> None:
    @given(near_miss(quirk))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
    def holds(text: str) -> None:
        assert read(text).quirks == {quirk}

    holds()


@given(anything())
def test_anything_can_stand_in_an_environment(text: str) -> None:
    assert "\0" not in text
    text.encode("utf-8")
    read(text)
