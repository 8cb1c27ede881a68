"""Where custom attributes arrived, and the lies about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import ApiCall, GroundTruth
from harness.contract.attribute_keys import item_keys, own_keys, resource_keys
from harness.themes.free_form.custom_attributes import SWITCH, VARIABLE, custom_attributes
from harness.themes.free_form.mutants import LIES

if TYPE_CHECKING:
    from tests.conftest import Require, Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
OWN = {"service.name": "claude-code"}
ON_EVENTS = {"session.id": "s", "event.name": "e", "event.timestamp": "t"}


Sent = Callable[..., Capture]


@pytest.fixture
def sent(viewer: Viewer) -> Sent:
    """A session with ``text`` set, whose resources and items carry these attributes."""

    def make(
        text: str,
        resource: Mapping[str, Any],
        labels: Mapping[str, Any] | None = None,
        **environment: str,
    ) -> Capture:
        own = {**(resource if labels is None else labels)}
        return viewer(
            points=[("a", 1.0, {**own, "session.id": "s"}), ("a", 2.0, {**own, "session.id": "s"})],
            events=[{"body": "b", "attributes": {**own, **ON_EVENTS}}],
            resource={**OWN, **resource},
            environment={VARIABLE: text, **environment},
            truth=ASKED,
            scenario="fuzz",
        ).capture

    return make


def views(capture: Capture) -> dict[str, Mapping[str, Any]]:
    """By kind and signal."""
    return {
        " ".join(filter(None, (item.view["kind"], item.view.get("signal")))): item.view
        for item in custom_attributes(capture)
    }


def owners(key: str) -> list[str]:
    """The kinds of place that have this key of their own."""
    kinds = {"resource": resource_keys(), "labels": item_keys()}
    return [kind for kind, keys in kinds.items() if key in keys.all]


def test_nothing_is_measured_where_the_variable_is_not_set(viewer: Viewer) -> None:
    assert custom_attributes(viewer(points=[("a", 1.0, {})]).capture) == []


def test_what_arrives_as_it_was_meant_is_not_wrong(sent: Sent) -> None:
    seen = views(sent("a=x%20y,b=", {"a": "x y", "b": ""}))
    places = ("resource metrics", "resource logs", "labels metrics", "labels logs")
    assert set(seen) == {"session", *places}
    for place in places:
        view = seen[place]
        assert (view["quirks"], view["collides"], view["wrong"]) == ([], [], {})
        assert (view["came"], view["kept"], view["differs"]) == (["a", "b"], [], [])
        assert (view["others"], view["encoded"], view["included"]) == ("all", True, True)
    assert seen["session"]["ended"] == {"exit_code": 0, "asked": 1}


def test_what_is_wrong_says_what_was_expected_and_seen(sent: Sent) -> None:
    seen = views(sent("a=x%20y,b=1", {"a": "x%20y", "made.up": "1"}, {"b": "1"}))
    assert seen["resource metrics"]["wrong"] == {
        "a": {"expected": "x y", "seen": "x%20y"},
        "b": {"expected": "1", "seen": None},
        "made.up": {"expected": None, "seen": "1"},
    }
    # Of an item nobody knows what else it may carry.
    assert seen["labels logs"]["wrong"] == {"a": {"expected": "x y", "seen": None}}
    assert seen["labels logs"]["differs"] == ["a", "b"]


def test_a_pair_must_be_on_every_item(viewer: Viewer) -> None:
    capture = viewer(
        points=[("a", 1.0, {"a": "1"}), ("a", 2.0, {}), ("a", 3.0, {"a": "2"})],
        environment={VARIABLE: "a=1"},
    ).capture
    wrong = views(capture)["labels metrics"]["wrong"]
    assert wrong == {"a": {"expected": "1", "seen": [None, "1", "2"]}}


@pytest.mark.parametrize(
    ("resource", "kept", "others"),
    [
        ({}, [], "none"),
        ({"before": "1"}, [], "some"),
        ({"before": "1", "ok": "1"}, [], "all"),
        ({"before": "1", "odd": "x y", "ok": "1"}, ["odd"], "all"),
    ],
)
def test_what_became_of_a_malformed_value(
    sent: Sent, resource: Mapping[str, str], kept: list[str], others: str
) -> None:
    view = views(sent("before=1,odd=x y,ok=1", resource))["resource logs"]
    assert view["quirks"] == ["space_in_value"]
    assert (view["kept"], view["others"]) == (kept, others)


def test_without_any_pair_there_are_no_others(sent: Sent) -> None:
    assert "others" not in views(sent("odd", {}))["resource logs"]


def test_a_collision_is_told_apart_from_what_is_wrong(sent: Sent) -> None:
    seen = views(sent("service.name=evil,session.id=evil,ok=1", {"ok": "1"}))
    resource, labels = seen["resource logs"], seen["labels logs"]
    assert (resource["collides"], resource["overridden"]) == (["service.name"], [])
    assert (labels["collides"], labels["overridden"]) == (["session.id"], [])
    # On the resource session.id is an attribute like any other.
    assert resource["wrong"] == {"session.id": {"expected": "evil", "seen": None}}
    assert labels["wrong"] == {"service.name": {"expected": "evil", "seen": None}}


@pytest.mark.parametrize("key", sorted(own_keys()))
def test_a_key_of_the_cli_is_not_judged_by_the_value_of_the_text(sent: Sent, key: str) -> None:
    """Each place that has the key keeps its own value, or has none."""
    capture = sent(f"{key}=x,ok=1", {"ok": "1"})
    seen = views(capture)
    places = [f"{kind} {signal}" for kind in owners(key) for signal in ("metrics", "logs")]
    assert places
    for place in places:
        assert seen[place]["collides"] == [key]
        assert (seen[place]["wrong"], seen[place]["came"]) == ({}, ["ok"])
    elsewhere = seen.keys() - {"session", *places}
    for place in elsewhere:
        assert seen[place]["wrong"] == {key: {"expected": "x", "seen": None}}, place


@pytest.mark.parametrize("key", sorted(item_keys().all))
def test_an_item_may_have_two_values_of_a_key_of_the_cli(viewer: Viewer, key: str) -> None:
    """The CLI's own where an item has one, the text's on the others."""
    others = {"ok": "1"}
    capture = viewer(
        points=[("a", 1.0, {**others, key: "own"}), ("a", 2.0, {**others, key: "x"})],
        events=[
            {"body": "b", "attributes": {**others, key: "own"}},
            {"body": "b", "attributes": {**others, key: "x"}},
        ],
        environment={VARIABLE: f"{key}=x,ok=1"},
    ).capture
    seen = views(capture)
    for signal in ("metrics", "logs"):
        assert seen[f"labels {signal}"]["wrong"] == {}
        assert seen[f"labels {signal}"]["differs"] == ["ok"], "the resource has none here"


def test_a_pair_that_is_lost_beside_a_key_of_the_cli_is_found(sent: Sent) -> None:
    seen = views(sent("prompt=x,tool_name=x,speed=x,ok=1", {}))
    for signal in ("metrics", "logs"):
        wrong = seen[f"labels {signal}"]["wrong"]
        assert wrong == {"ok": {"expected": "1", "seen": None}}


def test_an_overridden_key_came_with_the_values_of_the_text(sent: Sent) -> None:
    view = views(sent("service.name=evil", {"service.name": "evil"}))["resource metrics"]
    assert (view["overridden"], view["wrong"]) == (["service.name"], {})


def test_the_switch_is_told(sent: Sent) -> None:
    seen = views(sent("a=1", {"a": "1"}, {}, **{SWITCH: "false"}))
    assert seen["labels metrics"]["included"] is False
    assert seen["labels metrics"]["came"] == []


def test_more_pairs_than_an_event_can_hold(sent: Sent) -> None:
    pairs = {f"k{n}": "v" for n in range(101)}
    text = ",".join(f"{key}=v" for key in pairs)
    seen = views(sent(text, pairs))
    assert set(seen) == {
        *("session", "crowded", "labels metrics", "resource metrics", "resource logs"),
    }
    assert seen["crowded"]["lost"] == []


def test_own_attributes_that_were_crowded_out(viewer: Viewer) -> None:
    text = ",".join(f"k{n}=v" for n in range(101))
    capture = viewer(
        events=[
            {"body": "b", "attributes": ON_EVENTS},
            {"body": "b", "attributes": {"session.id": "s"}},
        ],
        environment={VARIABLE: text},
    ).capture
    assert views(capture)["crowded"]["lost"] == ["event.name", "event.timestamp"]


def test_a_session_that_did_nothing_has_ended_all_the_same(viewer: Viewer) -> None:
    capture = viewer(environment={VARIABLE: "a=1"}, exit_code=-9).capture
    assert views(capture) == {
        "session": {"kind": "session", "ended": {"exit_code": -9, "asked": 0}}
    }


@pytest.mark.parametrize(
    ("lie", "field", "value"),
    [
        ("attribute_lost", "wrong", {"a": {"expected": "x y", "seen": None}}),
        ("attributes_lost", "came", []),
        ("attribute_changed", "wrong", {"a": {"expected": "x y", "seen": "x y%20"}}),
        ("attribute_added", "wrong", {"made.up": {"expected": None, "seen": "x"}}),
        ("first_attribute_kept", "others", "some"),
    ],
)
def test_a_lie_is_told_where_the_requirement_looks(
    sent: Sent, requirement: Require, lie: str, field: str, value: object
) -> None:
    truth = sent("a=x%20y,b=1", {"a": "x y", "b": "1"})
    asks = requirement(
        "valid_if_present",
        kind="measured",
        name="custom_attributes",
        scenarios=("fuzz",),
        where={"kind": "resource", "signal": "logs"},
    )
    mutated = views(LIES[lie](truth, asks))
    assert mutated["resource logs"][field] == value
    assert mutated["resource metrics"] == views(truth)["resource metrics"]


def test_where_a_requirement_speaks_of_nothing_there_is_no_lie(
    sent: Sent, requirement: Require
) -> None:
    truth = sent("a=1", {"a": "1"})
    asks = requirement(
        "valid_if_present", kind="measured", name="custom_attributes", where={"quirks": ["quotes"]}
    )
    for lie in ("attribute_lost", "attributes_kept", "own_attributes_lost", "session_lost"):
        assert LIES[lie](truth, asks) is truth
