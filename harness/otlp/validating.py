"""Validate a protobuf body as a whole, without keeping what is in it.

The parser is protobuf's own, in C, and so is what it refuses: broken framing, texts that are not
UTF-8, messages nested too deeply. The messages that it fills are copies of OTLP's in which a list
of messages is a single one: the elements are merged into that, one after the other. Whether bytes
can be parsed does not depend on it, but nothing has to be made for each element.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from google.protobuf.message import DecodeError as ProtobufError

from .errors import DecodeError
from .messages import REQUESTS
from .model import Signal


def check_protobuf(signal: Signal, body: bytes) -> None:
    """Raise :class:`DecodeError` unless ``body`` can be decoded as a request of ``signal``."""
    try:
        _PARSERS[signal](body)
    except ProtobufError as error:
        name = REQUESTS[signal].DESCRIPTOR.name
        raise DecodeError("", f"body is no {name}: {error}") from None


def _add(file: FileDescriptor, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for needed in file.dependencies:
        _add(needed, pool, added)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    for message in copy.message_type:
        _make_single(message)
    pool.Add(copy)


def _make_single(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_MESSAGE:
            field.label = FieldDescriptorProto.LABEL_OPTIONAL
    for inner in message.nested_type:
        _make_single(inner)


def _parsers() -> dict[Signal, Callable[[bytes], object]]:
    # A pool of its own: the default one belongs to the generated modules.
    pool, added = descriptor_pool.DescriptorPool(), set[str]()
    found: dict[Signal, Callable[[bytes], object]] = {}
    for signal, request in REQUESTS.items():
        _add(request.DESCRIPTOR.file, pool, added)
        descriptor = pool.FindMessageTypeByName(request.DESCRIPTOR.full_name)
        found[signal] = message_factory.GetMessageClass(descriptor).FromString
    return found


_PARSERS = _parsers()
