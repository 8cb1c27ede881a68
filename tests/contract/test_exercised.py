"""What runs of measured releases exercise: the packaged table, and what it says of a release."""

from __future__ import annotations

from typing import Any

import pytest

from harness.assessment.assessment import catalogue
from harness.assessment.measuring import unmeasured
from harness.contract.exercised import (
    CLI,
    COMMAND,
    PARTS,
    REFERENCE,
    Measured,
    Table,
    exercised_by,
    kind_of,
    read_exercised,
    rows_of,
)
from harness.contract.versions import Version
from harness.themes.catalogue import SCENARIOS

OLD, MIDDLE, NEW = Version(2, 1, 31), Version(2, 1, 119), Version(2, 1, 332)


def rows(*entries: dict[str, Any]) -> Table:
    data = {"measured": {"2.1.31": 2, "2.1.119": 2, "2.1.332": 2}, "exercised": list(entries)}
    return Table(rows_of(data, "exercised"))


def entry(**changes: Any) -> dict[str, Any]:
    return {"requirements": ["a.b"], "scenarios": ["day"], "since": "2.1.31", **changes}


def test_every_requirement_is_in_the_table() -> None:
    missing = unmeasured(read_exercised())
    assert not missing, (
        f"schemas/exercised.json does not know {', '.join(missing)}: record two or more sessions "
        f"(pytest --cc-binary=… --cc-scenarios=… --cc-captures=DIR), then run {COMMAND}"
    )


def test_the_table_names_nothing_that_does_not_exist() -> None:
    data = read_exercised()
    known = {requirement.name for requirement in catalogue().requirements}
    for kind in (CLI, REFERENCE):
        for part in PARTS:
            for row in data[kind][part]:
                assert set(row["scenarios"]) <= SCENARIOS.keys(), f"run {COMMAND}"
        named = {name for row in data[kind]["exercised"] for name in row["requirements"]}
        assert named <= known, f"run {COMMAND}"
    assert {name for names in data["not_expected"].values() for name in names} <= known


def test_drawn_and_slow_runs_are_not_measured() -> None:
    for kind in (CLI, REFERENCE):
        for row in read_exercised()[kind]["exercised"]:
            assert not any(
                SCENARIOS[name].drawn or SCENARIOS[name].slow for name in row["scenarios"]
            )


def test_releases_were_measured_more_than_once() -> None:
    data = read_exercised()
    assert {"2.1.31", "2.1.187", "2.1.240", "2.1.332"} <= data[CLI]["measured"].keys()
    assert {"2.1.31", "2.1.240"} <= data[REFERENCE]["measured"].keys()
    assert all(times > 1 for kind in (CLI, REFERENCE) for times in data[kind]["measured"].values())


@pytest.mark.parametrize(
    ("changes", "version", "expected"),
    [
        ({}, "2.1.31", True),
        ({}, "2.1.400", True),
        ({}, "2.1.30", False),
        ({"last": "2.1.119"}, "2.1.60", True),
        ({"last": "2.1.119"}, "2.1.119", True),
        ({"last": "2.1.119"}, "2.1.120", False),
        ({"since": "2.1.119"}, "2.1.118", False),
    ],
)
def test_newer_releases_inherit_and_gaps_do_not(
    changes: dict[str, Any], version: str, expected: bool
) -> None:
    table = rows(entry(**changes))
    found = table.measured("a.b", "day", "grpc", Version.parse(version))
    assert (found is not None) is expected


def test_a_run_is_expected_over_the_protocols_that_were_seen() -> None:
    table = rows(entry(protocols=["grpc"]))
    assert table.measured("a.b", "day", "grpc", OLD) is not None
    assert table.measured("a.b", "day", "http/json", OLD) is None
    assert table.measured("a.b", "night", "grpc", OLD) is None
    assert table.measured("a.c", "day", "grpc", OLD) is None
    assert table.names("day", "grpc", OLD).keys() == {"a.b"}
    assert table.names("day", "http/json", OLD) == {}


def test_what_was_measured_in_words() -> None:
    assert str(Measured(OLD, NEW, True)) == "on every release measured from 2.1.31 to 2.1.332"
    assert str(Measured(NEW, NEW, True)) == "on 2.1.332"


def test_the_emitter_is_a_kind_of_its_own() -> None:
    assert kind_of("reference:2.1.240") == kind_of("reference") == REFERENCE
    assert kind_of("npm:2.1.31") == kind_of("/usr/bin/claude") == CLI
    assert exercised_by(CLI) is not exercised_by(REFERENCE)
