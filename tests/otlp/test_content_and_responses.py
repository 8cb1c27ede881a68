"""Content encodings with their limit, and the bodies of answers."""

from __future__ import annotations

import gzip
import json
import pickle
import random
import sys
import zlib

import pytest
import zstandard
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from harness.otlp.content import content_decode
from harness.otlp.errors import DecodeError, TooLarge, UnsupportedEncoding
from harness.otlp.messages import RESPONSES, Encoding
from harness.otlp.model import Signal
from harness.otlp.responses import error_body, partial_success_body, success_body


@given(st.binary())
def test_what_was_encoded_comes_back(body: bytes) -> None:
    assert content_decode(body, "") == content_decode(body, "Identity") == body
    assert content_decode(gzip.compress(body), "gzip") == body
    assert content_decode(gzip.compress(body), " X-GZIP ") == body
    assert content_decode(zlib.compress(body), "deflate") == body
    assert content_decode(gzip.compress(zlib.compress(body)), "deflate, gzip") == body
    assert content_decode(zstandard.compress(body), "zstd") == body
    assert content_decode(gzip.compress(zstandard.compress(body)), "zstd, gzip") == body


def test_several_gzip_members_are_one_body() -> None:
    assert content_decode(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip") == b"one two"


def test_several_frames_of_zstd_are_one_body() -> None:
    several = zstandard.compress(b"one ") + zstandard.compress(bytes(range(256)) * 900)
    content = content_decode(several + zstandard.compress(b"two"), "zstd")
    assert content == b"one " + bytes(range(256)) * 900 + b"two"


def test_a_long_body_of_zstd_is_decompressed_whole() -> None:
    body = random.Random(1).randbytes(3_000_000)
    assert content_decode(zstandard.compress(body), "zstd") == body
    streamed = zstandard.ZstdCompressor().compressobj()
    assert content_decode(streamed.compress(body) + streamed.flush(), "zstd") == body


def test_a_frame_of_zstd_that_asks_for_much_memory_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = compressor.compress(b"abc") + compressor.flush()
    with pytest.raises(DecodeError, match="not valid zstd"):
        content_decode(body, "zstd")


def test_without_the_extra_zstd_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setattr("harness.otlp.zstd.is_installed", lambda: False)
    with pytest.raises(UnsupportedEncoding, match=r"pip install 'pytest-cc-otel\[zstd\]'"):
        content_decode(zstandard.compress(b"abc"), "zstd")


def test_the_limit_holds_after_decompression() -> None:
    exact = gzip.compress(b"x" * 1000)
    assert content_decode(exact, "gzip", limit=1000) == b"x" * 1000
    with pytest.raises(TooLarge, match="over the limit of 999 bytes"):
        content_decode(exact, "gzip", limit=999)
    with pytest.raises(TooLarge, match="limit of 1500"):
        content_decode(exact + exact, "gzip", limit=1500)
    with pytest.raises(TooLarge, match="body of 11 bytes is over the limit of 10 bytes"):
        content_decode(b"x" * 11, "", limit=10)


def test_the_limit_holds_for_zstd() -> None:
    exact = zstandard.compress(b"x" * 1000)
    assert content_decode(exact, "zstd", limit=1000) == b"x" * 1000
    with pytest.raises(TooLarge, match="zstd body grows over the limit of 999 bytes"):
        content_decode(exact, "zstd", limit=999)
    with pytest.raises(TooLarge, match="limit of 1500"):
        content_decode(exact + exact, "zstd", limit=1500)
    with pytest.raises(TooLarge, match="grows over 200 times"):
        content_decode(zstandard.compress(bytes(50_000_000)), "zstd")


def test_a_small_body_that_grows_huge_is_cut_short() -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    with pytest.raises(TooLarge):
        content_decode(bomb, "gzip, gzip", limit=100_000)


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b"", "gzip", "cut off"),
        (gzip.compress(b"abc")[:-3], "gzip", "cut off"),
        (b"not gzip", "gzip", "not valid gzip"),
        (gzip.compress(b"abc") + b"more", "gzip", "not valid gzip"),
        (zlib.compress(b"abc") + b"more", "deflate", "4 bytes follow"),
        (gzip.compress(b"abc"), "deflate", "not valid deflate"),
        (b"", "zstd", "cut off"),
        (zstandard.compress(b"abc")[:-3], "zstd", "cut off"),
        (zstandard.compress(bytes(300_000))[:-3], "zstd", "cut off"),
        (b"not zstd", "zstd", "not valid zstd"),
        (zstandard.compress(b"abc") + b"more", "zstd", "not valid zstd"),
    ],
    # Not by content: gzip bodies carry the time.
    ids=[
        *("empty", "cut", "no-gzip", "gzip-and-more", "deflate-and-more", "wrong-coding"),
        *("empty-zstd", "cut-zstd", "cut-long-zstd", "no-zstd", "zstd-and-more"),
    ],
)
def test_broken_bodies_are_refused(body: bytes, encoding: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        content_decode(body, encoding)
    assert not isinstance(caught.value, TooLarge | UnsupportedEncoding)


@pytest.mark.parametrize("encoding", ["br", "lz4", "gzip, br"])
def test_unknown_encodings_have_an_error_of_their_own(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding, match=r"unsupported content encoding '(br|lz4)'"):
        content_decode(b"x", encoding)


def test_errors_survive_a_trip_between_processes() -> None:
    error = pickle.loads(pickle.dumps(TooLarge("a.b", "too much")))
    assert isinstance(error, TooLarge)
    assert (error.path, error.message, str(error)) == ("a.b", "too much", "a.b: too much")


@pytest.mark.parametrize("signal", Signal)
def test_full_success(signal: Signal) -> None:
    assert success_body(signal, Encoding.JSON) == b"{}"
    assert success_body(signal, Encoding.PROTOBUF) == b""


@pytest.mark.parametrize(
    ("signal", "field", "key"),
    [
        (Signal.METRICS, "rejected_data_points", "rejectedDataPoints"),
        (Signal.LOGS, "rejected_log_records", "rejectedLogRecords"),
        (Signal.TRACES, "rejected_spans", "rejectedSpans"),
    ],
)
def test_partial_success(signal: Signal, field: str, key: str) -> None:
    in_protobuf = RESPONSES[signal].FromString(
        partial_success_body(signal, Encoding.PROTOBUF, 3, "why")
    )
    assert getattr(in_protobuf.partial_success, field) == 3
    assert in_protobuf.partial_success.error_message == "why"
    assert json.loads(partial_success_body(signal, Encoding.JSON, 3, "why")) == {
        "partialSuccess": {key: "3", "errorMessage": "why"}
    }


def test_an_empty_partial_success_is_present() -> None:
    assert partial_success_body(Signal.LOGS, Encoding.JSON, 0) == b'{"partialSuccess":{}}'
    response = RESPONSES[Signal.LOGS].FromString(
        partial_success_body(Signal.LOGS, Encoding.PROTOBUF, 0)
    )
    assert response.HasField("partial_success")


def test_failures_are_a_status() -> None:
    status = Status.FromString(error_body(Encoding.PROTOBUF, 3, "bad ü"))
    assert (status.code, status.message) == (3, "bad ü")
    bad = BadRequest()
    assert status.details[0].Unpack(bad)
    assert [each.description for each in bad.field_violations] == ["bad ü"]
    assert json.loads(error_body(Encoding.JSON, 3, "bad ü")) == {
        "code": 3,
        "message": "bad ü",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"description": "bad ü"}],
            }
        ],
    }
    assert json.loads(error_body(Encoding.JSON, 14, "later")) == {"code": 14, "message": "later"}
    assert json.loads(error_body(Encoding.JSON, 0, "no path")) == {"message": "no path"}
