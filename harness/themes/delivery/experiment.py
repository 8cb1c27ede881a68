"""Numbers and texts of the experiments with failing collectors, each defined once.

Scenarios and mutants read them here; the schema ``collector_failures.json`` is held to them by a
test. All ``_S`` are seconds.
"""

from __future__ import annotations

#: The last answer of the model.
LAST_WORDS = "The work is done."

#: How long an answer asks to wait.  Clocks and timers may make it seem shorter by ``EARLY_S``.
DELAY_S = 2
EARLY_S = 0.05
#: No pause is shorter than this where none is asked for, and the last of several is longer
#: than the shortest first one of the session by this factor at least.
PAUSE_S, GROWTH = 0.04, 1.05
#: What is not sent again for so long is not sent again at all.
WATCHED_S = 2.0

#: How long the session waits for an answer of the collector that holds it back; a request
#: takes its time to arrive before, and the session its time to notice.
TIMEOUT_S = 1.0
TIMEOUT_LEAST_S, TIMEOUT_MOST_S = 0.4, 4.0
HELD_S = 60.0
#: How long one export may take where nothing is configured.
DEFAULT_TIMEOUT_S = 10.0

#: The lies: a request comes again so soon, the last pause is the shortest first one times this, an
#: answer is waited for so much longer, and a session hangs for so long.
AT_ONCE_S = 0.001
SHORTER = 0.5
WAITS_ON_S = 5.0
LINGERS_S = 60.0
