"""What belongs together because the same items came again."""

from __future__ import annotations

from harness.capture.deliveries import Deliveries
from harness.capture.export import Export
from harness.otlp.codec import encode
from harness.otlp.messages import ENCODINGS, ExportLogsServiceRequest
from harness.otlp.model import Protocol, Signal


def export(*bodies: str, protocol: Protocol = Protocol.HTTP_PROTOBUF, to: str = "main") -> Export:
    message = ExportLogsServiceRequest()
    for body in bodies:
        records = message.resource_logs.add().scope_logs.add().log_records
        records.add(time_unix_nano=1).body.string_value = body
    sent = encode(message, ENCODINGS[protocol])
    return Export(0, protocol, Signal.LOGS, "POST", "/", "1.1", (), sent, 0, "", 200, collector=to)


def attempts(*exports: Export) -> list[tuple[int, list[int]]]:
    """Of each delivery: how many items, and which of the exports carry any."""
    number = {id(each): n for n, each in enumerate(exports)}
    return [
        (each.items, [number[id(one)] for one in each.attempts]) for each in Deliveries(exports).all
    ]


def test_what_comes_again_is_one_delivery() -> None:
    assert attempts(export("a", "b"), export("c"), export("a", "b")) == [(2, [0, 2]), (1, [1])]


def test_order_and_encoding_do_not_matter() -> None:
    again = export("b", "a", protocol=Protocol.HTTP_JSON)
    assert attempts(export("a", "b"), again) == [(2, [0, 1])]


def test_what_comes_again_in_another_batch_is_found() -> None:
    assert attempts(export("a"), export("a", "b"), export("b", "c")) == [
        (1, [0, 1]),
        (1, [1, 2]),
        (1, [2]),
    ]


def test_the_same_for_two_collectors_is_two_deliveries() -> None:
    assert attempts(export("a"), export("a", to="other")) == [(1, [0]), (1, [1])]


def test_nothing_is_no_delivery() -> None:
    deliveries = Deliveries()
    assert deliveries.add(export()) == []
    old, new = deliveries.add(export("a")), deliveries.add(export("b", "a"))
    assert new == [old[0], deliveries.all[1]]
