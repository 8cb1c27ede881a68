"""Power: silent -> not exercised, conforming -> pass, each lie -> exactly what it claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.recording import read_shared
from harness.capture.capture import Capture
from harness.capture.observed import observed, with_observed
from harness.contract.catalogue import Contract, load
from harness.contract.exercised import REFERENCE, Exercised, exercised_by
from harness.contract.requirement import MutantSpec, Selector
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.judging.judge import CHECKS
from harness.mutants.bench import Bench
from harness.mutants.mutate import mutate
from harness.otlp.model import Protocol
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.catalogue import lies as theme_lies
from harness.themes.free_form.by_hand import by_hand
from harness.themes.headers_helper.experiment import DEFAULT_DEBOUNCE_S
from harness.themes.headers_helper.observed import HelperLog

pytestmark = pytest.mark.slow

#: Of so many lies one is judged in two ways, so that the quick one may be trusted.
_SAMPLED = 60

#: One release for each document; the later one is the newest that a document describes.
RELEASES = ("2.1.31", "2.1.240")


def contract_for(release: str) -> Contract:
    return load(Version.parse(release), checks=CHECKS, scenarios=SCENARIOS)


@pytest.fixture(scope="session")
def benches(recorded_in: Callable[[str], Path]) -> Callable[[str], Bench]:
    """Give the bench of a release; the views of its captures are made once."""

    @cache
    def bench(release: str) -> Bench:
        folder = recorded_in(f"reference:{release}")
        made = read_shared(folder)
        assert made is not None
        assert made.summary.problem == ""
        captures = made.captures
        # What falls silent breaks promises by the dozen: test_silencing.py tells such lies.
        sent = Exercised(sent=exercised_by(REFERENCE).sent)
        return Bench.of(
            contract_for(release),
            (*captures, half_an_hour(captures)),
            MEASURES,
            by_hand,
            measured=sent,
        )

    return bench


@pytest.fixture
def bench(release: str, benches: Callable[[str], Bench]) -> Bench:
    """What the conforming emitter of the release left in every scenario."""
    return benches(release)


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


def lies() -> list[Any]:
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


@pytest.mark.longest
@pytest.mark.parametrize("release", RELEASES)
def test_the_conforming_emitter_passes_everything_that_is_exercised(bench: Bench) -> None:
    rows = bench.truth
    for requirement in bench.contract.requirements:
        row = rows[requirement.name]
        if not bench.contract.applies(requirement):
            assert row.verdict is Verdict.NOT_APPLICABLE
        else:
            assert row.verdict is Verdict.PASS, f"{row.requirement}: {row.reason} {row.findings}"


@pytest.mark.parametrize("release", RELEASES)
def test_conforming_items_are_valid_as_a_whole(bench: Bench) -> None:
    """The published schemas stand on their own, not only in the pieces that requirements use."""
    judged = set()
    for schema in bench.contract.schemas.values():
        validator = Draft202012Validator(schema, registry=bench.contract.registry)
        properties = schema.get("properties", {})
        name = properties.get("name", properties.get("body", {})).get("const")
        for view in bench.views if name is not None else ():
            for item in (*view.select(Selector("metrics")), *view.select(Selector("events"))):
                if item.unseen:  # a console or a scrape does not show an item as a whole
                    continue
                if name in (item.view.get("name"), item.view.get("body")):
                    validator.validate(item.view)
                    judged.add(name)
    described = {
        each.selects.name
        for each in bench.contract.requirements
        if each.selects.kind in ("metric", "event") and bench.contract.applies(each)
    }
    assert {name.removeprefix("claude_code.") for name in judged} == {
        name.removeprefix("claude_code.") for name in described
    }


@pytest.mark.parametrize("release", RELEASES)
def test_the_protocols_agree_on_every_requirement(bench: Bench) -> None:
    everywhere = [
        view
        for view in bench.views
        if SCENARIOS[view.run.scenario].protocols == tuple(Protocol)
        and not SCENARIOS[view.run.scenario].judged_only_by_name
        and not SCENARIOS[view.run.scenario].drawn
    ]
    assert {view.protocol for view in everywhere} == set(Protocol)
    for row in bench.rows(everywhere).values():
        assert len(set(row.by_protocol.values())) <= 1, row


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_lie_did_not_change_need_not_be_judged_again(bench: Bench) -> None:
    """A sample of all lies, judged both ways."""
    for parameters in lies()[::_SAMPLED]:
        release, lie = parameters.values
        if release == str(bench.contract.version):
            owner = bench.contract.requirement(lie.owner)
            mutated = mutate(bench.captures, owner, lie, theme_lies())
            assert bench.rows_after(mutated) == bench.rows(bench.views_after(mutated)), lie.name


@pytest.mark.parametrize(("release", "lie"), lies())
def test_each_lie_is_caught_and_breaks_nothing_else(bench: Bench, lie: MutantSpec) -> None:
    requirement = bench.contract.requirement(lie.owner)
    rows = bench.rows_after(mutate(bench.captures, requirement, lie, theme_lies()))
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
def test_the_silent_emitter_exercises_nothing(
    release: str, recorded_in: Callable[[str], Path]
) -> None:
    """It does nothing where it is driven, and cannot be driven where something must be seen."""
    folder = recorded_in("silent")
    made = read_shared(folder)
    assert made is not None
    undriven = {run.label for run in made.summary.undriven}
    skipped = {run.label for run in made.summary.skipped}
    # Who did nothing in the session before has none to go on with.
    must_act = {
        *("terminal_day", "untrusted_declined", "commands", "commands_details"),
        *("api_failures", "compaction", "continued", "resumed"),
        *("bodies", "bodies_in_files", "content_limit", "content_limit_of_sdk"),
        *("content_limit_by_default", "content_limit_within_a_character"),
    }
    assert {label.split()[0] for label in undriven} == must_act
    # It is the same whatever its version, which is all that tells one recording from another.
    captures = tuple(of_release(release, capture) for capture in made.captures)
    driven = {
        f"{each.name} over {protocol}"
        for each in SCENARIOS.values()
        if not each.slow and not each.drawn
        for protocol in each.protocols
    }
    assert {capture.run.label for capture in captures} == driven - undriven - skipped
    rows = Bench.of(contract_for(release), captures, MEASURES, by_hand).truth
    idle = (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE)
    seen = {name: row for name, row in rows.items() if row.verdict not in idle}
    assert {name: row.verdict.value for name, row in seen.items()} == {}
    assert all(row.reason for row in rows.values())


def of_release(release: str, capture: Capture) -> Capture:
    run = capture.run
    return replace(capture, run=replace(run, subject=replace(run.subject, version=release)))
