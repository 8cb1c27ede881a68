"""What is said of items that were rejected beside others, over each protocol."""

from __future__ import annotations

import gzip

import pytest

from harness.otlp.messages import ENCODINGS, Encoding
from harness.otlp.model import Protocol, Signal
from harness.otlp.responses import partial_success_body, success_body
from harness.relay.answer import Answer
from harness.relay.sending import partial


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("signal", Signal)
def test_items_that_were_rejected(protocol: Protocol, signal: Signal) -> None:
    encoding = ENCODINGS[protocol]
    status = {"code": "OK"} if protocol is Protocol.GRPC else {"status": 200}

    def told(body: bytes, **facts: object) -> str:
        return partial(Answer(body=body, **{**status, **facts}), signal, encoding)  # type: ignore[arg-type]

    rejected = partial_success_body(signal, encoding, 2, "delta")
    assert told(rejected) == "2 items rejected: delta"
    assert told(partial_success_body(signal, encoding, 1)) == "1 items rejected"
    assert told(partial_success_body(signal, encoding, 0, "a warning")) == ""
    assert told(success_body(signal, encoding)) == told(b"\xff") == ""
    refused = {"code": "INTERNAL"} if protocol is Protocol.GRPC else {"status": 500}
    assert told(rejected, **refused) == ""
    if protocol is not Protocol.GRPC:
        packed = (("Content-Encoding", "gzip"),)
        assert told(gzip.compress(rejected), headers=packed) == "2 items rejected: delta"


def test_a_number_in_json_is_one_too() -> None:
    body = b'{"partialSuccess":{"rejectedSpans":3}}'
    assert partial(Answer(status=200, body=body), Signal.TRACES, Encoding.JSON) == (
        "3 items rejected"
    )
