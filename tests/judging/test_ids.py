"""Ids of traces and spans have their lengths, or are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.judging.judge import Judge
from harness.otlp.messages import ExportLogsServiceRequest
from harness.otlp.model import Protocol
from tests.conftest import make_export

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize(
    ("trace", "span", "wrong"),
    [
        (bytes.fromhex(TRACE), bytes.fromhex(SPAN), []),
        (b"", b"", []),
        (TRACE.encode(), bytes.fromhex(SPAN), ["32 bytes"]),
        (b"\1" * 32, b"\1" * 16, ["32 bytes", "16 bytes"]),
        (b"\1", b"\1" * 7, ["1 bytes", "7 bytes"]),
    ],
)
def test_ids_of_a_log_record(
    viewer: Viewer,
    judge: Judge,
    requirement: Require,
    findings: Findings,
    protocol: Protocol,
    trace: bytes,
    span: bytes,
    wrong: list[str],
) -> None:
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.span_id = trace, span
    view = viewer(exports=[make_export(protocol, message)], protocol=protocol)
    made = requirement("ids_whole", kind="exports", name="")
    assert findings(judge.judge(made, [view]).outcome) == wrong


def test_ids_of_spans(
    viewer: Viewer, judge: Judge, requirement: Require, findings: Findings
) -> None:
    whole = {"trace_id": TRACE, "span_id": SPAN, "parent_span_id": SPAN}
    view = viewer(spans=[whole, {**whole, "parent_span_id": TRACE}, {**whole, "span_id": ""}])
    made = requirement("ids_whole", kind="exports", name="")
    assert findings(judge.judge(made, [view]).outcome) == ["16 bytes"]
