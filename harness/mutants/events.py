"""Lie about one event of a capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..capture.capture import Capture
from ..contract.requirement import Requirement
from ..otlp.messages import ExportLogsServiceRequest
from . import editing
from .rewriting import copy_message, instead, rewritten

Edit = Callable[[editing.ItemRef], object]
Lie = Callable[[Capture, Requirement], Capture]


def lie(name: str, what: str, wanted: Mapping[str, Any], edit: Edit) -> Lie:
    """Return the lie of that name, which edits the last event that has the attributes ``wanted``.

    ``what`` says what it does.
    """

    def told(capture: Capture, requirement: Requirement) -> Capture:
        return edited(capture, wanted, edit)

    told.__name__, told.__doc__ = name, what
    return told


def edited(capture: Capture, wanted: Mapping[str, Any], edit: Edit) -> Capture:
    """Return ``capture`` with the last event edited that has the attributes ``wanted``.

    Raises ValueError if there is none.
    """

    def fits(attributes: Mapping[str, Any]) -> bool:
        return all(attributes.get(key) == value for key, value in wanted.items())

    return edited_if(capture, fits, edit, f"event with {dict(wanted)}")


def edited_if(
    capture: Capture, fits: Callable[[Mapping[str, Any]], bool], edit: Edit, what: str
) -> Capture:
    """Return ``capture`` with the last event edited whose attributes fit.

    Raises ValueError if there is none; ``what`` says there what was looked for.
    """
    for export in reversed(capture.exports):
        message = copy_message(export)
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for ref in reversed(list(editing.item_refs(message))):
            if fits(ref.item.view["attributes"]):
                edit(ref)
                return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} logged no {what}")


def setting(key: str, value: object) -> Edit:
    """Return the edit that sets an attribute."""
    return lambda ref: editing.put(ref, ("attributes", key), value)


def adding(key: str, more: int) -> Edit:
    """Return the edit that makes the number in an attribute greater."""

    def edit(ref: editing.ItemRef) -> None:
        value = int(str(ref.item.view["attributes"][key]))
        editing.put(ref, ("attributes", key), value + more)

    return edit
