"""Tell what a session with nonessential traffic looks for beside its model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import NOTHING, Fact, Topic
from .scenarios import NONESSENTIAL

_ADDRESS = re.compile(r"^\[?[\da-f.:]+\]?:(\d+) \((tcp|udp)\)$")
_ID = re.compile(r"[^/]*\d[^/]*\d[^/]*")


def looked_for(capture: Capture) -> Iterator[Fact]:
    """Yield the names that it asked for, and what it asked of the model's server besides.

    How far it came before it ended is a race.
    """
    run = capture.run
    if run.scenario != NONESSENTIAL.name:
        return
    if not run.truth.unwatched:
        tried = {_ADDRESS.sub(r"an address, port \1 (\2)", place) for place in run.truth.reached}
        for place in sorted(tried) or [NOTHING]:
            yield Fact(Topic.CALLS, "nonessential traffic goes to", place, raced=True)
    asked = {_ID.sub("…", request.partition("?")[0]) for request in run.truth.unknown_requests}
    for request in sorted(asked) or [NOTHING]:
        yield Fact(Topic.CALLS, "nonessential requests to the model's server", request, raced=True)


FACTS = (looked_for,)
