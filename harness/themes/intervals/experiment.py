"""Numbers of the experiments with export intervals, each defined once.

Scenarios, measures and mutants read them here; the schema ``intervals.json`` is held to them by a
test. All ``_S`` are seconds, all ``_MS`` milliseconds.
"""

from __future__ import annotations

from ...otlp.model import Signal

METRICS = "OTEL_METRIC_EXPORT_INTERVAL"
LOGS = "OTEL_LOGS_EXPORT_INTERVAL"
TRACES = "OTEL_TRACES_EXPORT_INTERVAL"
VARIABLES = {Signal.METRICS: METRICS, Signal.LOGS: LOGS, Signal.TRACES: TRACES}

#: The intervals where none is configured.
DEFAULT_S = {Signal.METRICS: 60.0, Signal.LOGS: 5.0, Signal.TRACES: 5.0}

#: What is configured: long enough that half as much again is told from lateness.
SHORT_MS, MIDDLE_MS, LONG_MS = 2000, 3000, 4200
#: The example of the document, above the default.
LOGS_OF_THE_DOCUMENT_MS = 10_000

#: How much shorter than it is an interval may seem: timers are rounded.
EARLY_S = 0.1
#: How much longer it may seem by the usual one of several requests: where it is the
#: default, where it is configured, and where one request has to do.
DEFAULT_LATE_S, LATE_S, ONE_LATE_S = 0.5, 0.6, 2.0

#: A busy session does something at this pace, for no longer than this.
PACE_S = 0.4
LASTS_S = 30.0
#: One with intervals that are none does something so often.
ODD_STEPS = 3
#: The session that waits for the default interval of metrics: first at a pace that shows
#: that of logs, then in naps.
DEFAULT_PACE_S, DEFAULT_STEPS = 0.6, 20
NAP_S, NAPS = 4, 16

#: The lies: what left in its time was to leave after so many times its interval.
TWICE, A_QUARTER = 2, 0.25
