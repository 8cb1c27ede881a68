"""Decide what a capture alone can show of each requirement, and why not of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..capture.run import Run, SubjectFacts
from ..contract.requirement import DRAWN, Requirement
from ..drift.inventory import RECORDED
from ..otlp.model import Protocol

#: Checks whose outcome of one item depends on which attributes it has, of which types.
BY_SHAPE = frozenset({"present", "absent", "documented", "unique_keys"})
#: Checks whose outcome of one item depends on the value of one field.
BY_VALUE = frozenset({"valid_if_present", "present_and_valid", "json_text", "subject_version"})
#: Checks whose outcome of one item depends on two of its values.
BY_ITEM = frozenset({"times_ordered", "same_instant", "cost_in_micros"})
#: Checks of what items of one session, or of one message, say together.
TOGETHER = frozenset(
    {
        "increasing",
        "without_gaps",
        "constant",
        "one_for_each",
        "one_point_per_stream",
        "windows_apart",
    }
)

#: Traits that hold of every capture, or that are assumed of it.
_TRAITS: Mapping[str, bool] = {
    DRAWN: False,
    "a_refusing_collector": False,
}

#: Promises of the data model, which hold in every session though one scenario shows them best.
_EVERYWHERE = frozenset({"data_model.delta_windows_apart"})

#: Requirements that a capture cannot break, or not tell, for a reason of their own.
_OWN_REASONS: Mapping[str, str] = {
    "resource.service_version.is_the_version": "the release is taken from it; what else names a "
    "release is held to it",
    "resource.one_for_all_signals": "a capture holds the resources of many processes, and does "
    "not tell which of them are one",
    "standard.events.session_id.stable": "a capture holds many sessions, and tells them by this",
    "standard.metrics.session_id.stable": "a capture holds many sessions, and tells them by this",
}
_KINDS: Mapping[str, str] = {
    "measured": "behaviour is measured in sessions of ours; a capture does not show how it came",
    "exports": "a capture holds items, and not the requests that they came in",
}
_WORLD = "a capture does not tell what happened in its sessions, which this is compared with"
_ACROSS = "runs of ours are compared with each other"

#: Whose paths are looked at, beside attributes.
_FIELDS = frozenset(
    {
        *(("name",), ("version",), ("body",), ("value",), ("description",), ("unit",)),
        *(("type",), ("monotonic",), ("temporality",), ("attributes",), ()),
    }
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is declared of the sessions of a capture: the variables that they were started with.

    What is not declared is taken as not set.
    """

    environment: Mapping[str, str]

    def run(self, release: str) -> Run:
        """Return a run that stands for all sessions of a release."""
        return Run(
            scenario=RECORDED,
            protocol=Protocol.HTTP_JSON,
            subject=SubjectFacts(RECORDED, "", release),
            argv=(),
            environment=self.environment,
            started_unix_nano=0,
            ended_unix_nano=0,
            exit_code=0,
            stdout="",
            stderr="",
        )


def not_shown(requirement: Requirement, fleet: Fleet) -> str:
    """Return why a capture does not exercise a requirement; empty if it can."""
    if reason := _OWN_REASONS.get(requirement.name) or _KINDS.get(requirement.selects.kind):
        return reason
    check = requirement.check
    if check in ("distinct", "equal_in_all", "same_everywhere"):
        return _ACROSS
    if requirement.scenarios and requirement.name not in _EVERYWHERE:
        return f"it is promised of sessions of {', '.join(requirement.scenarios)}"
    if check not in BY_SHAPE | BY_VALUE | BY_ITEM | TOGETHER or check == "confined":
        return _WORLD
    if requirement.path not in _FIELDS and not (
        len(requirement.path) == 2 and requirement.path[0] == "attributes"
    ):
        return f"{'.'.join(requirement.path)} is not looked at in a capture"
    return _not_given(requirement, fleet)


def _not_given(requirement: Requirement, fleet: Fleet) -> str:
    """Return which condition of a requirement does not hold, or is not known to."""
    for key, wanted in requirement.given.items():
        if isinstance(wanted, bool):
            if key not in _TRAITS:
                return f"a capture does not tell of its sessions: {key.replace('_', ' ')}"
            if _TRAITS[key] is not wanted:
                return f"it is promised of other sessions: {key.replace('_', ' ')}"
        elif (seen := fleet.environment.get(key) or None) != wanted:
            asked = f"with {key}={wanted}" if wanted is not None else f"without {key}"
            declared = f"{key}={seen}" if seen else f"{key} is not declared"
            return f"it is promised of sessions {asked}; {declared}"
    return ""
