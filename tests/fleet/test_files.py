"""Files in every form that a file exporter writes, rotated ones, and damaged ones."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zstandard

from harness.errors import UsageError
from harness.fleet.files import LONGEST, Broken, Message, find, looks_written, messages
from harness.fleet.wire import decode
from harness.otlp.codec import decode_request
from harness.otlp.errors import DecodeError
from harness.otlp.messages import Encoding
from harness.otlp.model import Signal
from tests.fleet.lines import Recorded, lines_of

LINES = (b'{"resourceLogs":[]}', b'{"resourceMetrics":[]}', b'{"resourceSpans":[]}')


def plain(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def by_length(messages: Sequence[bytes]) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in messages)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def bodies(path: Path) -> list[bytes]:
    return [each.body for each in messages([path]) if isinstance(each, Message)]


def problems(path: Path) -> list[Broken]:
    return [each for each in messages([path]) if isinstance(each, Broken)]


@pytest.mark.parametrize(
    "form",
    [
        plain,
        lambda lines: plain(lines).rstrip(),
        lambda lines: b"\n\n" + plain(lines),
        lambda lines: gzip.compress(plain(lines)),
        lambda lines: gzip.compress(plain(lines[:1])) + gzip.compress(plain(lines[1:])),
        lambda lines: zstd(plain(lines)),
        lambda lines: zstd(plain(lines[:2])) + zstd(plain(lines[2:])),
        by_length,
        lambda lines: by_length([zstd(line) for line in lines]),
        lambda lines: gzip.compress(by_length(lines)),
    ],
)
def test_every_form_is_read(tmp_path: Path, form: Callable[[Sequence[bytes]], bytes]) -> None:
    path = tmp_path / "otel"
    path.write_bytes(form(LINES))
    assert bodies(path) == list(LINES)
    assert problems(path) == []


def test_protobuf_is_read_as_the_json_of_the_same_request(recorded: Recorded) -> None:
    for line in lines_of(recorded("2.1.332", "toolbox")):
        signal = Signal.LOGS if b"resourceLogs" in line[:20] else Signal.METRICS
        signal = Signal.TRACES if b"resourceSpans" in line[:20] else signal
        message = decode_request(signal, Encoding.JSON, line).message
        assert decode(message.SerializeToString()) == decode(line)


def test_messages_are_told_by_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "otel.json"
    path.write_bytes(LINES[0] + b"\n\n" + LINES[1] + b"\n")
    places = [each.where for each in messages([path]) if isinstance(each, Message)]
    assert places == [f"{path} line 1 (byte 0)", f"{path} line 3 (byte {len(LINES[0]) + 2})"]


@pytest.mark.parametrize(
    ("compress", "cut"), [(gzip.compress, 12), (lambda data: zstd(data), 6)], ids=["gzip", "zstd"]
)
def test_a_compressed_file_that_is_cut_off_is_told(
    tmp_path: Path, compress: Callable[[bytes], bytes], cut: int
) -> None:
    lines = [b'{"resourceLogs":[],"n":%d}' % number for number in range(20_000)]
    path = tmp_path / "otel.json.gz"
    path.write_bytes(compress(plain(lines))[:-cut])
    (broken,) = problems(path)[-1:]
    assert "cut off or damaged from here on" in broken.why
    assert len(bodies(path)) > 100
    assert str(path) in broken.where


def test_a_message_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "otel.proto"
    path.write_bytes(by_length(LINES)[:-3])
    assert bodies(path) == list(LINES[:2])
    (broken,) = problems(path)
    assert broken.where == f"{path} message 3 (byte {len(by_length(LINES[:2]))})"
    assert broken.why == f"cut off: {len(LINES[2]) - 3} of {len(LINES[2])} bytes"


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_that_a_rotation_cut_are_told_and_the_whole_ones_read(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """At the end of one file the beginning of a line is left, at that of the next one its end."""
    path, whole = tmp_path / "otel.json", plain(LINES)
    path.write_bytes(compress(LINES[0][9:] + b"\n" + whole + LINES[0][:9]))
    *read, cut = bodies(path)
    assert read == list(LINES)
    with pytest.raises(DecodeError, match="body is not JSON"):
        decode(cut)
    (broken,) = problems(path)
    assert broken.where == f"{path} line 1 (byte 0)"
    assert broken.why == "cut off: it has no beginning"
    assert looks_written(path.read_bytes())


def test_what_no_exporter_writes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_bytes(b"How this was captured")
    (broken,) = problems(path)
    assert "neither OTLP/JSON nor messages" in broken.why


def test_a_line_that_is_too_long_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    path = tmp_path / "otel.json"
    path.write_bytes(b"{" + b" " * LONGEST + b"}\n" + LINES[1] + b"\n")
    assert bodies(path) == [LINES[1]]
    (broken,) = problems(path)
    assert f"a line of {LONGEST + 3} bytes" in broken.why


def test_rotated_files_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    names = [
        "logs-2026-11-26T10-00-00.000.json.gz",
        "logs-2026-11-27T09-00-00.000.json",
        "logs.json",
        "metrics-2026-11-25T10-00-00.000.json",
        "metrics.json",
    ]
    for name in reversed(names):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"")
    assert [path.name for path in find([tmp_path], "check")] == names


def test_what_is_no_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"check .*missing: expected a file of a Collector's"):
        find([tmp_path / "missing"], "check")
    with pytest.raises(UsageError, match="a folder without files"):
        find([tmp_path], "check")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"resourceLogs":[{', "body is not JSON"),
        (b'{"resourceLogs":{}}', "expected an array"),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":5}]}]}]}', "a string"),
        (b'{"other":1}', "no resourceLogs, resourceMetrics or resourceSpans"),
        (b"{}", "no resourceLogs"),
        (b'{"resourceLogs":[{"x":"\xff"}]}', "not UTF-8"),
        (b"\x00\x01\x02", "neither OTLP/JSON nor OTLP's protobuf"),
    ],
)
def test_what_is_no_otlp_says_why(body: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        decode(body)


@pytest.mark.parametrize("more", [b"", b',"attributes":null'], ids=["canonical", "loose"])
def test_two_signals_of_one_line_are_both_read(more: bytes) -> None:
    record, metric = b'{"eventName":"order"' + more + b"}", b'{"name":"orders"}'
    request = decode(
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + record + b"]}]}],"
        b'"resourceMetrics":[{"scopeMetrics":[{"metrics":[' + metric + b"]}]}]}"
    )
    assert request.resource_logs is not None
    assert request.resource_metrics is not None
    (logs,), (metrics,) = request.resource_logs, request.resource_metrics
    assert logs.scope_logs[0].log_records[0].event_name == "order"
    assert metrics.scope_metrics[0].metrics[0].name == "orders"


def test_what_the_mapping_allows_is_read_as_its_canonical_form() -> None:
    loose = (
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":null,"severityNumber":9,'
        b'"timeUnixNano":5.0}]}]}]}'
    )
    (_, _, block) = decode(loose).blocks()[0]
    assert block.log_records[0].severity_number == 9
    assert int(block.log_records[0].time_unix_nano) == 5
