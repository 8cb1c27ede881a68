"""Find the side calls whose answers the subject may not have waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..capture.run import ApiCall
from ..serving.application import Connection


def given_up_of(calls: Sequence[ApiCall], connections: Mapping[str, Connection]) -> set[str]:
    """Return the ids of those auxiliary calls whose connection was closed on purpose after them.

    A connection is kept for the next call, and ends with the session: one that ends before others
    bring more was closed by somebody who did not wait for the answer, or may not have.
    """
    newest = max((call.arrived_unix_nano for call in calls), default=0)
    last_on = {connections.get(call.request_id): call for call in calls}
    return {
        call.request_id
        for connection, call in last_on.items()
        if connection is not None and call.auxiliary and 0 < connection.ended_unix_nano < newest
    }
