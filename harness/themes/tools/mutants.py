"""Lies about changes of the permission mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.events import Edit, edited, setting

Lie = Callable[[Capture, Requirement], Capture]

_CHANGED = {"event.name": "permission_mode_changed"}


def _lie(name: str, what: str, edit: Edit) -> Lie:
    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return edited(capture, _CHANGED, edit)

    lie.__name__, lie.__doc__ = name, what
    return lie


_LIES = (
    _lie("mode_not_logged", "Log no change of the mode.", editing.remove),
    _lie("mode_logged_twice", "Log a change of the mode twice.", editing.repeat),
    _lie("another_mode", "Name another new mode.", setting("to_mode", "bypassPermissions")),
    _lie("another_mode_before", "Name another mode before.", setting("from_mode", "default")),
    _lie("same_mode", "Name the new mode as the one before.", setting("from_mode", "plan")),
)

LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in _LIES}
