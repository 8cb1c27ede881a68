"""Compiled schemas mean what the validators of the same schemas say."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.assessment.job import CLAUDE
from harness.contract.catalogue import Contract
from harness.fleet.predicates import compiled, holds_of
from harness.fleet.rules import BY_VALUE, Fleet, not_shown
from harness.judging.checks.fields import parsed, schema_of

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 700),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", "true", "false", "<REDACTED>", "main", "Edit", "accept", "500", "1e3"]),
    st.uuids().map(str),
    st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)

contract_of = cache(CLAUDE.contract)


@pytest.mark.parametrize("release", ["2.1.31", "2.1.332"])
@settings(max_examples=40, deadline=None)
@given(value=_VALUES)
def test_functions_answer_as_validators_do(release: str, value: Any) -> None:
    for name, holds, validator, read in _pairs(release):
        assert holds(value) == validator.is_valid(read(value)), name


@cache
def _pairs(release: str) -> list[tuple[str, Any, Any, Any]]:
    contract: Contract = contract_of(release)
    made: dict[str, tuple[str, Any, Any, Any]] = {}
    for each in contract.requirements:
        if (
            contract.applies(each)
            and each.check in BY_VALUE - {"subject_version"}
            and not not_shown(each, Fleet({}))
        ):
            validator = Draft202012Validator(schema_of(each), registry=contract.registry)
            read = parsed if each.check == "json_text" else _same
            key = f"{each.check} {schema_of(each)}"
            made[key] = (each.name, holds_of(each, contract.registry), validator, read)
    return list(made.values())


def _same(value: Any) -> Any:
    return value


def test_nearly_all_schemas_are_compiled() -> None:
    """What is not is judged by its validator, which is a hundred times slower."""
    contract = contract_of("2.1.332")
    shown = [
        each
        for each in contract.requirements
        if contract.applies(each)
        and each.check in ("valid_if_present", "present_and_valid")
        and not not_shown(each, Fleet({}))
    ]
    slow = [each.name for each in shown if compiled(schema_of(each), contract.registry) is None]
    assert len(slow) * 10 < len(shown), slow
