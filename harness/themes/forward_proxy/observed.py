"""What the sessions with a forward proxy observe besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation

#: The target that is the model's API; the others are collectors.
API = "api"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the proxy got.

    ``target`` is one of the session's targets, or the host and port of something else;
    ``authorized`` is whether it carried the credentials of the proxy's URL.
    """

    target: str
    tunnel: bool
    passed_on: bool
    authorized: bool


@dataclass(frozen=True, slots=True)
class Proxied(Observation):
    """What the session was to reach, and what it asked the proxy for.

    ``targets`` are the names of its collectors and :data:`API`, each with whether NO_PROXY exempts
    it.
    """

    NAME: ClassVar[str] = "proxied"

    targets: Mapping[str, bool]
    asked: tuple[Asked, ...]
