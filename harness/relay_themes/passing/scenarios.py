"""Send recorded sessions through a collector under test, and disturb it and its downstream."""

from __future__ import annotations

import threading
import uuid
from functools import partial

from ...relay.observed import Restarts
from ...relay.outlets.otlp import OtlpOutlet
from ...relay.replay import of_instance
from ...relay.scenario import RelayScenario
from ...relay.sessions import of_most_signals, today
from ...relay.stage import RelayStage
from .downstream import Refusals, Slowness
from .every_field import every_field

#: For how long the downstream is away, as a share of how long nothing may come out.
_AWAY = 1 / 15
#: How much longer nothing may come out where requests have to be sent again.
_PATIENCE = 3.0


def _sessions(stage: RelayStage) -> None:
    """Send every recorded session once, as a session of its own that ends now."""
    for session in stage.sessions:
        stage.send(today(session))


def _side_by_side(stage: RelayStage) -> None:
    """Send all sessions at the same time, each from a process that its resource names."""
    stage.send_together(
        [of_instance(today(session), str(uuid.uuid4())) for session in stage.sessions]
    )


def _every_field(stage: RelayStage) -> None:
    """Send every field that OTLP has, those that the CLI does not use included."""
    stage.send(every_field())


def _restart(stage: RelayStage) -> Restarts:
    """Restart the collector in the middle of the sessions, as soon as it has accepted a half."""
    halves = [
        (requests[: len(requests) // 2], requests[len(requests) // 2 :])
        for session in stage.sessions
        for requests in [today(session)]
    ]
    for before, _ in halves:
        stage.send(before)
    # A counter that nobody has looked at is gone with the process that served it.
    stage.show_sums()
    down = stage.restart()
    # What it serves now tells whether its counters go on or begin anew.
    stage.show_sums()
    for _, after in halves:
        stage.send(after)
    return Restarts((down,))


def _one(stage: RelayStage) -> None:
    stage.send(today(of_most_signals(stage.sessions)))


def _away(stage: RelayStage) -> None:
    """Send a session while nothing listens at the downstream, which comes back afterwards."""
    _one(stage)
    _wait(stage)
    _come_back(stage)


def _killed(stage: RelayStage) -> Restarts:
    """Kill the collector while it holds what its downstream cannot take, and start it again."""
    _one(stage)
    _wait(stage)
    down = stage.restart(killed=True)
    _come_back(stage)
    return Restarts((down,))


def _wait(stage: RelayStage) -> None:
    # Nobody sees a connection that is refused, so there is nothing else to wait for.
    threading.Event().wait(stage.settle_s * _AWAY)


def _come_back(stage: RelayStage) -> None:
    for downstream in stage.downstreams:
        downstream.come_back()


def _refuse(outlet: OtlpOutlet) -> None:
    outlet.respond_with(Refusals())


def _slow_down(outlet: OtlpOutlet) -> None:
    outlet.respond_with(Slowness())


_troubled = partial(
    RelayScenario,
    passes_through=True,
    once=True,
    judged_only_by_name=True,
    patience=_PATIENCE,
)

SCENARIOS = (
    RelayScenario("passing", _sessions, passes_through=True),
    RelayScenario("side_by_side", _side_by_side, passes_through=True, once=True),
    RelayScenario("every_field", _every_field, passes_through=True, judged_only_by_name=True),
    RelayScenario(
        "restart",
        _restart,
        passes_through=True,
        once=True,
        judged_only_by_name=True,
        needs_process=True,
    ),
    _troubled("downstream_refuses", _one, downstream=_refuse),
    _troubled("downstream_slow", _one, downstream=_slow_down),
    _troubled("killed", _killed, downstream=OtlpOutlet.stay_away, needs_process=True),
    _troubled("downstream_away", _away, downstream=OtlpOutlet.stay_away, needs_process=True),
)
