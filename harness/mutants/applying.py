"""Put something else in the place of the truth: edit spots of a capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from . import editing, sending
from .fields import Field, Spot, owners
from .kinds import Listed
from .rewriting import copy_message, rewritten

#: What takes the place of the truth: a value, or one of these.
ERASED, REMOVED, TWICE = object(), object(), object()
#: The field, the spot, and what takes the place of the truth.
Edit = tuple[Field, Spot, Any]


def apply(capture: Capture, edits: Sequence[Edit]) -> Capture:
    """Make the edits in a copy of the capture; requests that no edit is about stay the same."""
    if edits[0][0].selects.kind == "exports":
        return _sent_otherwise(capture, edits)
    exports: list[Any] = list(capture.exports)
    for number in sorted({spot.export for _, spot, _ in edits}):
        message = copy_message(exports[number])
        assert message is not None
        refs = list(editing.item_refs(message))
        # From the back, so that what is still to be removed keeps its place.
        for field, spot, value in sorted(edits, key=lambda edit: -edit[1].place):
            if spot.export != number:
                continue
            if field.selects.kind in ("resources", "scopes"):
                _edit_owner(owners(message, field)[spot.place], field, value)
            else:
                _edit(refs[spot.place], field, value)
        exports[number] = rewritten(exports[number], message) if editing.prune(message) else None
    return replace(capture, exports=tuple(export for export in exports if export is not None))


def _edit_owner(owner: Any, field: Field, value: Any) -> None:
    if field.selects.kind == "scopes":
        setattr(owner, field.path[-1], "" if value is ERASED else str(value))
    elif value is ERASED:
        editing.drop_attribute(owner.attributes, field.path[-1])
    else:
        _put_attribute(owner.attributes, field.path[-1], value)


def _edit(ref: editing.ItemRef, field: Field, value: Any) -> None:
    if value is REMOVED:
        editing.remove(ref)
    elif value is TWICE:
        editing.repeat(ref)
    elif field.path[0] == "attributes":
        if value is ERASED:
            editing.drop_attribute(ref.record.attributes, field.path[1])
        else:
            _put_attribute(ref.record.attributes, field.path[1], value)
    elif field.path == ("body",):
        ref.record.ClearField("body")
        if isinstance(value, Listed):
            ref.record.body.array_value.values.add().string_value = value.text
        elif value is not ERASED:
            ref.record.body.string_value = value
    else:
        _edit_own(ref, field.path[0], value)


def _edit_own(ref: editing.ItemRef, name: str, value: Any) -> None:
    """Change a field of OTLP's own."""
    owner = ref.owner if name in ("name", "unit", "description") else ref.record
    match name:
        case "value":
            ref.record.ClearField("as_double")
            ref.record.ClearField("as_int")
            if isinstance(value, int):
                ref.record.as_int = value
            elif value is not ERASED:
                ref.record.as_double = value
        case "temporality":
            editing.put(ref, (name,), "unspecified" if value is ERASED else value)
        case "monotonic" | "type":
            editing.put(ref, (name,), value)
        case _ if value is ERASED:
            owner.ClearField(name)
        case _:
            setattr(owner, name, value)


def _put_attribute(attributes: Any, key: str, value: Any) -> None:
    if not isinstance(value, Listed):
        editing.put_attribute(attributes, key, value)
        return
    editing.drop_attribute(attributes, key)
    attributes.add(key=key).value.array_value.values.add().string_value = value.text


def _sent_otherwise(capture: Capture, edits: Sequence[Edit]) -> Capture:
    """Change requests themselves, not what they carry."""
    exports: list[Export | None] = list(capture.exports)
    copied = []
    for field, spot, value in edits:
        export = capture.exports[spot.export]
        if value is TWICE:
            copied.append(export)
        elif value is REMOVED:
            exports[spot.export] = None
        else:
            erased = value is ERASED
            exports[spot.export] = sending.edited(export, field.path, value, erased=erased)
    kept = [export for export in exports if export is not None]
    return replace(capture, exports=sending.with_copies(kept, copied) if copied else tuple(kept))
