"""Check cheaply that bytes are an export request, for a collector's request path.

The three requests have one shape: resources in field 1, scopes in field 2 of those, items
(metrics, log records, spans) in field 2 of those. A message type that knows just these, and takes
the items as bytes, lets the protobuf parser walk a 25 KB body in about 1 microsecond instead of
the 35 of the whole parse: it finds what is cut off or no protobuf at all, down to where the items
begin. What is wrong inside an item shows when the export is decoded in full.

It never refuses what the whole parse takes.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message

from harness.otlp.errors import DecodeError
from harness.otlp.model import Signal

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


def check_protobuf(signal: Signal, body: bytes) -> None:
    """Raise :class:`DecodeError` unless ``body`` can be an export request of ``signal``."""
    try:
        _parse(body)
    except ProtobufError as error:
        raise DecodeError("", f"body is no export request for {signal}: {error}") from None
