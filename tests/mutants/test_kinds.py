"""What each kind of lie makes of a value."""

from __future__ import annotations

from typing import Any

import pytest

from harness.contract.requirement import Selector
from harness.mutants import kinds
from harness.mutants.fields import Field
from harness.mutants.kinds import Listed, Untellable


def attribute(name: str) -> Field:
    return Field(Selector("event", "api_request"), ("attributes", name))


COUNT = attribute("count")


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("shifted", 7, 8),
        ("shifted", "7", "8"),
        ("shifted", 0.5, 0.55),
        ("shifted", True, False),
        ("shifted", "true", "false"),
        ("shifted", "python", "pythoo"),
        ("shifted", "00000000-0000-4000-8000-00000000000f", "00000000-0000-4000-8000-00000000000a"),
        ("shifted", "2026-11-26T23:30:00.250Z", "2026-11-27T00:30:00.250Z"),
        ("shifted", '{"command":"ls"}', '{"command":"lt"}'),
        ("scaled", 3, 3000),
        ("scaled", "3", "3000"),
        ("truncated", 1234, 1230),
        ("truncated", 1.75, 1.0),
        ("truncated", "python", "pyt"),
        ("truncated", "2026-11-26T23:30:00.250Z", "2026-11-26T23:30:00Z"),
        ("other_type", 3, "3"),
        ("other_type", "3", 3),
        ("other_type", True, "true"),
        ("other_type", "true", True),
        ("other_type", "python", Listed("python")),
        ("other_case", "Python", "pYTHON"),
        ("other_unit", "2026-11-26T23:30:00.250Z", "1795735800250"),
    ],
)
def test_a_value_becomes_another(kind: str, before: Any, after: Any) -> None:
    made = kinds.OF_ONE_VALUE[kind](COUNT, before)
    assert type(made) is type(after)
    assert made == (pytest.approx(after) if isinstance(after, float) else after)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("scaled", "python"),
        ("scaled", True),
        ("truncated", True),
        ("other_case", 7),
        ("other_case", "7"),
        ("other_unit", 7),
        ("shifted", "…"),
    ],
)
def test_some_kinds_make_no_sense_for_some_values(kind: str, value: Any) -> None:
    with pytest.raises(Untellable):
        kinds.OF_ONE_VALUE[kind](COUNT, value)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("duration_ms", 1500, 1),
        ("duration_ms", "1500", "1"),
        ("tool_result_size_bytes", 4096, 4),
        ("cost_usd", 0.25, 25.0),
        ("cost_usd_micros", 250_000, 250),
    ],
)
def test_a_quantity_is_told_in_another_unit(name: str, before: Any, after: Any) -> None:
    assert kinds.other_unit(attribute(name), before) == after


def test_a_time_in_nanoseconds_is_moved_by_an_hour() -> None:
    field = Field(Selector("events"), ("time_unix_nano",))
    assert kinds.shifted(field, 5_250_000_000) == 3_605_250_000_000
    assert kinds.truncated(field, 5_250_000_000) == 5_000_000_000
    assert kinds.other_unit(field, 5_250_000_000) == 5_250_000
    with pytest.raises(Untellable):
        kinds.scaled(field, 5)


def test_what_the_protocol_types_has_no_other_type() -> None:
    with pytest.raises(Untellable, match="protocol"):
        kinds.other_type(Field(Selector("metric", "claude_code.cost.usage"), ("unit",)), "USD")
    value = Field(Selector("metric", "claude_code.cost.usage"), ("value",))
    assert isinstance(kinds.other_type(value, 2.0), int)
    assert isinstance(kinds.other_type(value, 2), float)
