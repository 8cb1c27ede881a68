"""A collector's own log: lines that tell of lost data are found, others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.assessment.jobs import COLLECTOR
from harness.capture.capture import Capture
from harness.capture.observed import as_observed, observed
from harness.capture.run import Run, SubjectFacts
from harness.contract.catalogue import Contract
from harness.contract.requirement import MutantSpec
from harness.findings import Verdict
from harness.judging.items.measured import by_name
from harness.mutants.bench import Bench
from harness.mutants.mutate import mutate
from harness.otlp.model import Protocol
from harness.relay_themes.own_log.measures import MEASURES
from harness.relay_themes.own_log.mutants import LIES
from harness.relay_themes.own_log.observed import OwnLog, Told, read_log

#: As the OpenTelemetry Collector writes them, and others like it.
TELLING = {
    "2026-11-27T10:00:00.000Z\terror\tinternal/queue_sender.go:49\tExporting failed. Dropping data."
    '\t{"error": "no more retries left: connection refused", "dropped_items": 12}': "dropped",
    'error\tinternal/base_exporter.go:115\tExporting failed. Rejecting data.\t{"error": "sending '
    'queue is full", "rejected_items": 30}': "dropped queue_full",
    "error\texporterhelper/queued_retry.go:99\tDropping data because sending_queue is full. Try "
    "increasing queue_size.": "dropped queue_full",
    "WARN rotel::exporter: 3 log records were dropped": "dropped",
    'warn\tbatchprocessor/batch_processor.go:279\tSender failed\t{"error": "queue is full"}': (
        "queue_full"
    ),
    "warn\tmemorylimiter/memorylimiter.go:200\tMemory usage is above soft limit. Refusing data.": (
        "refused"
    ),
    'error\t{"error": "data refused due to high memory usage"}': "refused",
    'error\t{"error": "Permanent error: invalid temporality and type combination for metric '
    '\\"claude_code.token.usage\\""}': "unsupported",
    "error\tprometheusexporter/collector.go:379\tfailed to convert metric claude_code.cost.usage: "
    "unknown": "unsupported",
}

#: Of an untroubled collector, of one that tries again, and of the debug exporter.
QUIET = (
    "info\tservice@v0.161.0/service.go:238\tEverything is ready. Begin processing data.",
    "info\tinternal/retry_sender.go:126\tExporting failed. Will retry the request after interval.",
    "     -> DroppedAttributesCount: 0",
    '{"dropped_items": 0, "queue_size": 1000}',
    "info\tqueue is empty",
)


def contract() -> Contract:
    loaded = COLLECTOR.contract("0.0.0")
    own = tuple(each for each in loaded.requirements if each.name.startswith("log."))
    return replace(loaded, requirements=own)


CONTRACT = contract()
MUTANTS = [lie for requirement in CONTRACT.requirements for lie in requirement.mutants]


def capture(log: OwnLog | None) -> Capture:
    run = Run(
        scenario="passing",
        protocol=Protocol.GRPC,
        subject=SubjectFacts("otelcol", "otelcol", "0.0.0"),
        argv=("otelcol",),
        environment={},
        started_unix_nano=1,
        ended_unix_nano=2,
        exit_code=0,
        stdout="",
        stderr="",
        observed={} if log is None else as_observed(log),
    )
    return Capture(run, ())


def bench(*captures: Capture) -> Bench:
    return Bench.of(CONTRACT, captures, by_name(*MEASURES))


@pytest.mark.parametrize(("line", "kinds"), TELLING.items(), ids=lambda text: text[:40])
def test_a_line_that_tells_of_a_loss_is_found(line: str, kinds: str) -> None:
    log = read_log([QUIET[0], f"{line}\n", line])
    assert log == OwnLog(3, {kind: Told(2, line) for kind in kinds.split()})
    assert observed(capture(log).run, OwnLog) == log
    rows = bench(capture(log)).truth
    broken = {name for name, row in rows.items() if row.verdict is Verdict.FAIL}
    assert broken == {f"log.{kind}" for kind in kinds.split()}
    for name in broken:
        (finding,) = rows[name].findings
        assert f"2 of 3 lines, the first: {line[:100]}" in finding.where


def test_a_long_line_is_cut() -> None:
    log = read_log([f"Dropping data. {'x' * 10_000}"])
    assert len(log.told["dropped"].first) == 600


def test_other_lines_are_not() -> None:
    assert read_log(QUIET) == OwnLog(len(QUIET), {})
    rows = bench(capture(read_log(QUIET))).truth
    assert {row.verdict for row in rows.values()} == {Verdict.PASS}


@pytest.mark.parametrize("log", [None, OwnLog(0, {})], ids=["not ours", "empty"])
def test_where_there_is_no_log_nothing_is_a_pass(log: OwnLog | None) -> None:
    rows = bench(capture(log)).truth
    assert {row.verdict for row in rows.values()} == {Verdict.NOT_EXERCISED}


@pytest.mark.parametrize("lie", MUTANTS, ids=lambda lie: lie.name)
def test_each_lie_breaks_what_it_claims(lie: MutantSpec) -> None:
    honest = capture(read_log(QUIET))
    lied = mutate((honest,), CONTRACT.requirement(lie.breaks[0]), lie, LIES)
    rows = bench(*lied).truth
    broken = {name for name, row in rows.items() if row.verdict is not Verdict.PASS}
    assert broken == set(lie.breaks)


def test_each_lie_is_told() -> None:
    assert {str(lie.operation["named"]) for lie in MUTANTS} == set(LIES)
