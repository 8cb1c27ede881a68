"""Which runs are made, and why others are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.capture.run import SubjectFacts
from harness.otlp.model import Protocol
from harness.relay.endpoint import parse_endpoints
from harness.relay.outlets.base import Outlet
from harness.relay.outlets.file import FileOutlet
from harness.relay.outlets.otlp import OtlpOutlet
from harness.relay.recorder import RelayPlan, record_relay
from harness.relay.scenario import RelayScenario
from harness.relay.stage import RelayStage
from harness.relay.target import Target


def never(stage: RelayStage) -> None:
    raise AssertionError("it was run")


ONCE = RelayScenario("once", never, once=True)
RESTARTS = RelayScenario("restarts", never, needs_process=True)
TROUBLED = RelayScenario("troubled", never, downstream=OtlpOutlet.stay_away)
PASSES = RelayScenario("passes", never, passes_through=True)


def plan(target: Target, *scenarios: RelayScenario, outlets: Sequence[Outlet] = ()) -> RelayPlan:
    return RelayPlan(
        target,
        SubjectFacts("a collector", "", "0.0.0"),
        scenarios,
        tuple(Protocol),
        lambda: outlets,
        (),
        1.0,
    )


@pytest.mark.parametrize(
    ("place", "protocol"), [("grpc_in", Protocol.GRPC), ("http_in", Protocol.HTTP_PROTOBUF)]
)
def test_what_does_not_depend_on_the_protocol_runs_over_one_that_is_taken(
    place: str, protocol: Protocol
) -> None:
    made = plan(Target(command=f"collector {{{place}}}"), ONCE)
    assert [each for _, each in made.runs()] == [protocol]


def test_a_collector_that_takes_nothing_is_still_planned_for() -> None:
    made = plan(Target(command="collector"), ONCE)
    assert [each for _, each in made.runs()] == [Protocol.GRPC]


def test_each_run_that_is_not_made_has_its_reason(tmp_path: Path) -> None:
    running = Target(parse_endpoints("grpc://127.0.0.1:9"))
    file = FileOutlet(tmp_path / "out.json")
    recorded = record_relay(plan(running, RESTARTS, TROUBLED, outlets=[file]), lambda text: None)
    assert recorded.captures == ()
    over_http = "--cc-collector names no place to send {} to"
    assert recorded.skipped == {
        "restarts over grpc": "needs a collector that we may stop and start: --cc-collector-cmd",
        "troubled over grpc": "needs us as the downstream: {grpc_out} or {http_out}",
        **{
            f"{name} over {protocol}": over_http.format(protocol)
            for name in ("restarts", "troubled")
            for protocol in (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON)
        },
    }


def test_where_nothing_is_seen_nothing_is_sent_through() -> None:
    recorded = record_relay(
        plan(Target(parse_endpoints("grpc+http://127.0.0.1:9")), PASSES), lambda text: None
    )
    assert set(recorded.skipped.values()) == {
        "nothing that comes out is seen: --cc-collector-out=none"
    }
