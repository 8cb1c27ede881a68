"""Power: silent -> not exercised, conforming -> pass, each lie -> exactly what it claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain, repeat
from operator import is_
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.recording import read_shared
from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.names import short
from harness.capture.observed import observed, with_observed
from harness.contract.catalogue import Contract, load
from harness.contract.exercised import REFERENCE, Exercised, exercised_by
from harness.contract.requirement import MutantSpec, Requirement, Selector
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS
from harness.judging.verdicts import fails_the_run
from harness.mutants import editing
from harness.mutants.bench import Bench
from harness.mutants.mutate import mutate
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.messages import Request
from harness.otlp.model import Event, Protocol, Signal
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
    assert caught - {*lie.may} == claimed
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


def lost(captures: Sequence[Capture], *names: str) -> tuple[Capture, ...]:
    """The captures of a subject that never sends events or spans of these names."""
    return tuple(losing(capture, names) for capture in captures)


def losing(capture: Capture, names: Sequence[str]) -> Capture:
    exports: list[Export] = []
    for export in capture.exports:
        message = None if export.signal is Signal.METRICS else copy_message(export)
        if message is None or not sum(map(leave_out, scopes_of(message), repeat(names))):
            exports.append(export)
        elif editing.prune(message):
            exports.append(rewritten(export, message))
    same = len(exports) == len(capture.exports) and all(map(is_, exports, capture.exports))
    return capture if same else replace(capture, exports=tuple(exports))


def scopes_of(message: Request) -> Iterator[Any]:
    return chain.from_iterable(map(editing.scopes, editing.groups(message)))


def leave_out(scope: Any, names: Sequence[str]) -> int:
    """Remove the records of these names; return how many there were."""
    records = scope.log_records if hasattr(scope, "log_records") else scope.spans
    gone = [number for number, record in enumerate(records) if name_of(record) in names]
    for number in reversed(gone):
        del records[number]
    return len(gone)


def name_of(record: Any) -> str:
    """``events.user_prompt``, ``spans.tool.execution``: much as promises about it begin."""
    if hasattr(record, "span_id") and hasattr(record, "parent_span_id"):
        return f"spans.{short(record.name)}"
    texts = (pair.value.string_value for pair in record.attributes if pair.key == "event.name")
    return f"events.{next(texts, '')}"


def promised(contract: Contract) -> set[str]:
    """The names of all events that a contract knows."""
    return {
        f"events.{each.selects.name.removeprefix('claude_code.')}"
        for each in contract.requirements
        if each.selects.kind == "event" and contract.applies(each)
    }


def unnoticed(bench: Bench, *names: str) -> list[str]:
    """Of these names, those that a subject can lose all of without breaking a MUST about one."""
    views = bench.views_after(lost(bench.captures, *names))
    return [name for name in names if not noticed(bench, name, views)]


def noticed(bench: Bench, name: str, views: Sequence[CaptureView]) -> bool:
    kind, _, of = name.partition(".")
    about = [
        each
        for each in bench.contract.requirements
        if each.name.startswith(f"{kind}.{of.replace('.', '_')}.")
    ]
    # What is lost as a whole is mostly noticed by the promises that it is there.
    about.sort(key=lambda each: not each.name.endswith(("exported", "one_each")))
    return any(fails_the_run(bench.row(each, views)) for each in about)


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_is_lost_without_a_word(bench: Bench) -> None:
    """Who never sends an event, or a kind of span, breaks a promise about it: each for itself."""
    sent = {
        *(f"events.{event.attributes['event.name']!s}" for event in events_of(bench)),
        *(f"spans.{short(span.name)}" for capture in bench.captures for span in capture.spans()),
    }
    assert sent >= promised(bench.contract)
    if not any(each.name.startswith("spans.") for each in judged_in(bench)):
        sent = {name for name in sent if not name.startswith("spans.")}
    assert [name for name in sorted(sent) if unnoticed(bench, name)] == []


def test_the_loss_of_all_that_only_the_newer_document_knows(
    benches: Callable[[str], Bench],
) -> None:
    old, new = (promised(contract_for(release)) for release in RELEASES)
    assert len(new - old) >= 10
    assert unnoticed(benches(RELEASES[-1]), *sorted(new - old)) == []


def events_of(bench: Bench) -> Iterator[Event]:
    for capture in bench.captures:
        yield from (event for event in capture.events() if "event.name" in event.attributes)


def judged_in(bench: Bench) -> Iterator[Requirement]:
    return filter(bench.contract.applies, bench.contract.requirements)


def of_release(release: str, capture: Capture) -> Capture:
    run = capture.run
    return replace(capture, run=replace(run, subject=replace(run.subject, version=release)))
