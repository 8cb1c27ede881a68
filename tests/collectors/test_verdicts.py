"""Each pipeline gets the verdict that its author expects, from the plugin itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.findings import Verdict
from harness.otlp.model import Signal
from tests.collectors import recordings
from tests.collectors.judging import PASSING, failing, pipeline, verdict
from tests.collectors.shapes import SHAPES

if TYPE_CHECKING:
    from tests.collectors.conftest import Judge

#: What the Collector's receiver breaks, whatever the pipeline. A body of the other encoding is
#: answered 500, so whoever sent it sends it again instead of dropping it.
SERVER_ERRORS = {"receiving.malformed.no_server_error", "receiving.malformed.other_encoding"}
#: It refuses what JavaScript's exporters may send: null for a field that is not there.
JSON = {*SERVER_ERRORS, "receiving.json.nulls"}
#: It says no by another code or in another form than OTLP does, and yes with an empty
#: partial_success.
ANSWERS = {
    "receiving.ids.wrong_length",
    "receiving.large.refused_as_such",
    "receiving.malformed.details",
    "receiving.malformed.invalid_argument",
    "receiving.response.error_body_elsewhere",
    "receiving.response.partial_success_unset",
}
#: What it still held, in no queue on disk, is gone when it is killed; it may have held nothing.
KILLED = {"passing.killed.not_lost"}


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "clickhouse"])
def test_a_pipeline_fails_where_it_loses(name: str, judge: Judge, otelcol: Path) -> None:
    shape = SHAPES[name]
    record = judge(*pipeline(otelcol, shape.config, shape.changes), *PASSING, *shape.options)
    broken = failing(record)
    assert broken.keys() - shape.may_fail == shape.fails, broken


@pytest.mark.parametrize("name", ["grpc_to_grpc", "http_to_http"])
def test_a_relay_passes_everything_on_and_its_receiver_is_judged(
    name: str, judge: Judge, otelcol: Path
) -> None:
    broken = failing(judge(*pipeline(otelcol, SHAPES[name].config)))
    assert broken.keys() - KILLED == JSON | ANSWERS, broken


def test_a_token_opens_the_receiver_and_nothing_else_does(judge: Judge, otelcol: Path) -> None:
    shape = SHAPES["bearer_token"]
    options = pipeline(otelcol, shape.config)
    receiving = ("--cc-scenarios=receiving", "--cc-protocols=grpc,http/protobuf")
    record = judge(*options, *shape.options, *receiving)
    assert failing(record).keys() == ANSWERS, failing(record)
    for whom in ("anonymous", "impostor"):
        assert verdict(record, f"receiving.authentication.{whom}") is Verdict.PASS
    refused = failing(judge(*options, *PASSING))
    assert refused.keys() == {f"passing.{signal.value}.accepted" for signal in Signal}


def test_what_comes_from_another_service_is_filtered(
    judge: Judge, otelcol: Path, tmp_path: Path
) -> None:
    folder = recordings.kept(tmp_path / "sent", recordings.of_service("claude-code-desktop"))
    options = pipeline(otelcol, SHAPES["service_filtered"].config)
    broken = failing(judge(*options, *PASSING, f"--cc-collector-recording={folder}"))
    assert broken.keys() == {f"passing.{signal.value}.not_lost" for signal in Signal}
