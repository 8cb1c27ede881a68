"""Typed values in ``Run.observed``, and out of it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from harness.capture.capture import Capture
from harness.capture.observed import (
    Observation,
    as_observed,
    edit_observed,
    observed,
    with_observed,
)
from harness.capture.run import Run, SubjectFacts
from harness.otlp.model import Protocol


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log(Observation):
    NAME = "log"

    steps: tuple[Step, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Count(Observation):
    seen: int
    waited_s: float | None = None


LOG = Log((Step(1, ("a", "b")), Step(2, ())), "/tmp/log")


def capture(values: Mapping[str, object]) -> Capture:
    run = Run(
        scenario="s",
        protocol=Protocol.GRPC,
        subject=SubjectFacts("test", "/bin/test", "2.1.31"),
        argv=(),
        environment={},
        started_unix_nano=0,
        ended_unix_nano=1,
        exit_code=0,
        stdout="",
        stderr="",
        observed=values,
    )
    return Capture(run, ())


def test_a_named_value_stands_under_its_name() -> None:
    assert as_observed(LOG) == {
        "log": {
            "steps": [{"number": 1, "words": ["a", "b"]}, {"number": 2, "words": []}],
            "path": "/tmp/log",
        }
    }


def test_fields_of_a_value_without_a_name_stand_under_their_own() -> None:
    assert as_observed(Count(2, 0.5)) == {"seen": 2, "waited_s": 0.5}
    assert as_observed(Count(2)) == {"seen": 2}


@pytest.mark.parametrize("value", [LOG, Count(2, 0.5), Count(2)], ids=repr)
def test_a_value_comes_back_from_json(value: Observation) -> None:
    kept = json.loads(json.dumps({**as_observed(value), "other": 1}))
    assert observed(capture(kept).run, type(value)) == value


def test_what_nobody_observed_is_none() -> None:
    run = capture(as_observed(Count(2))).run
    assert observed(run, Log) is None
    assert observed(capture(as_observed(LOG)).run, Count) is None


@pytest.mark.parametrize("kept", [{"seen": "2"}, {"waited_s": 1.0}, {"seen": 2, "waited_s": "1"}])
def test_what_does_not_fit_names_the_run_and_the_place(kept: Mapping[str, object]) -> None:
    with pytest.raises(ValueError, match="s over grpc: observed"):
        observed(capture(kept).run, Count)


def test_a_value_takes_the_place_of_the_one_before_and_of_no_other() -> None:
    before = capture({**as_observed(Count(2, 0.5)), **as_observed(LOG)})
    after = with_observed(before, Count(3))
    assert after.run.observed == {**as_observed(LOG), "seen": 3}
    assert before.run.observed["seen"] == 2


def test_a_value_is_edited() -> None:
    before = capture(as_observed(LOG))
    after = edit_observed(before, Log, lambda log: replace(log, path="elsewhere"))
    assert observed(after.run, Log) == replace(LOG, path="elsewhere")


def test_there_is_nothing_to_edit_where_nobody_looked() -> None:
    with pytest.raises(ValueError, match="s over grpc observed no Count"):
        edit_observed(capture({}), Count, lambda count: count)
