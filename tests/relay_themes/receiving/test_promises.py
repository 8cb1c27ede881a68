"""A server that keeps every rule passes every promise, and each lie breaks what it claims."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from harness.capture.capture import Capture
from harness.capture.observed import observed, with_observed
from harness.collector.tls import Tls
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import Judged
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.mutants.mutate import mutate
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.model import Protocol
from harness.relay.endpoint import ClientTls
from harness.relay_themes.receiving.measures import receiving
from harness.relay_themes.receiving.mutants import LIES
from harness.relay_themes.receiving.observed import Probes
from harness.relay_themes.receiving.telemetry import MARKER

if TYPE_CHECKING:
    from miniature_receiving import Behaviour

    from tests.relay_themes.receiving.conftest import Broken, Record

Promises = tuple[Contract, tuple[Requirement, ...]]

CERTIFICATE = "receiving.authentication.certificate"


@pytest.fixture(scope="module")
def conforming(behave: type[Behaviour], record: Record) -> tuple[Capture, ...]:
    """A run over each protocol against a server that keeps every rule."""
    with ThreadPoolExecutor(3) as threads:
        return tuple(threads.map(lambda protocol: record(behave(), protocol), Protocol))


@pytest.fixture(scope="module")
def small(conforming: Sequence[Capture]) -> tuple[Capture, ...]:
    """The same with three connections at once, and large requests with their last item alone."""
    return tuple(map(_small, conforming))


@pytest.fixture(scope="module")
def certified(behave: type[Behaviour], record: Record) -> tuple[Capture, ...]:
    """The same with a server that asks for a certificate, which we show, and takes odd items."""
    authority = trustme.CA()
    issued, ours = authority.issue_cert("127.0.0.1"), authority.issue_cert("client@here")
    ca = authority.cert_pem.bytes()
    tls = Tls(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes(), ca)
    shown = ClientTls(ca, ours.cert_chain_pems[0].bytes(), ours.private_key_pem.bytes())
    return tuple(
        _small(record(behave(tls=tls, shown=shown, lenient=True), protocol))
        for protocol in Protocol
    )


def _small(capture: Capture) -> Capture:
    many = observed(capture.run, Probes)
    assert many is not None
    few = Probes(tuple(one for one in many.probed if one.number <= 3))
    kept = {one.marker.encode() for one in few.probed}
    exports = []
    for export in capture.exports:
        message: Any = copy_message(export)
        if len(export.body) > 1_000_000:
            del message.resource_logs[0].scope_logs[0].log_records[:-1]
            export = rewritten(export, message)
        marker = MARKER.search((export.content or b"").decode("utf-8", "replace"))
        if marker is not None and marker[0].encode() in kept:
            exports.append(export)
    return with_observed(replace(capture, exports=tuple(exports)), few)


#: What only a server shows that is overloaded.
OF_THE_OVERLOADED = {
    "receiving.throttling.code",
    "receiving.throttling.retry_after",
    "receiving.throttling.status",
}


def test_every_promise_is_kept_and_exercised(
    conforming: Sequence[Capture],
    certified: Sequence[Capture],
    promises: Promises,
    broken: Broken,
    viewed: Any,
) -> None:
    captures = [*conforming, *certified]
    assert broken(captures) == {}
    assert unexercised(promises, viewed(captures)) == OF_THE_OVERLOADED
    assert len(promises[1]) > 85


def test_each_lie_breaks_exactly_what_it_claims(
    small: Sequence[Capture], certified: Sequence[Capture], promises: Promises, broken: Broken
) -> None:
    assert broken(small) == {}
    wrong = {}
    for requirement in promises[1]:
        captures = certified if requirement.name == CERTIFICATE else small
        for lie in requirement.mutants:
            found = set(broken(mutate(captures, requirement, lie, LIES)))
            if found != set(lie.breaks):
                wrong[f"{lie.name} {lie.operation}"] = found ^ set(lie.breaks)
    assert wrong == {}


def unexercised(promises: Promises, made: Sequence[CaptureView]) -> set[str]:
    contract, requirements = promises
    judge = Judge(contract)
    outcomes = {each.name: judge.judge(each, made).outcome for each in requirements}
    return {name for name, outcome in outcomes.items() if not isinstance(outcome, Judged)}


def test_every_lie_is_told(promises: Promises) -> None:
    told = {lie.operation["named"] for each in promises[1] for lie in each.mutants}
    assert told == set(LIES)


def test_each_probe_is_the_matter_of_a_promise(
    conforming: Sequence[Capture], certified: Sequence[Capture], promises: Promises
) -> None:
    named = {
        str(where["probe"])
        for each in promises[1]
        if isinstance(where := each.params.get("where", {}), dict)
        and isinstance(where.get("probe"), str)
    }
    captures = [*conforming, *certified]
    sent = {item.view["probe"] for capture in captures for item in receiving(capture)}
    assert named == sent
