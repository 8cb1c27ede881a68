"""Sessions with default, configured and invalid export intervals.

An interval shows only while the session is busy, so each of these runs one command again and
again until enough requests have arrived. The pace is a compromise: an interval cannot be measured
more sharply than its records follow one another, and each command costs a subject about a
twentieth of a second of CPU.

The intervals of one session are a second apart or more, each time in another order: so it shows
if a signal follows the interval of another one.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol, Signal
from ...running.scenario import Scenario, Until
from ...running.stage import Stage
from .experiment import (
    DEFAULT_PACE_S,
    DEFAULT_S,
    DEFAULT_STEPS,
    LASTS_S,
    LOGS,
    LOGS_OF_THE_DOCUMENT_MS,
    LONG_MS,
    METRICS,
    MIDDLE_MS,
    NAP_S,
    NAPS,
    ODD_STEPS,
    PACE_S,
    SHORT_MS,
    TRACES,
)

_TRACED = {"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}

#: A negative interval of metrics makes releases up to 2.1.32 hang before they do anything.
#: A busy machine lets a session of any release take some ten seconds.
_HANGS_AFTER_S = 40.0

_SHORT, _MIDDLE, _LONG = str(SHORT_MS), str(MIDDLE_MS), str(LONG_MS)
_LOGS_OF_THE_DOCUMENT = str(LOGS_OF_THE_DOCUMENT_MS)

#: How long the run of the default interval of metrics waits.
_MINUTE_S = DEFAULT_S[Signal.METRICS]

_BOUNDED = f"""\
import subprocess, sys
try:
    sys.exit(subprocess.run(sys.argv[1:], timeout={_HANGS_AFTER_S}).returncode)
except subprocess.TimeoutExpired:
    pass
"""


def _wait(seconds: float) -> UseTool:
    return UseTool("Bash", {"command": f"sleep {seconds:g}", "description": "Wait"})


def _arrived(counts: Mapping[str, int]) -> Callable[[Stage], bool]:
    """Make a condition: at least so many requests of each signal have arrived."""

    def holds(stage: Stage) -> bool:
        arrived = Counter(str(export.signal) for export in stage.main.exports)
        return all(arrived[signal] >= count for signal, count in counts.items())

    return holds


def _busy(pace_s: float, at_most_s: float, counts: Mapping[str, int]) -> Sequence[Step | Until]:
    """Return steps that wait at this pace until the requests are there, or the time is up."""
    return (
        Until(_wait(pace_s), _arrived(counts), at_most=round(at_most_s / pace_s)),
        Say("Waited."),
    )


def _configured(
    name: str,
    intervals_ms: Mapping[str, str],
    script: Sequence[Step | Until],
    protocol: Protocol,
) -> Scenario:
    listed = ", ".join(f"{name}={value}" for name, value in intervals_ms.items())
    return Scenario(
        name=name,
        description=f"A busy session with configured intervals: {listed}",
        prompt="Wait for me.",
        script=script,
        environment={**_TRACED, **intervals_ms},
        protocols=(protocol,),
        waits_s=LASTS_S,
    )


def _odd(
    name: str, description: str, intervals_ms: Mapping[str, str], protocol: Protocol
) -> Scenario:
    return Scenario(
        name=name,
        description=description,
        prompt="Wait a little.",
        script=(*[_wait(PACE_S)] * ODD_STEPS, Say("Waited.")),
        environment=intervals_ms,
        protocols=(protocol,),
    )


_WAKE = "wake"

#: Ends as soon as it is woken, so that the session does not outlast what it waits for.
_NAP = UseTool(
    "Bash",
    {"command": f"bash -c 'read -t {NAP_S} <>{_WAKE}; true'", "description": "Wait"},
)

#: Busy enough to show the interval of logs twice, and from then on cheaply.
_UNTIL_THE_DEFAULT = (
    Until(_wait(DEFAULT_PACE_S), _arrived({"logs": 2}), at_most=DEFAULT_STEPS),
    Until(_NAP, _arrived({"metrics": 1}), at_most=NAPS),
    Say("Waited."),
)


def _lay_down(stage: Stage) -> Sequence[str]:
    os.mkfifo(stage.work / _WAKE)
    return ()


def _wake(stage: Stage) -> None:
    """Wake the session when the first metrics are there."""
    pipe = os.open(stage.work / _WAKE, os.O_RDWR | os.O_NONBLOCK)
    try:
        stage.main.wait_for_item(lambda export: export.signal is Signal.METRICS, 3 * _MINUTE_S)
        os.write(pipe, b"\n")
        stage.ended.wait()
    finally:
        os.close(pipe)


SCENARIOS = (
    Scenario(
        name="intervals_default",
        description="A busy session that lasts until the default interval of metrics has passed",
        prompt="Wait for me.",
        script=_UNTIL_THE_DEFAULT,
        environment=_TRACED,
        protocols=(Protocol.GRPC,),
        prepare=_lay_down,
        meanwhile=_wake,
        judged_only_by_name=True,
        waits_s=_MINUTE_S,
    ),
    _configured(
        "intervals_long",
        {METRICS: _MIDDLE, LOGS: _LOGS_OF_THE_DOCUMENT, TRACES: _SHORT},
        _busy(PACE_S, LASTS_S, {"metrics": 5, "logs": 1}),
        Protocol.HTTP_PROTOBUF,
    ),
    _configured(
        "intervals_medium",
        {METRICS: _SHORT, LOGS: "", TRACES: _MIDDLE},
        _busy(PACE_S, LASTS_S, {"metrics": 5, "logs": 1}),
        Protocol.HTTP_JSON,
    ),
    _configured(
        "intervals_short",
        {METRICS: _MIDDLE, LOGS: _SHORT, TRACES: _LONG},
        _busy(PACE_S, LASTS_S, {"metrics": 5, "logs": 3}),
        Protocol.GRPC,
    ),
    _odd(
        "intervals_no_number",
        "A session whose intervals are no numbers",
        {METRICS: "soon", LOGS: "soon"},
        Protocol.HTTP_JSON,
    ),
    _odd(
        "intervals_negative_logs",
        "A session with a negative interval of logs, and an empty one of metrics",
        {METRICS: "", LOGS: "-100"},
        Protocol.HTTP_PROTOBUF,
    ),
    replace(
        _odd(
            "intervals_negative_metrics",
            "A session with a negative interval of metrics",
            {METRICS: "-100"},
            Protocol.GRPC,
        ),
        launch=lambda stage: (sys.executable, "-c", _BOUNDED),
        judged_only_by_name=True,
    ),
)
