"""The schemas of dynamic headers and the experiments behind them say the same numbers.

A bound of the schemas is a constant of the experiment, so that neither can be changed
alone; a lie breaks its bound whatever a machine did to the run that it is told of.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.themes.headers_helper import experiment as e
from harness.themes.headers_helper.scenarios import DEBOUNCE, ROTATION, SCENARIOS

SchemaOf = Callable[[str], Mapping[str, Any]]


def test_runs_are_as_far_apart_as_the_session_asks(schema_of: SchemaOf) -> None:
    schema = schema_of("headers_helper.debounce")
    least = e.DEBOUNCE_S - e.EARLY_S
    assert schema["items"] == {"minimum": pytest.approx(least)}
    assert schema["minItems"] == e.ROTATIONS - 1  # gaps between so many runs
    assert f"at least {e.ROTATIONS - 1} pauses" in schema["title"]
    assert f"at least {least:g} s" in schema["title"]
    assert float(ROTATION.environment[DEBOUNCE]) == e.DEBOUNCE_S * 1000


def test_the_session_lasts_until_the_last_token(schema_of: SchemaOf) -> None:
    assert schema_of("headers_helper.rotation_accepted")["minimum"] == e.ROTATIONS
    # Twice as long as the rotations take where nothing is late.
    assert e.STEPS * e.STEP_S >= 2 * e.ROTATIONS * e.DEBOUNCE_S


def test_no_answer_is_older_than_a_token_lives(schema_of: SchemaOf) -> None:
    schema = schema_of("headers_helper.refreshed")
    assert schema["maximum"] == e.TOKEN_LIFE_S
    assert f"at most {e.TOKEN_LIFE_S:g} s" in schema["title"]
    assert f"runs every {e.DEBOUNCE_S:g} s" in schema["title"]
    # A subject that does as it should uses the next answer one debounce and one export
    # later; one that never asks again outlives its token within the session.
    assert e.DEBOUNCE_S + e.EXPORT_INTERVAL_S + e.GRACE_S < e.TOKEN_LIFE_S
    assert e.STEPS * e.STEP_S > e.TOKEN_LIFE_S


def test_the_default_is_29_minutes(schema_of: SchemaOf) -> None:
    schema = schema_of("headers_helper.default_29_minutes")
    least = e.DEFAULT_DEBOUNCE_S - e.DEFAULT_EARLY_S
    most = e.DEFAULT_DEBOUNCE_S + e.DEFAULT_LATE_S
    assert schema["items"] == {"minimum": least, "maximum": most}
    assert f"{least:g} to {most:g} s" in schema["title"]
    # The session waits until it would be too late, and is given the time for that.
    assert most < e.LONG_STEPS * e.LONG_STEP_S < e.LONG_WAIT_S
    # In a session of a few seconds it does not run again.
    assert schema_of("headers_helper.not_sooner")["const"] == 1


def test_a_slow_helper_takes_longer_than_an_export_interval() -> None:
    assert e.SLOW_S > 2 * e.EXPORT_INTERVAL_S


def test_the_texts_are_those_of_the_session(schema_of: SchemaOf) -> None:
    assert schema_of("headers_helper.static_kept")["const"] == e.STATIC_KEY
    assert schema_of("headers_helper.static_over_grpc")["const"] == e.STATIC_KEY
    assert schema_of("headers_helper.command_line")["const"] == list(e.ARGUMENTS)
    assert schema_of("headers_helper.several")["minItems"] == len(e.GOOD)
    assert all(
        each.environment["OTEL_EXPORTER_OTLP_HEADERS"] == f"{e.STATIC}={e.STATIC_KEY}"
        for each in SCENARIOS
    )
    assert tuple(shlex.split(shlex.join(e.ARGUMENTS))) == e.ARGUMENTS


def test_the_lies_are_lies_on_any_machine(schema_of: SchemaOf) -> None:
    started_within = schema_of("headers_helper.at_start")["maximum"]
    assert started_within == e.STARTED_WITHIN_S < e.BEGINS_LATE_S
    assert e.TOO_SOON_S < e.DEBOUNCE_S - e.EARLY_S
    # A request never arrives before the answer that it carries was given.
    assert schema_of("headers_helper.refreshed")["maximum"] < e.LATER_S
