"""What a run says of itself."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from harness.capture.run import Decision, GroundTruth, Run, ToolRun
from harness.capture.serialization import from_plain, to_plain
from harness.otlp.model import Protocol


def unset(value: object) -> list[str]:
    """The fields, however deep, that hold what they would hold anyway."""
    if isinstance(value, tuple):
        return [name for each in value[:1] for name in unset(each)]
    if not dataclasses.is_dataclass(value):
        return []
    names = []
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if inner == field.default or inner in ((), {}):
            names.append(f"{type(value).__name__}.{field.name}")
        names += unset(inner)
    return names


def test_the_run_of_these_tests_uses_every_field(run: Run) -> None:
    """So that what is said of it elsewhere holds for all there is."""
    # Of a tool's result, the second has what the first has not.
    assert set(unset(run)) <= {
        "ApiCall.error_message",
        "ToolRun.result_bytes",
        "ToolRun.result_units",
    }
    assert run.truth.tool_runs[1].result_units is not None


def test_a_run_is_read_back(run: Run) -> None:
    assert from_plain(Run, to_plain(run)) == run


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_label_names_scenario_and_protocol(run: Run, protocol: Protocol) -> None:
    assert replace(run, protocol=protocol).label == f"day over {protocol.value}"


def test_tools_that_ran_were_not_rejected() -> None:
    runs = tuple(ToolRun("Bash", f"t{n}", {}, True) for n in range(4))
    decisions = (
        Decision("Bash", "t0", {}, True, "config"),
        Decision("Bash", "t1", {}, False, "user_reject"),
        Decision("Bash", "t3", {}, False, "user_abort"),
        Decision("Bash", "t9", {}, False, "config"),
    )
    truth = GroundTruth(tool_runs=runs, decisions=decisions)
    assert truth.tools_that_ran == (runs[0], runs[2])
    assert GroundTruth(tool_runs=runs).tools_that_ran == runs
