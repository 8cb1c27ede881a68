"""What is sent to try every field of OTLP does use every field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor

from harness.relay_themes.passing.every_field import every_field

#: Of profiles alone: these index a table of texts that other signals do not have.
_OF_PROFILES = {"string_value_strindex", "key_strindex"}


def reachable(descriptor: Descriptor, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Yield every field of a message and of those within it."""
    if descriptor.full_name in seen:
        return
    seen.add(descriptor.full_name)
    for field in descriptor.fields:
        if field.name not in _OF_PROFILES:
            yield descriptor.full_name, field.name
        if field.message_type is not None:
            yield from reachable(field.message_type, seen)


def used(message: Any) -> Iterator[tuple[str, str]]:
    """Yield every field that a message or one within it sets."""
    for field, value in message.ListFields():
        yield message.DESCRIPTOR.full_name, field.name
        if field.message_type is not None:
            members = [value] if hasattr(value, "ListFields") else value
            for member in members:
                yield from used(member)


def test_every_field_is_used() -> None:
    requests = [each.message for each in every_field()]
    everything = {field for each in requests for field in reachable(each.DESCRIPTOR, set())}
    assert len(everything) > 80
    assert everything - {field for each in requests for field in used(each)} == set()


def test_no_two_are_the_same() -> None:
    first, second = every_field(), every_field()
    assert all(a.message != b.message for a, b in zip(first, second, strict=True))
