"""Numbers and texts of the experiments with dynamic headers, each defined once.

Scenarios, measures and mutants read them here; the schemas ``headers_helper.json`` and
``headers_helper_exports.json`` are held to them by a test. All ``_S`` are seconds.
"""

from __future__ import annotations

#: What the helper answers with: ``@`` becomes the number of the run that printed it.
TOKEN, GENERATION, TEAM = "Authorization", "X-Helper-Generation", "X-Helper-Team"
GOOD = {TOKEN: "Bearer token-@", GENERATION: "@", TEAM: "team-@"}
#: A header that only a broken answer holds.
INJECTED = "X-Injected"
#: The static header that stands beside them.
STATIC, STATIC_KEY = "x-collector-key", "static-key"
#: What the command line of the setting gives the helper.
ARGUMENTS = ("one", "two three")

#: How often a session asks anew in which that is looked at.  The helper notes itself when
#: it began, some time after the subject started it: two runs may seem closer by ``EARLY_S``.
DEBOUNCE_S = 0.7
EARLY_S = 0.05
#: How long a token of the collector's is good for: whoever does not ask anew is turned
#: away in the same session.  No answer may be in use for longer.
TOKEN_LIFE_S = 4.0
#: A request may be under way while the next token is used for the first time, on a busy
#: machine for a while.
GRACE_S = 1.0
#: So many tokens are to be used, in at most so many steps of so long a time: enough of them
#: for a busy machine, on which one token or another is replaced before it was used.
ROTATIONS = 4
STEP_S, STEPS = 0.2, 80
#: How often such a session exports.
EXPORT_INTERVAL_S = 0.25

#: How long the helper takes that is slower than an export interval.
SLOW_S = 0.8

#: How late the helper may begin after the first tool of the session.
STARTED_WITHIN_S = 0.5

#: How often it runs by default, and how much sooner or later it may seem to.
DEFAULT_DEBOUNCE_S = 29 * 60.0
DEFAULT_EARLY_S, DEFAULT_LATE_S = 1.0, 60.0
#: A session waits for that in so many steps of so long a time, in all no longer than this.
LONG_STEP_S, LONG_STEPS = 20.0, 95
LONG_WAIT_S = 2100.0

#: The lies: the helper begins so long after the first tool, runs again so soon, and a
#: request arrives so much later than it did.
BEGINS_LATE_S = 5.0
TOO_SOON_S = 0.1
LATER_S = 10.0
