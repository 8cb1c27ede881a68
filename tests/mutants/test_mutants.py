"""Power: silent -> not exercised, conforming -> pass, each lie -> exactly what it claims."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.recording import Order, record_shared
from harness.capture.capture import Capture
from harness.capture.observed import observed, with_observed
from harness.contract.catalogue import Contract, load
from harness.contract.requirement import MutantSpec, Selector
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.fuzzing.exploration import Exploration, Profile
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge
from harness.judging.verdicts import Row, decide
from harness.mutants.mutate import mutate
from harness.otlp.model import Protocol
from harness.running.recorder import record
from harness.subject.binary import Binary, resolve
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.catalogue import lies as theme_lies
from harness.themes.free_form.by_hand import by_hand
from harness.themes.headers_helper.experiment import DEFAULT_DEBOUNCE_S
from harness.themes.headers_helper.observed import HelperLog

#: One release for each document; the later one is the newest that a document describes.
RELEASES = ("2.1.31", "2.1.240")


@dataclass(frozen=True)
class Bench:
    """A contract, its judge, and what the conforming emitter left."""

    contract: Contract
    judge: Judge
    captures: tuple[Capture, ...]
    views: dict[int, CaptureView]

    @classmethod
    def of(cls, contract: Contract, captures: tuple[Capture, ...]) -> Bench:
        views = {id(capture): CaptureView(capture, MEASURES) for capture in captures}
        return cls(contract, Judge(contract, by_hand), captures, views)

    def rows(self, captures: Sequence[Capture]) -> dict[str, Row]:
        """The judge remembers what it said of a view: only what a lie changed is judged anew."""
        views = [
            self.views.get(id(capture)) or CaptureView(capture, MEASURES) for capture in captures
        ]
        return {
            each.name: decide(
                self.contract,
                each,
                self.judge.judge(each, views) if self.contract.applies(each) else None,
                NO_EXPECTATIONS,
            )
            for each in self.contract.requirements
        }


def nothing(line: str) -> None:
    """Progress is not wanted here."""


def contract_for(release: str) -> Contract:
    return load(Version.parse(release), checks=CHECKS, scenarios=SCENARIOS)


_BENCHES: dict[str, Bench] = {}


@pytest.fixture
def bench(release: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The conforming emitter, run once for each release through every scenario, whatever
    the number of workers."""
    if release not in _BENCHES:
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        folder = shared / f"conforming-{release}"
        folder.mkdir(exist_ok=True)
        binary = resolve(f"reference:{release}", progress=nothing)
        quick = tuple(each for each in SCENARIOS.values() if not each.slow)
        # Nothing is drawn: only what is always tried.
        always = Exploration("quick", Profile(0, 0), 0, None, lambda capture: (), nothing)
        order = Order(binary, quick, 60.0, None, explore=always)
        recording = record_shared(order, nothing, folder)
        assert recording.facts.problem == ""
        captures = (*recording.captures, half_an_hour(recording.captures))
        _BENCHES[release] = Bench.of(contract_for(release), captures)
    return _BENCHES[release]


def half_an_hour(captures: Sequence[Capture]) -> Capture:
    """What ``helper_half_hour`` would leave: nobody waits for it here."""
    (quick,) = (
        capture
        for capture in captures
        if (capture.run.scenario, capture.run.protocol) == ("helper_rotation", Protocol.HTTP_JSON)
    )
    helper = observed(quick.run, HelperLog)
    assert helper is not None
    first, second, *_ = helper.runs
    pause_ns = round((DEFAULT_DEBOUNCE_S + 1) * 1e9)
    later = replace(second, started_unix_nano=first.started_unix_nano + pause_ns)
    slow = replace(quick, run=replace(quick.run, scenario="helper_half_hour"))
    return with_observed(slow, replace(helper, runs=(first, later)))


def lies() -> list[object]:
    found = []
    for release in RELEASES:
        contract = contract_for(release)
        for requirement in contract.requirements:
            if contract.applies(requirement):
                found += [
                    pytest.param(release, lie, id=f"{release}-{lie.name}")
                    for lie in requirement.mutants
                ]
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_the_conforming_emitter_passes_everything_that_is_exercised(bench: Bench) -> None:
    rows = bench.rows(bench.captures)
    for requirement in bench.contract.requirements:
        row = rows[requirement.name]
        if not bench.contract.applies(requirement):
            assert row.verdict is Verdict.NOT_APPLICABLE
        elif requirement.check is None:
            assert row.verdict is Verdict.NOT_EXERCISED
            assert row.reason == requirement.awaits
        else:
            assert row.verdict is Verdict.PASS, f"{row.requirement}: {row.reason} {row.findings}"


@pytest.mark.parametrize("release", RELEASES)
def test_conforming_items_are_valid_as_a_whole(bench: Bench) -> None:
    """The published schemas stand on their own, not only in the pieces that requirements use."""
    judged = set()
    for schema in bench.contract.schemas.values():
        validator = Draft202012Validator(schema, registry=bench.contract.registry)
        properties = schema.get("properties", {})
        for view in (CaptureView(each, MEASURES) for each in bench.captures):
            for item in (*view.select(Selector("metrics")), *view.select(Selector("events"))):
                if item.unseen:  # a console or a scrape does not show an item as a whole
                    continue
                name = properties.get("name", properties.get("body", {})).get("const")
                if name is not None and name in (item.view.get("name"), item.view.get("body")):
                    validator.validate(item.view)
                    judged.add(name)
    assert len(judged) == 8 + 5, "every metric and every event of the first document"


@pytest.mark.parametrize("release", RELEASES)
def test_the_protocols_agree_on_every_requirement(bench: Bench) -> None:
    everywhere = [
        capture
        for capture in bench.captures
        if SCENARIOS[capture.run.scenario].protocols == tuple(Protocol)
        and not SCENARIOS[capture.run.scenario].apart
        and not SCENARIOS[capture.run.scenario].drawn
    ]
    assert {c.run.protocol for c in everywhere} == set(Protocol)
    for row in bench.rows(everywhere).values():
        assert len(set(row.by_protocol.values())) <= 1, row


@pytest.mark.parametrize(("release", "lie"), lies())
def test_each_lie_is_caught_and_breaks_nothing_else(bench: Bench, lie: MutantSpec) -> None:
    requirement = bench.contract.requirement(lie.owner)
    rows = bench.rows(mutate(bench.captures, requirement, lie, theme_lies()))
    caught = {name for name, row in rows.items() if row.verdict is Verdict.FAIL}
    claimed = {
        name for name in lie.breaks if bench.contract.applies(bench.contract.requirement(name))
    }
    assert caught == claimed
    assert not [row for row in rows.values() if row.verdict is Verdict.ERROR]
    for finding in rows[lie.owner].findings:
        assert finding.expected
        assert finding.seen
        assert finding.where


@pytest.mark.parametrize("release", RELEASES)
def test_the_silent_emitter_exercises_nothing(release: str) -> None:
    """It does nothing where it is driven, and cannot be driven where something must be seen."""
    contract = contract_for(release)
    argv = (sys.executable, "-m", "harness.reference.silent")
    quick = [each for each in SCENARIOS.values() if not each.slow]
    silent = Binary("silent", argv, sys.executable, release)
    done = record(silent, scenarios=quick, progress=nothing)
    assert {label.split()[0] for label in done.faults} == {"terminal_day", "api_failures"}
    assert len(done.captures) > 15
    rows = Bench.of(contract, done.captures).rows(done.captures)
    seen = {row.verdict for row in rows.values()}
    assert seen == {Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE}
    assert all(row.reason for row in rows.values())
