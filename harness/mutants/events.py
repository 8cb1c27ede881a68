"""Edit one event of a capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..capture.capture import Capture
from ..otlp.messages import ExportLogsServiceRequest
from . import editing
from .rewriting import copy_message, instead, rewritten

Edit = Callable[[editing.ItemRef], object]


def edited(capture: Capture, wanted: Mapping[str, Any], edit: Edit) -> Capture:
    """Return ``capture`` with the last event edited that has the attributes ``wanted``.

    Raises ValueError if there is none.
    """
    for export in reversed(capture.exports):
        message = copy_message(export)
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for ref in reversed(list(editing.item_refs(message))):
            attributes: Mapping[str, Any] = ref.item.view["attributes"]
            if all(attributes.get(key) == value for key, value in wanted.items()):
                edit(ref)
                return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} logged no event with {dict(wanted)}")


def setting(key: str, value: object) -> Edit:
    """Return the edit that sets an attribute."""
    return lambda ref: editing.put(ref, ("attributes", key), value)


def adding(key: str, more: int) -> Edit:
    """Return the edit that makes the number in an attribute greater."""

    def edit(ref: editing.ItemRef) -> None:
        value = int(str(ref.item.view["attributes"][key]))
        editing.put(ref, ("attributes", key), value + more)

    return edit
