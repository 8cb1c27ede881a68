"""Numbers and texts of the experiments with exporters, each defined once.

Scenarios and mutants read them here; the schemas ``examples.json`` and ``opt_in.json`` are held
to them by a test.
"""

from __future__ import annotations

#: Where the documents tell people to scrape.
DEFAULT_PORT = 9464

#: The example for the console prints so often, in milliseconds.  A busy machine makes it
#: seem less often; the usual gap between two times, in seconds, is within these bounds.
CONSOLE_INTERVAL_MS = 1000
GAP_LEAST_S, GAP_MOST_S = 0.8, 1.9
#: Each object tells when it was collected: so many times are to be told apart before the
#: session ends.
BATCHES = 3

#: The header of the quick start.
AUTHORIZATION = "Bearer your-token"

#: Where nothing is to be exported: the intervals of what is set nevertheless, how long the
#: session works, and how often an endpoint is looked for, in seconds.
SILENT_INTERVAL_S, SILENT_WORK_S, GLANCE_S = 0.1, 0.3, 0.1

#: The lies: what is printed tells of times so many times as far apart.
SLOWLY, HASTILY = 10.0, 0.4
