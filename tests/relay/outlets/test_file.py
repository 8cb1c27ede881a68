"""Files as the file exporter writes them, in all of its formats and however they are cut."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.otlp.codec import encode
from harness.otlp.messages import (
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from harness.otlp.model import Signal
from harness.otlp.unmarked import protobuf_signal
from harness.relay.outlets.file import FileOutlet
from harness.relay.outlets.framing import Framing, frame_end

DEADLINE_S = 120.0


def metrics(value: float) -> ExportMetricsServiceRequest:
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name, metric.description, metric.unit = "claude_code.cost.usage", "Cost", "USD"
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(time_unix_nano=1, start_time_unix_nano=1, as_double=value)
    return message


def logs() -> ExportLogsServiceRequest:
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=7)
    record.body.string_value = "claude_code.user_prompt"
    record.attributes.add(key="event.name").value.string_value = "user_prompt"
    return message


def traces(name: str = "llm_request") -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(name=name)
    span.trace_id, span.span_id = b"abcdefghijklmnop", b"abcdefgh"
    span.start_time_unix_nano = span.end_time_unix_nano = 9
    return message


MESSAGES: tuple[Request, ...] = (metrics(1.5), logs(), traces(), metrics(2.0))


def zstd(data: bytes) -> bytes:
    return bytes(memoryview(cramjam.zstd.compress(data)))


def with_length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def line(data: bytes) -> bytes:
    return data + b"\n"


JSON, PROTOBUF = Encoding.JSON, Encoding.PROTOBUF

#: How a message is written, and how the file as a whole.
FORMATS: dict[str, tuple[Encoding, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "json": (JSON, line, bytes),
    "proto": (PROTOBUF, with_length, bytes),
    "json, zstd": (JSON, lambda data: with_length(zstd(data)), bytes),
    "proto, zstd": (PROTOBUF, lambda data: with_length(zstd(data)), bytes),
    "json, one zstd frame for each": (JSON, lambda data: zstd(line(data)), bytes),
    "proto, one zstd frame for each": (PROTOBUF, lambda data: zstd(with_length(data)), bytes),
    "json, one zstd frame": (JSON, line, zstd),
    "json, gzip": (JSON, line, gzip.compress),
    "json, one gzip member for each": (JSON, lambda data: gzip.compress(line(data)), bytes),
    "proto, gzip": (PROTOBUF, with_length, gzip.compress),
}


def written(name: str) -> bytes:
    encoding, frame, whole = FORMATS[name]
    return whole(b"".join(frame(encode(message, encoding)) for message in MESSAGES))


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_it_does_not_matter_where_reads_end(name: str, data: st.DataObject) -> None:
    encoding, *_ = FORMATS[name]
    file = written(name)
    ends = data.draw(st.lists(st.integers(0, len(file)), max_size=8).map(sorted))
    framing = Framing()
    found = [
        message
        for start, end in pairwise([0, *ends, len(file)])
        for message in framing.feed(file[start:end])
    ]
    assert found == [encode(message, encoding) for message in MESSAGES]
    assert framing.pending == 0


@given(content=st.binary(max_size=3000), repeated=st.integers(1, 300), cut=st.integers(0, 10_000))
def test_a_frames_end_is_found(content: bytes, repeated: int, cut: int) -> None:
    frame = zstd(content * repeated)
    assert frame_end(frame + b"\x28\xb5") == len(frame)
    assert frame_end(frame[: cut % len(frame)]) is None


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(HarnessError, match="no zstd frame"):
        frame_end(b"abcdefgh")


@pytest.mark.parametrize("name", FORMATS)
def test_each_message_is_an_export_of_its_signal(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(written(name))
    with FileOutlet(path) as outlet:
        assert outlet.placeholders() == {"file_out": str(path)}
        exports = outlet.wait_for(lambda seen: seen[3:] and seen, DEADLINE_S)
    assert [export.signal for export in exports] == [
        Signal.METRICS,
        Signal.LOGS,
        Signal.TRACES,
        Signal.METRICS,
    ]
    assert [export.data_points[0].value for export in exports[::3]] == [1.5, 2.0]
    assert exports[1].events[0].attributes["event.name"] == "user_prompt"
    assert exports[2].spans[0].name == "llm_request"
    for export in exports:
        assert (export.collector, export.rejected) == ("file", "")


def test_a_half_written_line_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    first, second = (line(encode(metrics(value), JSON)) for value in (1.0, 2.0))
    with FileOutlet(path) as outlet, path.open("wb", buffering=0) as file:
        file.write(first + second[:20])
        assert len(outlet.exports()) == 1
        assert outlet.pending == 20
        file.write(second[20:])
        assert [export.data_points[0].value for export in outlet.exports()] == [1.0, 2.0]
        assert outlet.pending == 0


def test_rotated_files_are_read_to_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    lines = [line(encode(metrics(float(value)), JSON)) for value in range(5)]
    with FileOutlet(path, interval_s=3600) as outlet:
        path.write_bytes(lines[0])
        assert len(outlet.exports()) == 1
        with path.open("ab") as file:
            file.write(lines[1])
        path.rename(tmp_path / "out-2026-11-26T00-00-00.000-size.json")
        path.write_bytes(lines[2])
        path.rename(tmp_path / "out-2026-11-26T00-00-01.000-size.json")
        path.write_bytes(lines[3])
        values = [export.data_points[0].value for export in outlet.exports()]
        assert values == [0.0, 1.0, 2.0, 3.0]
        # One that was read and then deleted is not missed.
        (tmp_path / "out-2026-11-26T00-00-00.000-size.json").unlink()
        with path.open("ab") as file:
            file.write(lines[4])
    assert [export.data_points[0].value for export in outlet.exports()][4:] == [4.0]


def test_a_file_that_was_emptied_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with FileOutlet(path, interval_s=3600) as outlet:
        path.write_bytes(line(encode(metrics(1.0), JSON)))
        outlet.exports()
        # As long as before, and so no shorter: its content tells.
        path.write_bytes(line(encode(metrics(2.0), JSON)))
        values = [export.data_points[0].value for export in outlet.exports()]
    assert values == [1.0, 2.0]


def test_each_signal_of_a_line_is_an_export(tmp_path: Path) -> None:
    """No exporter of a Collector writes several into one, but what merges files may."""
    path = tmp_path / "out.json"
    path.write_bytes(line(b'{"resourceLogs": [], "resourceMetrics": [], "resourceSpans": []}'))
    with FileOutlet(path) as outlet:
        exports = outlet.exports()
    assert [each.signal for each in exports] == [Signal.LOGS, Signal.METRICS, Signal.TRACES]
    assert [each.rejected for each in exports] == ["", "", ""]


@pytest.mark.parametrize(
    ("text", "reason"), [(b'{"a": }', "no JSON"), (b'{"other": []}', "no signal")]
)
def test_a_line_that_cannot_be_read_is_kept_with_the_reason(
    text: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(line(text))
    with FileOutlet(path) as outlet:
        [export] = outlet.exports()
    assert export.body == text
    assert export.rejected.startswith(reason)


def test_what_no_exporter_writes_ends_the_outlet_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(with_length(b"\x28\xb5\x2f\xfdnothing"))
    with FileOutlet(path, interval_s=0.01) as outlet:
        with pytest.raises(HarnessError, match=r"the outlet file failed: .*zstd"):
            outlet.wait_for(lambda seen: seen, DEADLINE_S)
        with pytest.raises(HarnessError, match="zstd"):
            outlet.exports()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_the_signal_of_protobuf_is_that_which_knows_all_of_it(message: Request) -> None:
    kinds = {
        ExportMetricsServiceRequest: Signal.METRICS,
        ExportLogsServiceRequest: Signal.LOGS,
        ExportTraceServiceRequest: Signal.TRACES,
    }
    assert protobuf_signal(message.SerializeToString()) is kinds[type(message)]
