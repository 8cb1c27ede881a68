"""Bodies of requests in JSON, as small as can be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

S = 10**9
RESOURCE = {
    "attributes": [
        {"key": "service.name", "value": {"stringValue": "claude-code"}},
        {"key": "service.version", "value": {"stringValue": "2.1.31"}},
    ]
}


def _attribute(key: str, value: str | int) -> Mapping[str, Any]:
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def metrics(start: int, end: int, value: int = 1, temporality: int = 1) -> bytes:
    point = {"startTimeUnixNano": f"{start * S}", "timeUnixNano": f"{end * S}", "asInt": f"{value}"}
    kind = {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [point]}
    scopes = [{"metrics": [{"name": "claude_code.cost.usage", "sum": kind}]}]
    return json.dumps(
        {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": scopes}]}
    ).encode()


def logs(*numbers: int, text: str = "private") -> bytes:
    records = [
        {
            "timeUnixNano": "1",
            "body": {"stringValue": "claude_code.user_prompt"},
            "attributes": [
                _attribute("session.id", "11112222-3333"),
                _attribute("event.sequence", number),
                _attribute("prompt", text),
            ],
        }
        for number in numbers
    ]
    scopes = [{"logRecords": records}]
    return json.dumps({"resourceLogs": [{"resource": RESOURCE, "scopeLogs": scopes}]}).encode()
