"""Read Prometheus' remote-write requests: version 1 (``prometheus.WriteRequest``) and 2.

The few messages are made here from their descriptors (prometheus/prompb); what is not needed to
know each series' values (exemplars, native histograms) is not among them, and so is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message

from . import ExpositionError
from .series import Sample

_NAME = "__name__"

#: As both versions number the types of metrics.
_KINDS = ("", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")

#: Message -> field -> number and type; a type in capitals is a message, ``*`` means repeated.
_V1 = {
    "WriteRequest": {"timeseries": (1, "*TimeSeries"), "metadata": (3, "*MetricMetadata")},
    "TimeSeries": {"labels": (1, "*Label"), "samples": (2, "*Sample"), "histograms": (4, "*bytes")},
    "Label": {"name": (1, "string"), "value": (2, "string")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "MetricMetadata": {
        "type": (1, "int32"),
        "metric_family_name": (2, "string"),
        "help": (4, "string"),
        "unit": (5, "string"),
    },
}
_V2 = {
    "Request": {"symbols": (4, "*string"), "timeseries": (5, "*TimeSeries")},
    "TimeSeries": {
        "labels_refs": (1, "*uint32"),
        "samples": (2, "*Sample"),
        "histograms": (3, "*bytes"),
        "metadata": (5, "Metadata"),
    },
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64"), "start_timestamp": (3, "int64")},
    "Metadata": {"type": (1, "int32"), "help_ref": (3, "uint32"), "unit_ref": (4, "uint32")},
}
_TYPES = {
    "string": Field.TYPE_STRING,
    "bytes": Field.TYPE_BYTES,
    "double": Field.TYPE_DOUBLE,
    "int32": Field.TYPE_INT32,
    "int64": Field.TYPE_INT64,
    "uint32": Field.TYPE_UINT32,
}


def _messages(
    package: str, messages: Mapping[str, Mapping[str, tuple[int, str]]]
) -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"cc_otel/{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, type_) in fields.items():
            added = message.field.add(name=field, number=number, label=Field.LABEL_OPTIONAL)
            if type_.startswith("*"):
                added.label = Field.LABEL_REPEATED
                type_ = type_[1:]
            if type_ in _TYPES:
                added.type = _TYPES[type_]
            else:
                added.type, added.type_name = Field.TYPE_MESSAGE, f".{package}.{type_}"
    # A pool of its own: the default one belongs to generated modules, those of others included.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


_V1_MESSAGES = _messages("prometheus", _V1)
_V2_MESSAGES = _messages("io.prometheus.write.v2", _V2)

#: The request of each version, to read and to make.
WriteRequest: Any = _V1_MESSAGES["WriteRequest"]
Request: Any = _V2_MESSAGES["Request"]


def samples(body: bytes, version: int, kinds: dict[str, Sample] | None = None) -> list[Sample]:
    """Return every sample of an uncompressed request, series by series.

    Version 1 tells what a metric is in requests of its own: ``kinds`` keeps that, by the name of
    the metric, from one request to the next. Raises :class:`ExpositionError` for a body that is no
    such request.
    """
    request = Request() if version == 2 else WriteRequest()
    try:
        request.ParseFromString(body)
    except ProtobufError as error:
        raise ExpositionError(f"no {request.DESCRIPTOR.full_name}: {error}") from None
    return _of_v2(request) if version == 2 else _of_v1(request, {} if kinds is None else kinds)


def _of_v1(request: Any, kinds: dict[str, Sample]) -> list[Sample]:
    for told in request.metadata:
        kinds[told.metric_family_name] = Sample(
            told.metric_family_name, {}, 0.0, _kind(told.type), 0, 0, told.unit, told.help
        )
    found = []
    for series in request.timeseries:
        labels = {label.name: label.value for label in series.labels}
        name = labels.pop(_NAME, "")
        known = kinds.get(name) or kinds.get(name.removesuffix("_total"))
        for sample in series.samples:
            found.append(
                Sample(
                    name=name,
                    labels=labels,
                    value=sample.value,
                    kind=known.kind if known else "",
                    time_unix_nano=sample.timestamp * 1_000_000,
                    unit=known.unit if known else "",
                    description=known.description if known else "",
                )
            )
    return found


def _of_v2(request: Any) -> list[Sample]:
    symbols = list(request.symbols)
    found = []
    for series in request.timeseries:
        try:
            texts = [symbols[ref] for ref in series.labels_refs]
            unit, help_ = symbols[series.metadata.unit_ref], symbols[series.metadata.help_ref]
        except IndexError:
            raise ExpositionError("a series refers to a symbol that is not there") from None
        labels = dict(zip(texts[::2], texts[1::2], strict=True))
        name = labels.pop(_NAME, "")
        for sample in series.samples:
            found.append(
                Sample(
                    name=name,
                    labels=labels,
                    value=sample.value,
                    kind=_kind(series.metadata.type),
                    time_unix_nano=sample.timestamp * 1_000_000,
                    start_unix_nano=sample.start_timestamp * 1_000_000,
                    unit=unit,
                    description=help_,
                )
            )
    return found


def _kind(number: int) -> str:
    """Return the type of a metric; a part of a histogram or summary is told by its name alone."""
    kind = _KINDS[number] if 0 <= number < len(_KINDS) else ""
    return kind if kind in ("counter", "gauge") else ""
