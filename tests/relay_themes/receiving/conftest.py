"""Servers in miniature on which the probes are tried, and the promises that these break."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import pytest
from miniature_receiving import Behaviour, grpc_server, http_server

from harness.assessment.jobs import COLLECTOR
from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.observed import as_observed
from harness.capture.run import Run, SubjectFacts
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import Judged
from harness.judging.items.measured import by_name
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.otlp.model import Protocol
from harness.relay.endpoint import Endpoint
from harness.relay_themes.receiving.measures import MEASURES
from harness.relay_themes.receiving.observed import Probes
from harness.relay_themes.receiving.scenarios import SCENARIO, observe


def server(behaviour: Behaviour, protocol: Protocol) -> contextlib.AbstractContextManager[Endpoint]:
    make = grpc_server if protocol is Protocol.GRPC else http_server
    return make(behaviour)


#: Names of broken promises -> what was seen, by the captures of some runs.
Broken = Callable[[Sequence[Capture]], dict[str, list[str]]]
Record = Callable[..., Capture]


def capture_of(
    probes: Probes, protocol: Protocol, exports: Sequence[Export], traits: tuple[str, ...] = ()
) -> Capture:
    run = Run(
        scenario=SCENARIO,
        protocol=protocol,
        subject=SubjectFacts("a server", "", "2.1.332"),
        argv=(),
        environment={},
        started_unix_nano=0,
        ended_unix_nano=1,
        exit_code=0,
        stdout="",
        stderr="",
        traits=traits,
        observed=as_observed(probes),
    )
    return Capture(run, tuple(exports))


@pytest.fixture(scope="session")
def record() -> Record:
    """Run the probes of a protocol against a server that behaves so, and return the capture."""

    def run(behaviour: Behaviour, protocol: Protocol, timeout_s: float = 60) -> Capture:
        # Patient, for the machine may be busy.
        with server(behaviour, protocol) as endpoint:
            probes = observe(endpoint, protocol, timeout_s=timeout_s)
        return capture_of(probes, protocol, behaviour.exports)

    return run


@pytest.fixture(scope="session")
def behave() -> type[Behaviour]:
    return Behaviour


@pytest.fixture(scope="session")
def capture_with() -> Callable[..., Capture]:
    """Make a capture of probes, their protocol, and the exports that came out."""
    return capture_of


def views(captures: Sequence[Capture]) -> list[CaptureView]:
    return [CaptureView(capture, by_name(*MEASURES)) for capture in captures]


@pytest.fixture(scope="session")
def promises() -> tuple[Contract, tuple[Requirement, ...]]:
    """The contract of collectors, and what it says of receiving."""
    contract = COLLECTOR.contract("0.0.0")
    return contract, tuple(
        each for each in contract.requirements if each.name.startswith("receiving.")
    )


@pytest.fixture(scope="session")
def viewed() -> Callable[[Sequence[Capture]], list[CaptureView]]:
    return views


@pytest.fixture(scope="session")
def broken(promises: tuple[Contract, tuple[Requirement, ...]]) -> Broken:
    """The promises that captures break, each with what was seen."""
    contract, requirements = promises
    judge = Judge(contract)

    def judged(captures: Sequence[Capture]) -> dict[str, list[str]]:
        made = views(captures)
        outcomes = {each.name: judge.judge(each, made).outcome for each in requirements}
        return {
            name: [f"{finding.seen} at {finding.where}" for finding in outcome.findings]
            for name, outcome in outcomes.items()
            if isinstance(outcome, Judged) and outcome.findings
        }

    return judged
