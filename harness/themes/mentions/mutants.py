"""Lies about the mentions in a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import ExportLogsServiceRequest

Lie = Callable[[Capture, Requirement], Capture]


def mention_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no event for one mention that was resolved."""
    return _edited(capture, "true", editing.remove)


def mention_logged_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two events for one mention that was resolved."""
    return _edited(capture, "true", editing.repeat)


def missing_file_resolved(capture: Capture, requirement: Requirement) -> Capture:
    """Log the mention of a file that is not there as resolved."""
    return _edited(
        capture, "false", lambda ref: editing.put(ref, ("attributes", "success"), "true")
    )


def _edited(capture: Capture, success: str, edit: Callable[[editing.ItemRef], object]) -> Capture:
    """Return ``capture`` with the last mention edited that was logged with that ``success``.

    Raises ValueError if there is none.
    """
    for export in reversed(capture.exports):
        message = copy_message(export)
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for ref in reversed(list(editing.item_refs(message))):
            attributes = ref.item.view["attributes"]
            if (attributes.get("event.name"), attributes.get("success")) == ("at_mention", success):
                edit(ref)
                return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} logged no mention with success={success}")


LIES: Mapping[str, Lie] = {
    lie.__name__: lie for lie in (mention_not_logged, mention_logged_twice, missing_file_resolved)
}
