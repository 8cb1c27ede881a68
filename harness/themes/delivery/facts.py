"""Tell what becomes of a request by the answer that it got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import deliveries


def sent_again(capture: Capture) -> Iterator[Fact]:
    """Yield for each scripted answer whether what got it is sent again.

    The last of several may not be, for the session ended before: one that is tells enough.
    """
    resent: defaultdict[str, bool] = defaultdict(bool)
    for item in deliveries(capture):
        if first := str(item.view["first"]):
            resent[f"{item.view['signal']} answered {first}"] |= bool(item.view["resent"])
    for about, again in resent.items():
        over = f"{about} over {capture.run.protocol.value}"
        yield Fact(Topic.DELIVERY, over, "sent again" if again else "given up")


FACTS = (sent_again,)
