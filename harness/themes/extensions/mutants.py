"""Lies about hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.events import Edit, Lie, edited_if, setting
from . import plugin_mutants

_REGISTERED, _START, _END = (
    "hook_registered",
    "hook_execution_start",
    "hook_execution_complete",
)


def hook_not_registered(capture: Capture, requirement: Requirement) -> Capture:
    """Log no event for one of the hooks."""
    return _edited(capture, {"event.name": _REGISTERED}, editing.remove)


def hook_registered_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two events for one of the hooks."""
    return _edited(capture, {"event.name": _REGISTERED}, editing.repeat)


def another_matcher(capture: Capture, requirement: Requirement) -> Capture:
    """Log another matcher than is configured."""
    wanted = {"event.name": _REGISTERED, "hook_matcher": "Read"}
    return _edited(capture, wanted, setting("hook_matcher", "Write"))


def hook_start_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no start of hooks that ran."""
    return _edited(capture, {"event.name": _START, **_where(requirement)}, editing.remove)


def hook_start_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two starts of hooks that ran once."""
    return _edited(capture, {"event.name": _START, **_where(requirement)}, editing.repeat)


def hook_start_miscounted(capture: Capture, requirement: Requirement) -> Capture:
    """Log the start of one hook more than there are."""
    return _edited(capture, {"event.name": _START, "num_hooks": 1}, setting("num_hooks", 2))


def hook_end_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no end of hooks that ran."""
    return _edited(capture, {"event.name": _END, **_where(requirement)}, editing.remove)


def hook_end_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two ends of hooks that ran once."""
    return _edited(capture, {"event.name": _END, **_where(requirement)}, editing.repeat)


def blocking_counted_as_success(capture: Capture, requirement: Requirement) -> Capture:
    """Count a hook that blocked as one that succeeded."""
    return _miscounted(capture, "num_blocking", "num_success")


def failure_counted_as_blocking(capture: Capture, requirement: Requirement) -> Capture:
    """Count a hook that failed as one that blocked."""
    return _miscounted(capture, "num_non_blocking_error", "num_blocking")


def hung_counted_as_failure(capture: Capture, requirement: Requirement) -> Capture:
    """Count a hook that was given up as one that failed."""
    return _miscounted(capture, "num_cancelled", "num_non_blocking_error")


def success_not_counted(capture: Capture, requirement: Requirement) -> Capture:
    """Count fewer hooks that succeeded."""
    return _edited(capture, {"event.name": _END, "num_success": 2}, setting("num_success", 1))


def hung_in_seconds(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the time of a hook that was given up in seconds."""
    return _edited(
        capture, {"event.name": _END, "num_cancelled": 1}, setting("total_duration_ms", 1)
    )


def hung_in_microseconds(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the time of a hook that was given up in microseconds."""
    return _edited(
        capture, {"event.name": _END, "num_cancelled": 1}, setting("total_duration_ms", 1_000_000)
    )


def _miscounted(capture: Capture, counted: str, instead_of_it: str) -> Capture:
    def edit(ref: editing.ItemRef) -> None:
        setting(counted, 0)(ref)
        setting(instead_of_it, 1)(ref)

    wanted = {"event.name": _END, counted: 1, instead_of_it: 0}
    return _edited(capture, wanted, edit)


def _where(requirement: Requirement) -> Mapping[str, Any]:
    """Return what the requirement narrows its hooks to: a value, or a schema of values."""
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    return where


def _is(value: object, wanted: object) -> bool:
    # Releases send numbers as texts.
    return value in wanted["enum"] if isinstance(wanted, Mapping) else str(value) == str(wanted)


def _edited(capture: Capture, wanted: Mapping[str, Any], edit: Edit) -> Capture:
    """Return ``capture`` with the last event edited that has the attributes ``wanted``.

    Raises ValueError if there is none.
    """

    def fits(attributes: Mapping[str, Any]) -> bool:
        return all(_is(attributes.get(key), value) for key, value in wanted.items())

    return edited_if(capture, fits, edit, f"event with {dict(wanted)}")


LIES: Mapping[str, Lie] = {
    **plugin_mutants.LIES,
    **{
        lie.__name__: lie
        for lie in (
            hook_not_registered,
            hook_registered_twice,
            another_matcher,
            hook_start_not_logged,
            hook_start_twice,
            hook_start_miscounted,
            hook_end_not_logged,
            hook_end_twice,
            blocking_counted_as_success,
            failure_counted_as_blocking,
            hung_counted_as_failure,
            success_not_counted,
            hung_in_seconds,
            hung_in_microseconds,
        )
    },
}
