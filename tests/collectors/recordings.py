"""Keep recordings that come with us in other forms: as the CLI exports with other settings."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from harness.assessment.recording import header_of, recorded
from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.mutants import editing
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.messages import Request
from harness.record import jsonl
from harness.record.jsonl import RunRecord
from harness.record.summary import Plan
from harness.relay import golden

#: Edits the requests of one session, in their order.
Edit = Callable[[Request], None]


def release() -> str:
    """Return the newest release whose sessions come with us: the one that is sent by default."""
    return golden.releases()[-1]


def kept(folder: Path, edits: Callable[[int], Edit]) -> Path:
    """Keep the sessions of the newest release, edited, as ``--cc-captures`` keeps a recording.

    ``edits`` makes the edit of the session of a number.
    """
    captures = [
        _edited(capture, edits(number)) for number, capture in enumerate(golden.load(release()))
    ]
    folder.mkdir()
    names = [files.folder_name(capture.run) for capture in captures]
    for capture, name in zip(captures, names, strict=True):
        files.save(capture, folder / name)
    summary = recorded(captures, folders=names).summary
    labels = tuple(capture.run.label for capture in captures)
    header = header_of(captures[0].run.subject, (), summary, time.time_ns())
    jsonl.write(folder / jsonl.FILE_NAME, RunRecord(header, Plan(labels), summary))
    return folder


def _edited(capture: Capture, edit: Edit) -> Capture:
    return replace(capture, exports=tuple(_edited_export(each, edit) for each in capture.exports))


def _edited_export(export: Export, edit: Edit) -> Export:
    message = copy_message(export)
    if message is None:
        return export
    edit(message)
    return rewritten(export, message)


def without_session_id(number: int) -> Edit:
    """Leave session.id out of points of one person: OTEL_METRICS_INCLUDE_SESSION_ID=false."""

    def edit(message: Request) -> None:
        for ref in _points(message):
            attributes = ref.record.attributes
            editing.drop_attribute(attributes, "session.id")
            editing.put_attribute(attributes, "user.id", "one")
            editing.put_attribute(attributes, "terminal.type", "dumb")

    return edit


def with_instance_id(number: int) -> Edit:
    """Leave session.id out, and give each session a service.instance.id of its own."""
    without = without_session_id(number)

    def edit(message: Request) -> None:
        without(message)
        for group in editing.groups(message):
            attributes = group.resource.attributes
            editing.put_attribute(attributes, "service.instance.id", f"instance-{number}")

    return edit


def of_service(name: str) -> Callable[[int], Edit]:
    """Let all sessions come from a service of another name."""

    def edit(message: Request) -> None:
        for group in editing.groups(message):
            editing.put_attribute(group.resource.attributes, "service.name", name)

    return lambda number: edit


def cumulative(number: int) -> Edit:
    """Add the deltas up: OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative."""
    totals: dict[object, float] = defaultdict(float)
    starts: dict[object, int] = {}

    def edit(message: Request) -> None:
        for ref in _points(message):
            key = (ref.owner.name, ref.record.attributes.__str__())
            ref.owner.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            totals[key] += ref.record.as_double
            ref.record.as_double = totals[key]
            start = ref.record.start_time_unix_nano
            ref.record.start_time_unix_nano = starts.setdefault(key, start)

    return edit


def _points(message: Request) -> Sequence[Any]:
    if message.DESCRIPTOR.name != "ExportMetricsServiceRequest":
        return ()
    return [ref for ref in editing.item_refs(message) if ref.owner.HasField("sum")]
