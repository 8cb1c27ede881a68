"""A prepared session makes the very bytes that the replay encodes, for every recording."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.errors import HarnessError, UsageError
from harness.load import prepared
from harness.load.order import Order, Prepared, sources
from harness.load.prepared import PreparedSession
from harness.otlp.codec import decode_request
from harness.otlp.flatten import items_of
from harness.otlp.messages import ENCODINGS
from harness.otlp.model import Protocol
from harness.relay import golden
from harness.relay.arriving import identity
from harness.relay.replay import again, body, recorded

NOW = 1_795_737_253_818_000_000


@pytest.fixture(params=golden.releases())
def release(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def prepared_sessions(release: str, protocol: Protocol) -> Sequence[PreparedSession]:
    order = Order((), (protocol,), sources(golden.load(release), "golden"), "any")
    (sessions,) = Prepared.of(order).sessions
    return sessions


@pytest.mark.parametrize("protocol", Protocol)
def test_a_copy_is_what_the_replay_encodes(release: str, protocol: Protocol) -> None:
    captures = golden.load(release)
    sessions = prepared_sessions(release, protocol)
    assert len(sessions) == len(captures)
    for capture, session in zip(captures, sessions, strict=True):
        requests = again(recorded(capture.exports), ends_unix_nano=NOW, salt="one")
        expected = [body(each.message, protocol) for each in requests]
        assert session.copy(ends_unix_nano=NOW, salt="one") == expected
        assert [each.signal for each in session.requests] == [each.signal for each in requests]


@pytest.mark.parametrize("protocol", Protocol)
def test_copies_differ_in_nothing_but_ids_and_times(release: str, protocol: Protocol) -> None:
    for session in prepared_sessions(release, protocol):
        one = session.copy(ends_unix_nano=NOW, salt="one")
        other = session.copy(ends_unix_nano=NOW, salt="other")
        assert [len(each) for each in one] == [len(each) for each in other]
        assert all(a != b for a, b in zip(one, other, strict=True))
        assert session.copy(ends_unix_nano=NOW, salt="one") == one


@pytest.mark.parametrize("protocol", Protocol)
def test_items_of_a_copy_are_recognised(release: str, protocol: Protocol) -> None:
    seen = set()
    for session in prepared_sessions(release, protocol):
        known = session.identities(ends_unix_nano=NOW, salt="one")
        copy = session.copy(ends_unix_nano=NOW, salt="one")
        for request, content, expected in zip(session.requests, copy, known, strict=True):
            decoded = decode_request(request.signal, ENCODINGS[protocol], content)
            assert list(map(identity, items_of(decoded.message))) == expected
            assert expected
        others = session.identities(ends_unix_nano=NOW, salt="other")
        with_session = {each for of_one in known for each in of_one if each.session}
        assert with_session
        assert with_session.isdisjoint(each for of_one in others for each in of_one)
        seen |= with_session
    assert len(seen) > 100


def test_a_copy_that_would_differ_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def an_hour_late(ms: int) -> bytes:
        return timestamp(ms + 3_600_000 * (ms % 2))

    timestamp = prepared._timestamp
    monkeypatch.setattr(prepared, "_timestamp", an_hour_late)
    (capture, *_) = golden.load(golden.releases()[-1])
    with pytest.raises(HarnessError, match="cannot be prepared over grpc: a copy that was put"):
        PreparedSession(capture.run.label, recorded(capture.exports), Protocol.GRPC)


def test_a_recording_of_nothing_is_named() -> None:
    with pytest.raises(UsageError, match="--recording x: expected a recording of sessions"):
        sources((), "--recording x")
