"""Lies about a session that goes on with an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...capture.observed import with_observed
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import ExportLogsServiceRequest
from .observed import Resumption

#: So many events the other process logged.
_SENT_BEFORE = 4

Lie = Callable[[Capture, Requirement], Capture]


def another_id_than_before(capture: Capture, requirement: Requirement) -> Capture:
    """Go on with a session of another id than that which is sent."""
    return with_observed(capture, Resumption("7c1f0d6e-0000-4000-8000-000000000000"))


def the_same_session(capture: Capture, requirement: Requirement) -> Capture:
    """Send the id of the earlier session."""
    ids = {event.attributes["session.id"] for event in capture.events()}
    return with_observed(capture, Resumption(str(ids.pop())))


def counts_on(capture: Capture, requirement: Requirement) -> Capture:
    """Go on counting events where another process stopped."""
    for export in capture.exports:
        message = copy_message(export)
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for ref in editing.item_refs(message):
            sequence = ref.item.view["attributes"]["event.sequence"]
            counted = type(sequence)(int(sequence) + _SENT_BEFORE)
            editing.put(ref, ("attributes", "event.sequence"), counted)
        capture = instead(capture, export, rewritten(export, message))
    return capture


LIES: Mapping[str, Lie] = {
    lie.__name__: lie for lie in (another_id_than_before, the_same_session, counts_on)
}
