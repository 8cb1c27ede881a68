"""What the real file exporter writes is read in each of its forms, and judged as what was sent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

import pytest

from harness.assessment.fleet import check
from harness.fleet.files import Message, messages
from harness.fleet.summary import Checked
from harness.fleet.wire import decode
from harness.otlp.codec import encode
from harness.otlp.messages import Encoding
from harness.relay import golden
from harness.relay.ports import free_port

#: Forms of the file exporter, by its own options.
FORMS: dict[str, dict[str, str]] = {
    "json": {},
    "zstd": {"compression": "zstd"},
    "proto": {"format": "proto"},
    "proto_zstd": {"format": "proto", "compression": "zstd"},
}
_DEADLINE_S = 60.0
_PATHS = {"metrics": "/v1/metrics", "logs": "/v1/logs", "traces": "/v1/traces"}


def test_each_form_of_the_file_exporter_is_judged_as_what_was_sent(
    otelcol: Path, tmp_path: Path
) -> None:
    """Through the batch processor, as most have it: requests are put together there."""
    capture = next(each for each in golden.load("2.1.332") if each.run.scenario == "working_day")
    sent = [
        (_PATHS[export.signal], encode(export.message, Encoding.JSON))
        for export in capture.accepted
        if export.message is not None and export.signal is not None
    ]
    lines = tmp_path / "sent.json"
    lines.write_bytes(b"".join(body + b"\n" for _, body in sent))
    truth = check([lines], "check", {})
    _through(otelcol, tmp_path, sent)
    for form in FORMS:
        seen = check([tmp_path / form], "check", {})
        assert _summary(seen) == _summary(truth), form
        assert not seen.decision.failed, form


def _summary(checked: Checked) -> list[tuple[object, ...]]:
    """Return what does not depend on how the items were put into messages."""
    assert checked.number_broken == 0
    return [
        (
            each.version,
            dict(each.items),
            Counter(row.verdict for row in each.rows),
        )
        for each in checked.releases
    ]


def _through(otelcol: Path, folder: Path, sent: list[tuple[str, bytes]]) -> None:
    port = free_port()
    signals = ("metrics", "logs", "traces")
    for form in FORMS:
        (folder / form).mkdir()
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": {"batch": {"timeout": "200ms"}},
        "exporters": {
            f"file/{form}": {"path": str(folder / form / "otel"), **options}
            for form, options in FORMS.items()
        },
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                signal: {
                    "receivers": ["otlp"],
                    "processors": ["batch"],
                    "exporters": [f"file/{form}" for form in FORMS],
                }
                for signal in signals
            },
        },
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    log = folder / "otelcol.log"
    with (
        log.open("wb") as output,
        subprocess.Popen([otelcol, "--config", path], stdout=output, stderr=output) as process,
    ):
        try:
            for target, body in sent:
                _post(port, target, body, process, log)
            _wait_for(sum(map(_items, [body for _, body in sent])), folder, process)
        finally:
            process.terminate()
            process.wait(_DEADLINE_S)


def _items(body: bytes) -> int:
    """Count the items of a message."""
    return sum(
        len(block.log_records)
        + len(block.spans)
        + sum(len(metric.sum.data_points) for metric in block.metrics if metric.sum)
        for _, _, block in decode(body).blocks()
    )


def _wait_for(items: int, folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until every file holds all items.

    Stopped before, this release of the exporter falls over what the batches still hold.
    """
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        written = {
            form: sum(
                _items(each.body)
                for each in messages([folder / form / "otel"])
                if isinstance(each, Message)
            )
            for form in FORMS
        }
        if set(written.values()) == {items}:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"of {items} items there were written: {written}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


def _post(port: int, path: str, body: bytes, process: subprocess.Popen[bytes], log: Path) -> None:
    """Send one request; until the collector listens, try again."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=_DEADLINE_S)
        try:
            connection.request("POST", path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the collector does not listen: {log.read_text()[-2000:]}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        finally:
            connection.close()
