"""Collectors with one fault fail the promises that name it, and no others; one without, none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from miniature import FAULTS

from harness.findings import Verdict

if TYPE_CHECKING:
    from tests.miniatures.conftest import Judge

pytestmark = pytest.mark.slow

OVER_GRPC, OVER_HTTP = "--grpc-out {grpc_out}", "--http-out {http_out}"
AS_JSON, SCRAPED = "--json-out {http_out}", "--scrape {scrape}"
#: What a transparent relay does not exercise: nothing is declared, nobody needs a password or a
#: certificate, nothing is too much for it, it says what it rejects, no series come out over OTLP,
#: and the CLI does not send everything that OTLP has.
UNEXERCISED = {
    *("passing.declared.used", "passing.declared.kept_to"),
    *("privacy.must_not_come_out.tested", "privacy.must_not_come_out.keys"),
    *("privacy.must_not_come_out.values", "privacy.must_not_come_out.content"),
    *("receiving.authentication.anonymous", "receiving.authentication.impostor"),
    *("receiving.authentication.certificate", "receiving.partial.told"),
    *("receiving.throttling.code", "receiving.throttling.retry_after"),
    "receiving.throttling.status",
    *("passing.metrics.exemplars", "passing.metrics.metadata"),
    *("passing.entities.kept", "passing.dropped_counts.kept"),
    *("series.total.otlp", "series.total.write"),
    # The miniature prints nothing.
    *("log.dropped", "log.queue_full", "log.refused", "log.unsupported"),
}
EVERY_SIGNAL = ("metrics", "logs", "traces")


@dataclass(frozen=True)
class Case:
    """A fault, where it shows, what fails there, and what one of the findings says of it."""

    fault: str
    scenario: str
    fails: frozenset[str]
    told: str
    ways: str = OVER_GRPC
    may: frozenset[str] = frozenset()
    settle_s: float = 2.0

    def __str__(self) -> str:
        return f"{self.fault} {self.scenario} {self.ways.split()[0].strip('-')}"


def case(fault: str, scenario: str, fails: str, told: str, **more: object) -> Case:
    """Make a case; ``fails`` are names without what all promises of the scenario begin with."""
    return Case(fault, scenario, frozenset(fails.split()), told, **more)  # type: ignore[arg-type]


def each(pattern: str) -> str:
    return " ".join(pattern.format(signal) for signal in EVERY_SIGNAL)


RECEIVING = (
    case(
        "ok_to_garbage",
        "receiving",
        "receiving.malformed.truncated receiving.malformed.garbage receiving.malformed.bit_flipped "
        "receiving.malformed.bit_flipped_inside receiving.malformed.other_encoding "
        "receiving.malformed.not_accepted receiving.nothing_lost receiving.invalid_utf8.http",
        'probe garbage · /v1/logs · status: expected "400" (string), saw "200" (string)',
    ),
    case(
        "error_to_garbage",
        "receiving",
        "receiving.malformed.truncated receiving.malformed.garbage receiving.malformed.bit_flipped "
        "receiving.malformed.bit_flipped_inside receiving.malformed.other_encoding "
        "receiving.malformed.no_gzip receiving.malformed.truncated_gzip "
        "receiving.malformed.no_server_error receiving.invalid_utf8.http",
        'probe garbage · /v1/logs · status: expected "400" (string), saw "500" (string)',
    ),
    case(
        "ignores_gzip",
        "receiving",
        "receiving.gzip receiving.framing.chunked_gzip receiving.nothing_lost "
        "receiving.large.gzip receiving.large.bomb receiving.malformed.no_gzip "
        "receiving.malformed.truncated_gzip receiving.malformed.not_accepted",
        "probe gzip · /v1/logs · fate: expected accepted, and delivered once where that is seen, "
        'saw "lost" (string)',
    ),
    case(
        "closes_connections",
        "receiving",
        "receiving.connections.pipelined receiving.connections.kept_alive",
        "probe kept_alive, request 2 · /v1/logs · reused: expected true (boolean), saw false",
    ),
    case(
        "json_to_protobuf",
        "receiving",
        "receiving.response.body receiving.response.content_type receiving.partial.told",
        "no ExportLogsServiceResponse",
    ),
    case(
        "plain_text",
        "receiving",
        "receiving.response.content_type receiving.response.error_content_type",
        "same_content_type: expected true (boolean), saw false",
    ),
    case(
        "no_strangers",
        "receiving",
        "receiving.unknown_fields.request receiving.unknown_fields.resource "
        "receiving.unknown_fields.scope receiving.unknown_fields.item "
        "receiving.unknown_fields.value",
        "probe unknown_in_item",
    ),
    case(
        "wants_a_length",
        "receiving",
        "receiving.framing.chunked receiving.framing.chunked_gzip receiving.framing.cli_chunked",
        "probe chunked",
    ),
)
PASSING = (
    case("loses_every_tenth", "passing", each("passing.{}.not_lost"), "2 of 21 lost"),
    case("doubles_requests", "passing", each("passing.{}.not_repeated"), "8 of 16 repeated"),
    case(
        "stringifies_numbers",
        "passing",
        "passing.attributes.type",
        'attributes.event.sequence was 0 (int), came out as "0" (string)',
    ),
    case(
        "drops_unknown_attributes",
        "passing",
        "passing.attributes.not_lost",
        'attributes.anthropic.provider was "firstParty" (string), came out as nothing',
    ),
    case(
        "drops_empty_values",
        "passing",
        "passing.attributes.not_lost",
        "attributes.managed_settings.sources was [] (array), came out as nothing",
    ),
    case(
        "forgets_scope",
        "passing",
        "passing.scope.kept",
        'scope.name was "com.anthropic.claude_code" (string), came out as "" (string)',
    ),
    case(
        "swaps_temporality",
        "passing",
        "passing.metrics.temporality",
        'temporality was "delta" (string), came out as "cumulative" (string)',
    ),
    case(
        "makes_gauges",
        "passing",
        "passing.metrics.type passing.metrics.temporality passing.metrics.monotonic",
        'type was "sum" (string), came out as "gauge" (string)',
    ),
    case("rounds_times", "passing", each("passing.{}.times"), "ns earlier"),
    case(
        "writes_to_the_resource",
        "passing",
        "passing.resource.not_added",
        "resource.attributes.session.id was nothing, came out as",
    ),
    case(
        "merges_sessions",
        "side_by_side",
        "passing.side_by_side.kept_apart passing.attributes.value",
        "attributes.session.id was",
    ),
    case(
        "last_resource_for_all",
        "side_by_side",
        "passing.side_by_side.kept_apart passing.resource.value",
        "resource.attributes.service.instance.id was",
    ),
    case(
        "drops_events_without_body",
        "every_field",
        "passing.every_field.not_lost",
        "event cc_otel.every_field.2 · 1 of 1 lost",
    ),
    case("loses_exemplars", "every_field", "passing.every_field.metrics", "exemplars was [{"),
)
DISTURBED = (
    *(
        one
        for ways, code in ((OVER_GRPC, "RESOURCE_EXHAUSTED"), (OVER_HTTP, "HTTP 429"))
        for one in (
            case(
                "never_sends_again",
                "downstream_refuses",
                "passing.refused.not_lost passing.refused.sent_again",
                f"answered with {code}, to be sent again after 1 s: never sent again",
                ways=ways,
            ),
            case(
                "heeds_no_delay",
                "downstream_refuses",
                "passing.refused.delay",
                "to be sent again after 1 s: sent again after 0.",
                ways=ways,
            ),
            case(
                "doubles_on_retry",
                "downstream_refuses",
                "passing.refused.not_repeated",
                "1 of 2 repeated",
                ways=ways,
            ),
            case(
                "never_sends_again", "downstream_away", "passing.away.not_lost", "lost", ways=ways
            ),
        )
    ),
    case("keeps_nothing", "killed", "passing.killed.not_lost", "1 of 1 lost"),
    case(
        "forgets_at_the_end",
        "restart",
        "passing.restart.not_lost",
        "restart over http/protobuf -> grpc",
        settle_s=5,
    ),
)
SERIES = (
    case(
        "replaces_after_gaps",
        "idle_gaps",
        "series.total.scrape series.total.idle_gaps",
        "deltas with gaps go into the `prometheus` exporter",
        ways=SCRAPED,
        # Whether a scrape falls between two requests is left to chance.
        may=frozenset({"series.resets"}),
    ),
    case(
        "replaces_after_gaps",
        "without_session_id",
        "series.total.scrape series.total.without_session_id",
        "several processes write one series",
        ways=SCRAPED,
        may=frozenset({"series.resets"}),
    ),
    case(
        "resets_counters",
        "passing",
        "series.total.scrape series.resets",
        "a counter began again without a restart",
        ways=SCRAPED,
    ),
)
CASES = (*RECEIVING, *PASSING, *DISTURBED, *SERIES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_is_found_and_named(case: Case, judge: Judge) -> None:
    found = judge(
        f"--cc-scenarios={case.scenario}",
        "--cc-protocols=http/protobuf",
        f"--cc-collector-settle={case.settle_s}",
        fault=case.fault,
        ways=case.ways,
    )
    assert set(found.failed) - case.may == case.fails, found.output
    told = [name for name, text in found.failed.items() if case.told in text]
    assert told, found.failed


def test_every_fault_is_tried() -> None:
    assert {case.fault for case in CASES} == set(FAULTS)


def test_a_transparent_relay_passes_everything(judge: Judge) -> None:
    """Over each protocol, to each way out, with every disturbance."""
    ways = f"{OVER_GRPC} {OVER_HTTP} --file-out {{file_out}} {SCRAPED}"
    found = judge(ways=ways)
    assert found.failed == {}, found.output
    assert found.exit_code == 0
    unexercised = {
        name: found.reasons[name]
        for name, verdict in found.verdicts.items()
        if verdict is not Verdict.PASS
    }
    assert set(unexercised) == UNEXERCISED, unexercised


def test_a_transparent_relay_to_json(judge: Judge) -> None:
    found = judge("--cc-scenarios=passing,every_field,downstream_refuses", ways=AS_JSON)
    assert found.failed == {}, found.output
    assert found.exit_code == 0
