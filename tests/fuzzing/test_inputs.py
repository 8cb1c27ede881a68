"""What drawn sessions are given."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.contract.attribute_keys import own_keys, used_keys
from harness.contract.requirement import DRAWN
from harness.env_lists.pairs import Quirk, read
from harness.fuzzing.campaign import Campaign
from harness.fuzzing.inputs import campaigns, first
from harness.otlp.model import Protocol
from harness.themes.free_form.scenarios import FUZZ, Input, fuzzed
from harness.themes.free_form.static_headers import is_reserved

CAMPAIGNS = {campaign.name: campaign for campaign in campaigns()}


def test_every_quirk_is_tried_by_itself() -> None:
    quirks = [read(given.attributes).quirks for given in first()]
    alone = {quirk for each in quirks if len(each) == 1 for quirk in each}
    # An empty member is no pair, and nobody could tell what became of it.
    assert alone == set(Quirk) - {Quirk.EMPTY_MEMBER}


def test_what_means_the_same_by_every_source_is_tried_over_every_protocol() -> None:
    sound = [each for each in first() if each.attributes and not read(each.attributes).quirks]
    assert {each.protocol for each in sound} == set(Protocol)


def test_every_input_is_tried_over_the_protocols_that_are_run() -> None:
    only = first([Protocol.HTTP_JSON])
    assert {each.protocol for each in only} == {Protocol.HTTP_JSON}
    assert {each.attributes for each in only} == {each.attributes for each in first()}
    assert {each.headers for each in only} == {each.headers for each in first()}
    assert len(set(only)) == len(only)


def test_headers_are_tried_over_both_transports() -> None:
    texts = Counter(
        (each.headers, each.protocol is Protocol.GRPC) for each in first() if each.headers
    )
    assert set(texts.values()) == {1}
    assert {text for text, grpc in texts if grpc} == {text for text, grpc in texts if not grpc}


def test_the_first_inputs_are_distinct() -> None:
    assert len(set(first())) == len(first())


@pytest.mark.parametrize("campaign", CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_what_is_drawn_can_be_run(campaign: Campaign[Input]) -> None:
    @given(campaign.strategy)
    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    def holds(given: Input) -> None:
        scenario = fuzzed(given)
        assert scenario.name == FUZZ.name
        assert DRAWN in scenario.all_traits
        assert scenario.prompt[0] not in "-/"
        for name, text in scenario.environment.items():
            assert "\0" not in text, name
            # The limit that Linux has for one string of an environment.
            assert len(f"{name}={text}".encode()) < 131_072

    holds()


def drawn_by(name: str, count: int = 40) -> list[Input]:
    found: list[Input] = []

    @given(CAMPAIGNS[name].strategy)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    def collect(given: Input) -> None:
        found.append(given)

    collect()
    return found


def test_well_formed_lists_collide_with_nothing() -> None:
    found = [read(each.attributes) for each in drawn_by("well_formed")]
    assert not any(reading.quirks for reading in found)
    assert not any(reading.attributes.keys() & own_keys() for reading in found)
    assert sum(bool(reading.members) for reading in found) > 20


def test_near_misses_have_one_quirk_each_and_it_varies() -> None:
    quirks = [read(each.attributes).quirks for each in drawn_by("near_miss", 200)]
    assert {len(each) for each in quirks} == {1}
    assert len(set.union(*map(set, quirks))) > 10


def test_collisions_are_with_what_a_session_uses() -> None:
    for each in drawn_by("collision"):
        assert read(each.attributes).attributes.keys() & used_keys()


def test_headers_that_may_stop_everything_are_judged_only_by_name() -> None:
    found = drawn_by("header")
    assert {JUDGED_ONLY_BY_NAME in fuzzed(each).all_traits for each in found} == {True}


@given(
    st.sampled_from(["well_formed", "near_miss", "collision"]).flatmap(
        lambda name: CAMPAIGNS[name].strategy
    )
)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_headers_beside_others_are_sound(given: Input) -> None:
    reading = read(given.headers)
    assert not reading.quirks
    assert not any(is_reserved(name.lower()) for name in reading.attributes)


@pytest.mark.parametrize(
    ("attributes", "by_name"),
    [
        ("a=b", False),
        ("session.id=evil", False),
        ("service.name=evil,a=b", True),
        (",".join(f"k{n}=v" for n in range(100)), False),
        (",".join(f"k{n}=v" for n in range(101)), True),
    ],
)
def test_what_leaves_telemetry_not_whole_is_judged_only_by_name(
    attributes: str, by_name: bool
) -> None:
    traits = fuzzed(Input(Protocol.GRPC, attributes)).all_traits
    assert (JUDGED_ONLY_BY_NAME in traits) is by_name


def test_a_prompt_with_the_canary_says_so() -> None:
    scenario = fuzzed(next(each for each in first() if "zq" in each.prompt))
    assert scenario.canaries["prompt"] in scenario.prompt
    assert fuzzed(Input(Protocol.GRPC)).canaries == {}
