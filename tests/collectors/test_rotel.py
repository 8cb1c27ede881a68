"""A collector of another make: what the agent rotel keeps of OTLP, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.collectors import rotel_agent
from tests.collectors.judging import PASSING, failing

if TYPE_CHECKING:
    from tests.collectors.conftest import Judge

#: OTLP/JSON is where it is weak. It refuses 64-bit integers that are numbers, as the CLI's own
#: exporter writes them, and with them most requests that hold events; of a double that it does
#: take it may lose the last digit.
JSON = {
    "passing.logs.accepted",
    "passing.metrics.value",
    "passing.attributes.value",
    "receiving.json.integers_as_numbers",
    "receiving.json.nulls",
    "receiving.json.python",
    "receiving.empty.object",
    "receiving.empty_value",
}
#: It says no otherwise than OTLP does: by another code, in another form, or not at all.
REFUSALS = {
    "receiving.large.refused_as_such",
    "receiving.malformed.details",
    "receiving.malformed.invalid_argument",
    "receiving.response.error_body",
    "receiving.response.error_body_elsewhere",
    "receiving.response.error_content_type",
    "receiving.response.error_message",
    "receiving.unsupported.no_media_type",
}
#: It takes what it should refuse, or refuses what it should take.
OTHERS = {
    "receiving.charset",
    "receiving.invalid_utf8.grpc",
    "receiving.large.bomb",
    "receiving.unsupported.content_encoding",
}
#: It does not know every field of OTLP.
FIELDS = {
    "passing.every_field.logs",
    "passing.every_field.metrics",
    "passing.every_field.not_lost",
    "passing.every_field.traces",
}
#: What it still held when it was killed is gone; and whether it answers who has closed one half of
#: the connection is a race within it.
RACES = {"passing.killed.not_lost", "receiving.connections.half_closed"}


def test_rotel_is_judged(judge: Judge, rotel: Path) -> None:
    record = judge(f"--cc-collector-cmd={rotel_agent.command(rotel, 'grpc')}")
    assert failing(record).keys() - RACES == JSON | REFUSALS | OTHERS | FIELDS


@pytest.mark.parametrize("outlet", list(rotel_agent.ARGUMENTS))
def test_rotel_passes_everything_on(outlet: str, judge: Judge, rotel: Path) -> None:
    record = judge(
        f"--cc-collector-cmd={rotel_agent.command(rotel, outlet)}",
        *PASSING,
        "--cc-protocols=grpc,http/protobuf",
    )
    assert failing(record) == {}
