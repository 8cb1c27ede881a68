"""Take stock of where private texts come out, by what is switched on."""

from __future__ import annotations

from collections.abc import Sequence

from ..capture.capture import Capture
from ..judging.checks.canaries import OWN_HEADER, table


def secrets_of(captures: Sequence[Capture]) -> dict[str, dict[str, list[str]]]:
    """Return for each set of open gates, and each kind of secret, the places where it came out.

    The header in which a secret is sent on purpose is no such place.
    """
    _, spots = table(captures, ())
    found: dict[str, dict[str, list[str]]] = {}
    for spot in spots:
        if spot.place and spot.place != OWN_HEADER:
            for gates in spot.seen:
                found.setdefault(gates, {}).setdefault(spot.canary, []).append(spot.place)
    return {gates: dict(sorted(kinds.items())) for gates, kinds in sorted(found.items())}
