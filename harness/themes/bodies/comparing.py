"""Compare bodies with what the API got: as parts, because the logged ones hold more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .experiment import THOUGHT
from .observed import Sent

#: The parameters that a release logs as it sends them. In the system prompt of some, a header
#: has a placeholder; the betas are a parameter of the client, and go into a header.
COMPARED = ("model", "max_tokens", "tools")


def without_thoughts(value: Any) -> Any:
    """Return JSON with the same word in place of each thought."""
    if isinstance(value, list):
        return [without_thoughts(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {key: without_thoughts(each) for key, each in value.items()}
    if value.get("type") == "thinking":
        plain["thinking"] = THOUGHT
    return plain


def as_text(value: Any) -> str:
    """Return JSON as JavaScript writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sent(request_id: str, request: Mapping[str, Any]) -> Sent:
    """Describe a request."""
    others = {name: _digest(request.get(name)) for name in COMPARED}
    return Sent(request_id, as_text(without_thoughts(request.get("messages"))), others)


def parsed(text: object) -> Mapping[str, Any]:
    """Return the JSON object that a text is; an empty one for anything else."""
    try:
        value = json.loads(str(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
