"""One answer of the scripted Messages API, as it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``status`` 0: none at all. ``hang_up``: its connection is closed after it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        status,
        json.dumps(value).encode(),
        {"content-type": "application/json", **(headers or {})},
    )
