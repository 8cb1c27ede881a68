"""What the processes of a load tell arrives whole, however much it is."""

from __future__ import annotations

from dataclasses import replace

from harness import Collector
from harness.load.order import Order, sources
from harness.load.processes import send
from harness.load.sending import NOTE_FIELDS
from harness.otlp.model import Protocol
from harness.relay import golden
from harness.relay.endpoint import Endpoint


def test_notes_are_larger_than_a_pipe(collector: Collector) -> None:
    recorded = sources(golden.load(golden.releases()[-1]), "golden")
    shortest = min(recorded, key=lambda each: len(each.requests))
    endpoint = Endpoint("http", "127.0.0.1", collector.http_port)
    order = Order(
        (endpoint,), (Protocol.HTTP_PROTOBUF,), (shortest,), "run", sessions=12000, noting=True
    )
    sent = send(order, lambda seconds, counts: None)
    assert sent.counts.requests == 12000 * len(shortest.requests) == collector.exports[-1].sequence
    assert len(sent.notes) == NOTE_FIELDS * sent.counts.requests
    assert len(sent.notes) * sent.notes.itemsize > 512 * 1024
    numbers = {sent.notes[n] for n in range(0, len(sent.notes), NOTE_FIELDS)}
    assert numbers == set(range(12000))
    assert not sent.ended_early


def test_nothing_is_noted_unless_it_is_asked_for(collector: Collector) -> None:
    recorded = sources(golden.load(golden.releases()[-1]), "golden")
    endpoint = Endpoint("grpc", "127.0.0.1", collector.grpc_port)
    order = Order((endpoint,), (Protocol.GRPC,), recorded, "run", sessions=2, noting=True)
    assert len(send(order, lambda seconds, counts: None).notes) > 0
    without = replace(order, noting=False)
    assert len(send(without, lambda seconds, counts: None).notes) == 0
