"""Lies about canaries: put one where it is forbidden, or hide one that must be shown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from ..capture.capture import Capture
from ..capture.run import Secret
from ..contract.requirement import Requirement
from ..otlp.messages import Request
from ..otlp.model import Signal
from . import editing
from .rewriting import copy_message, rewritten

#: Where a leak is put: an attribute that a document names, and that nothing else looks at.
_KEY = "vcs.repository.name"


def _hashed(name: str, text: str) -> str:
    return hashlib.new(name, text.encode()).hexdigest()


_FORMS: Mapping[str, Callable[[str], str]] = {
    "raw": lambda text: f"see {text}!",
    "base64": lambda text: base64.b64encode(f"see {text}!".encode()).decode(),
    "url-safe base64": lambda text: base64.urlsafe_b64encode(f"\xff {text}".encode()).decode(),
    "utf-16": lambda text: text.encode("utf-16-le").decode(),
    "hex": lambda text: f"see {text}!".encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "escaped": lambda text: "".join(f"\\u{byte:04x}" for byte in text.encode()),
    **{name: partial(_hashed, name) for name in ("md5", "sha1", "sha256", "sha512")},
    "sha256 in base64": lambda text: base64.b64encode(sha256(text.encode()).digest()).decode(),
}

#: Which part of a secret is told, given the shortest that tells of it.
_PARTS: Mapping[str, Callable[[str, int], str]] = {
    "whole": lambda text, _: text,
    "beginning": lambda text, length: text[:length],
    "middle": lambda text, length: text[(len(text) - length) // 2 :][:length],
    "end": lambda text, length: text[-length:],
}


def leak(capture: Capture, requirement: Requirement, operation: Any) -> Capture:
    """Put the requirement's canary ``into`` a signal, the headers or the resource.

    It is written in ``form``; ``part`` says how much of it (all), ``scenario`` in which runs
    (any). Raises ValueError if the run is of another scenario, or has no such canary or signal.
    """
    if operation.get("scenario", capture.run.scenario) != capture.run.scenario:
        raise ValueError(f"{capture.run.label} is no run of {operation['scenario']}")
    secret = _secret(capture, requirement)
    part = _PARTS[operation.get("part", "whole")](secret.text, secret.part or len(secret.text))
    text = _FORMS[operation["form"]](part)
    into = operation["into"]
    if into == "headers":
        return _in_a_header(capture, text)
    done = False
    exports = []
    for export in capture.exports:
        message = copy_message(export)
        if message is None or (done and into != "resource"):
            exports.append(export)
            continue
        if into == "resource":
            for group in editing.groups(message):
                editing.put_attribute(group.resource.attributes, _KEY, text)
            done = True
        elif str(export.signal) == into and (record := _some_item(message)) is not None:
            editing.put_attribute(record.attributes, _KEY, text)
            done = True
        exports.append(rewritten(export, message))
    if not done:
        raise ValueError(f"{capture.run.label} exported no {into}")
    return replace(capture, exports=tuple(exports))


def _in_a_header(capture: Capture, text: str) -> Capture:
    """Add a header with the text to the first request with events."""
    exports = list(capture.exports)
    for number, export in enumerate(exports):
        if export.signal is Signal.LOGS:
            exports[number] = replace(export, headers=(*export.headers, (f"x-{_KEY}", text)))
            return replace(capture, exports=tuple(exports))
    raise ValueError(f"{capture.run.label} exported no events")


def hide(capture: Capture, requirement: Requirement) -> Capture:
    """Replace the canary by another text of the same length wherever it is exported."""
    text = _canary(capture, requirement).encode()
    exports = []
    for export in capture.exports:
        message = copy_message(export)
        if message is None:
            exports.append(export)
            continue
        encoded = message.SerializeToString()
        # The same length keeps every length in the encoding right.
        hidden = type(message).FromString(encoded.replace(text, b"x" * len(text)))
        exports.append(rewritten(export, hidden))
    return replace(capture, exports=tuple(exports))


def _secret(capture: Capture, requirement: Requirement) -> Secret:
    """Return the first secret of the run of the kind that the requirement is about."""
    kind = requirement.params["canary"]
    found = next((each for each in capture.run.truth.hidden if each.kind == kind), None)
    if found is None:
        raise ValueError(f"{capture.run.label} hides no such canary")
    return found


def _canary(capture: Capture, requirement: Requirement) -> str:
    text = capture.run.truth.canaries.get(str(requirement.params["canary"]))
    if text is None:
        raise ValueError(f"{capture.run.label} hides no such canary")
    return text


def _some_item(message: Request) -> Any:
    """Return a data point, log record or span of the request; None if it has none."""
    return next((ref.record for ref in editing.item_refs(message)), None)
