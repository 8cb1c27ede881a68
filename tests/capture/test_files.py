"""Captures in folders: saved, loaded, foreign and broken ones."""

from __future__ import annotations

import dataclasses
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.capture import Capture, Connection
from harness.capture.export import Export
from harness.capture.files import LONGEST, load, save
from harness.capture.run import Run
from harness.capture.serialization import from_plain, to_plain
from harness.errors import UsageError
from harness.otlp.codec import decode_request, encode
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal

Make = Callable[..., Export]


@pytest.fixture
def capture(run: Run, make_export: Make, make_metrics: Make, make_events: Make) -> Capture:
    message = make_events("api_request").message
    assert message is not None
    return Capture(
        run,
        (
            make_metrics(("m", 1, {}), sequence=1),
            make_events("user_prompt", sequence=2, headers=(("x-api-key", "fake"), ("a", "\xff"))),
            make_events("twice", sequence=3, status=503, rejected="scripted"),
            make_export(
                encode(message, Encoding.PROTOBUF),
                sequence=4,
                protocol=Protocol.GRPC,
                path="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                status=0,
            ),
            make_export(b"\x00\xff garbage", sequence=5),
            make_export(b"", None, protocol=None, sequence=6, status=404, rejected="no path"),
        ),
        forgotten=7,
        connections=(Connection("main", 5), Connection("other", 6)),
    )


def test_a_capture_comes_back_equal(capture: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    save(capture, folder)
    loaded = load(folder)
    assert loaded == capture
    assert loaded.forgotten == 7
    assert loaded.exports[4].body == b"\x00\xff garbage"
    assert loaded.data_points() == capture.data_points()
    assert loaded.events() == capture.events()
    assert sorted(path.name for path in folder.iterdir()) == [
        "capture.json",
        "logs.jsonl",
        "metrics.jsonl",
        "traces.jsonl",
        "transport.jsonl",
    ]


def test_the_signal_files_are_requests_and_transport_points_into_them(
    capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    facts = [json.loads(line) for line in (tmp_path / "transport.jsonl").read_bytes().splitlines()]
    assert [(fact["file"], fact["line"]) for fact in facts] == [
        ("metrics.jsonl", 1),
        ("logs.jsonl", 1),
        (None, None),
        ("logs.jsonl", 2),
        (None, None),
        (None, None),
    ]
    lines = (tmp_path / "logs.jsonl").read_bytes().splitlines()
    assert [decode_request(Signal.LOGS, Encoding.JSON, line).message for line in lines] == [
        capture.exports[1].message,
        capture.exports[3].message,
    ]
    assert (tmp_path / "traces.jsonl").read_bytes() == b""


def test_an_older_capture_is_replaced(capture: Capture, tmp_path: Path) -> None:
    save(capture, tmp_path)
    smaller = dataclasses.replace(capture, exports=capture.exports[:1], forgotten=0)
    save(smaller, tmp_path)
    assert load(tmp_path) == smaller
    assert (tmp_path / "logs.jsonl").read_bytes() == b""


def test_a_save_that_breaks_off_leaves_no_complete_capture(
    capture: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(capture, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UsageError, match="No space left on device"):
        save(capture, tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(UsageError, match=r"no capture\.json"):
        load(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file") as caught:
        load(tmp_path / "absent")
    assert str(tmp_path / "absent") in str(caught.value)


def test_a_folder_without_a_capture(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"saw no capture\.json"):
        load(tmp_path)


def test_a_folder_that_cannot_be_written(capture: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a folder that we can write to"):
        save(capture, tmp_path / "file")


@pytest.mark.parametrize(
    ("line", "message"), [("{", "no JSON"), ("[]", "saw list"), ("[" * 100_000, "no JSON")]
)
@pytest.mark.parametrize("name", ["capture.json", "transport.jsonl"])
def test_what_is_no_json_object_is_named(
    name: str, line: str, message: str, capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    (tmp_path / name).write_text(line)
    with pytest.raises(UsageError, match=message) as caught:
        load(tmp_path)
    assert f"file {tmp_path / name}" in str(caught.value)


def _directory(path: Path) -> None:
    path.mkdir()


def _device(path: Path) -> None:
    path.symlink_to(os.devnull)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a FIFO"), (_directory, "a directory"), (_device, "a character device")],
)
@pytest.mark.parametrize("name", ["capture.json", "transport.jsonl"])
def test_only_regular_files_are_opened(
    name: str, make: Callable[[Path], None], kind: str, capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    path = tmp_path / name
    path.unlink()
    make(path)
    with pytest.raises(UsageError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"file {path}: expected a regular file, saw {kind}"


@pytest.mark.parametrize(("name", "where"), [("capture.json", ""), ("transport.jsonl", " line 7")])
def test_an_endless_line_is_not_read_to_its_end(
    name: str, where: str, capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    path = tmp_path / name
    os.truncate(path, 16 * LONGEST)  # sparse: nothing but zeros follows, and no end of line
    tracemalloc.start()
    try:
        with pytest.raises(UsageError) as caught:
            load(tmp_path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert f"file {path}{where}: expected" in str(caught.value)
    assert f"at most {LONGEST} bytes, saw a longer one" in str(caught.value)
    assert most < 3 * LONGEST


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "200"}, r"expected an integer, saw '200' @ \$\.status$"),
        ({"status": True}, r"expected an integer, saw True @ \$\.status$"),
        ({"status": 200.0}, r"expected an integer, saw 200\.0 @ \$\.status$"),
        ({"peer": 1}, r"expected a string, saw 1 @ \$\.peer$"),
        ({"body": "%"}, r"expected base64, saw '%': .* @ \$\.body$"),
        ({"body": "ü"}, r"expected base64, saw 'ü': .* @ \$\.body$"),
        (
            {"protocol": "carrier pigeon"},
            r"expected one of 'grpc', 'http/protobuf', 'http/json', saw 'carrier pigeon' "
            r"@ \$\.protocol$",
        ),
        ({"headers": [["a"]]}, r"expected 2 elements, saw 1 @ \$\.headers\[0\]$"),
        ({"headers": [["a", 1]]}, r"expected a string, saw 1 @ \$\.headers\[0\]\[1\]$"),
        ({"headers": {}}, r"expected an array, saw {} @ \$\.headers$"),
        ({"headers": "ab"}, r"expected an array, saw 'ab' @ \$\.headers$"),
        ({"new": 1}, r"unknown 'new' @ \$$"),
        ({"_read": None}, r"unknown '_read' @ \$$"),
        ({"peer": ...}, r"missing @ \$\.peer$"),
        ({"peer": 1, "status": "", "path": 2, "method": 3}, "; and 1 more$"),
    ],
)
def test_a_broken_transport_line_is_named(
    change: dict[str, Any], message: str, capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    path = tmp_path / "transport.jsonl"
    lines = path.read_text().splitlines()
    facts = json.loads(lines[1]) | change
    lines[1] = json.dumps({key: value for key, value in facts.items() if value is not ...})
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=message) as caught:
        load(tmp_path)
    assert f"file {path} line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 1}, "expected format 2, saw format 1"),
        ({"exports": 5}, "expected 5 lines, as capture.json says, saw 6 lines"),
        ({"run": {}}, r"missing @ \$\.run\.scenario"),
        ({"run": 3}, r"expected an object, saw 3 @ \$\.run$"),
        ({"connections": [{}]}, r"missing @ \$\.connections\[0\]\.collector"),
    ],
)
def test_a_broken_sidecar_is_named(
    change: dict[str, Any], message: str, capture: Capture, tmp_path: Path
) -> None:
    save(capture, tmp_path)
    path = tmp_path / "capture.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UsageError, match=message) as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_sidecar_without_its_transport(capture: Capture, tmp_path: Path) -> None:
    save(capture, tmp_path)
    (tmp_path / "transport.jsonl").unlink()
    with pytest.raises(UsageError, match=r"transport\.jsonl: expected a readable file"):
        load(tmp_path)


@given(
    st.builds(
        Export,
        sequence=st.integers(),
        protocol=st.none() | st.sampled_from(Protocol),
        signal=st.none() | st.sampled_from(Signal),
        method=st.text(),
        path=st.text(),
        http_version=st.text(),
        headers=st.lists(st.tuples(st.text(), st.text())).map(tuple),
        body=st.binary(),
        arrived_unix_nano=st.integers(),
        peer=st.text(),
        status=st.integers(),
        rejected=st.text(),
    )
)
def test_any_export_survives_json(export: Export) -> None:
    assert from_plain(Export, json.loads(json.dumps(to_plain(export)))) == export
