"""What an export makes of its raw bytes, and when."""

from __future__ import annotations

import dataclasses
import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.capture import export as export_module
from harness.capture.export import Export
from harness.collector.store import Store
from harness.otlp import codec
from harness.otlp.codec import encode
from harness.otlp.errors import TooLarge, UnsupportedEncoding
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal

Make = Callable[..., Export]


def test_headers_are_found_in_any_case(make_export: Make) -> None:
    export = make_export(headers=(("X-Two", "a"), ("x-two", "b")))
    assert export.header("x-TWO") == "a"
    assert export.header("missing") is None


def test_the_items_of_each_signal(make_export: Make, make_metrics: Make, make_events: Make) -> None:
    metrics = make_metrics(("m", 3, {"type": "input"}))
    events = make_events("user_prompt")
    spans = make_export(
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"s"}]}]}]}', Signal.TRACES
    )
    assert [point.value for point in metrics.data_points] == [3]
    assert [event.body for event in events.events] == ["claude_code.user_prompt"]
    assert [span.name for span in spans.spans] == ["s"]
    for export in (metrics, events, spans):
        kinds = (export.data_points, export.events, export.spans)
        assert [len(items) for items in kinds].count(0) == 2
        assert len(export.items) == 1
        assert export.decode_error is None


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP_PROTOBUF])
def test_protobuf_bodies(make_events: Make, make_export: Make, protocol: Protocol) -> None:
    message = make_events("api_error").message
    assert message is not None
    body = encode(message, Encoding.PROTOBUF)
    export = make_export(body, protocol=protocol)
    assert export.message == message
    assert export.encoding is Encoding.PROTOBUF


def test_content_encodings(make_events: Make, make_export: Make) -> None:
    plain = make_events("user_prompt")
    zipped = make_export(gzip.compress(plain.body), headers=(("CONTENT-ENCODING", "gzip"),))
    assert zipped.content == plain.body
    assert zipped.events == plain.events
    assert zipped.body != plain.body


def test_grpc_bodies_are_decompressed_already(make_events: Make, make_export: Make) -> None:
    message = make_events("user_prompt").message
    assert message is not None
    export = make_export(
        encode(message, Encoding.PROTOBUF),
        protocol=Protocol.GRPC,
        headers=(("content-encoding", "gzip"), ("grpc-encoding", "gzip")),
    )
    assert export.message == message


def test_notes_come_with_the_message(make_export: Make) -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":5}]}]}]}'
    assert [note.code for note in make_export(body).notes] == ["X-JSON-4"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"body": b"nothing"}, "not JSON"),
        ({"body": b"\x0a\x05a", "protocol": Protocol.GRPC}, "no ExportLogsServiceRequest"),
        ({"signal": None}, "names no signal"),
        ({"protocol": None}, "names no OTLP encoding"),
        ({"headers": (("content-encoding", "br"),)}, "unsupported content encoding"),
    ],
)
def test_what_cannot_be_decoded_says_why_and_never_raises(
    make_export: Make, fields: dict[str, Any], reason: str
) -> None:
    export = make_export(**fields)
    assert reason in str(export.decode_error)
    assert export.message is None
    assert (export.items, export.notes) == ((), ())
    unreadable = isinstance(export.decode_error, TooLarge | UnsupportedEncoding)
    assert (export.content is None) is unreadable


def test_decoding_happens_once_and_only_when_asked(
    make_events: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    decode = codec.decode_request
    start = threading.Barrier(8)

    def counted(*args: Any) -> Any:
        calls.append("decode")
        return decode(*args)

    monkeypatch.setattr(export_module, "decode_request", counted)
    export = make_events("user_prompt")
    assert export.header("content-type") == "application/json"
    assert calls == []

    def ask(_: int) -> object:
        start.wait(timeout=30)
        return export.message

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(ask, range(8)))
    assert (len(export.events), export.notes) == (1, ())
    assert calls == ["decode"]
    assert all(message is export.message for message in seen)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Export)])
def test_an_export_cannot_be_changed(make_events: Make, name: str) -> None:
    export = make_events("a")
    before = dataclasses.replace(export)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(export, name, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(export, name)
    assert export == before


def test_an_export_in_a_set_is_found_after_it_was_stored_and_decoded(make_events: Make) -> None:
    export = make_events("a")
    known = {export}
    store = Store()
    store.append(make_events("b"))
    store.append(export)
    assert export.sequence == 2
    assert export.events
    assert export in known
    assert store.exports[1] in known


def test_exports_are_equal_when_their_raw_facts_are(make_events: Make) -> None:
    first, second = make_events("a"), make_events("a")
    assert first.events  # one of them decoded, the other not
    assert first == second
    assert hash(first) == hash(second)
    assert first != make_events("b")
