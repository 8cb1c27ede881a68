"""The emitter's reading of OTEL_RESOURCE_ATTRIBUTES, beside the model that judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.env_lists.pairs import Quirk, read
from harness.fuzzing.strategies import anything, near_miss, well_formed
from harness.reference.custom_attributes import custom_attributes


def attributes(text: str) -> dict[str, object]:
    return dict(custom_attributes({"OTEL_RESOURCE_ATTRIBUTES": text}))


def test_without_the_variable_there_are_none() -> None:
    assert custom_attributes({}) == {}


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_nothing_is_not_malformed(text: str) -> None:
    assert attributes(text) == {}


@given(well_formed())
def test_both_readings_agree_on_what_is_allowed(text: str) -> None:
    assert attributes(text) == read(text).attributes


@given(st.sampled_from(Quirk).flatmap(near_miss) | anything())
def test_both_readings_agree_on_what_is_malformed(text: str) -> None:
    reading = read(text)
    # The model says what each pair means; the emitter takes a malformed list for none.
    assert attributes(text) == (reading.attributes if reading.well_formed else {})
