"""Check that bytes are an export request, for a collector's request path.

The three requests have one shape: resources, scopes in those, items (metrics, log records, spans)
in those. Their outline is checked down to where the items begin, in both encodings within
microseconds.

A protobuf body is parsed as a whole besides: what could not be decoded later is refused at once.
So is JSON of the size that exporters commonly send. Decoding more of it would hold up all clients
for milliseconds: of the items in it the syntax alone is checked, and what else is wrong in them
shows when the export is decoded.

Nothing here refuses what decoding takes.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message

from .codec import decode_request
from .errors import DecodeError, TooLarge
from .messages import Encoding
from .model import Signal
from .validating import check_protobuf

#: The most JSON objects in one request. In memory each is many times as large as ``{}`` is on the
#: wire; no exporter sends nearly so many.
MOST_OBJECTS = 1_000_000

#: JSON of up to this size is decoded as a whole, in half a millisecond; and so is JSON of up to
#: that size in which something is wrong, to say where.
WHOLE_BYTES = 16 * 1024
_EXPLAINED_BYTES = 1024 * 1024

#: Raises :class:`DecodeError` for a body that is to be refused.
Check = Callable[[Signal, Encoding, bytes], None]

_ITEMS = {
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}


_PACKAGE = "cc_otel.envelope"


def _build() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(
        name="cc_otel/envelope.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, number, inner in (("Request", 1, "Group"), ("Group", 2, "Block"), ("Block", 2, "")):
        field = file.message_type.add(name=name).field.add(
            name="inner", number=number, label=FieldDescriptorProto.LABEL_REPEATED
        )
        if inner:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{inner}"
        else:
            field.type = FieldDescriptorProto.TYPE_BYTES
    # A pool of its own: the default one belongs to the generated modules.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Request"))


_parse = _build().FromString


def _outline(signal: Signal) -> Callable[[bytes], object]:
    """Return what reads the outer shape of a request, and of its items the syntax only."""
    shape: object = msgspec.Raw
    for name in reversed(_ITEMS[signal]):
        shape = msgspec.defstruct("Outline", [(name, list[shape], [])])  # type: ignore[valid-type]
    return msgspec.json.Decoder(shape).decode


_outlines = {signal: _outline(signal) for signal in Signal}


def check_outline(signal: Signal, body: bytes) -> None:
    """Raise :class:`DecodeError` unless the groups around a protobuf body's items can be walked."""
    try:
        _parse(body)
    except ProtobufError as error:
        raise DecodeError("", f"body is no export request for {signal}: {error}") from None


def take_all(signal: Signal, encoding: Encoding, body: bytes) -> None:
    """Refuse nothing: what cannot be decoded says so when it is."""


def check_request(signal: Signal, encoding: Encoding, body: bytes) -> None:
    """Raise :class:`DecodeError` unless ``body`` can be an export request of ``signal``.

    Raises :class:`TooLarge` for JSON of more objects than are taken.
    """
    if encoding is Encoding.PROTOBUF:
        check_protobuf(signal, body)
        return
    if len(body) <= WHOLE_BYTES:
        decode_request(signal, encoding, body)
        return
    if len(body) > MOST_OBJECTS and body.count(b"{") > MOST_OBJECTS:
        raise TooLarge("", f"JSON of more than {MOST_OBJECTS:,} objects")
    try:
        body.decode()  # msgspec does not look into what it skips
        _outlines[signal](body)
    except UnicodeDecodeError as error:
        raise DecodeError("", f"body is not UTF-8: {error}") from None
    except (msgspec.MsgspecError, RecursionError) as error:
        if len(body) > _EXPLAINED_BYTES:
            raise DecodeError("", f"body is no export request for {signal}: {error}") from None
        # It has the last word, and says where the fault is.
        decode_request(signal, encoding, body)
