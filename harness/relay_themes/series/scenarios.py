"""Send what makes sums hard to keep: pauses, and sessions that do not name themselves."""

from __future__ import annotations

from ...relay.replay import with_pauses, without_session
from ...relay.scenario import RelayScenario
from ...relay.sessions import of_several_exports, today
from ...relay.stage import RelayStage

#: As long as somebody thinks, or is at lunch: longer than series live by default.
PAUSE_S = 600.0
#: Two sessions export at different times, within each other's intervals.
APART_S = 0.137


def _idle_gaps(stage: RelayStage) -> None:
    """Send sessions that were idle for long between their exports: their deltas have gaps."""
    for session in of_several_exports(stage.sessions):
        stage.send(with_pauses(today(session), PAUSE_S))


def _without_session_id(stage: RelayStage) -> None:
    """Send two sessions at a time that write the same series, in the order of their exports."""
    for session in of_several_exports(stage.sessions):
        both = [
            request
            for ago_s in (0.0, APART_S)
            for request in without_session(today(session, ago_s))
        ]
        stage.send(sorted(both, key=lambda request: request.at_unix_nano))


SCENARIOS = (
    RelayScenario("idle_gaps", _idle_gaps, passes_through=True, once=True),
    RelayScenario("without_session_id", _without_session_id, passes_through=True, once=True),
)
