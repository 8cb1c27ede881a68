"""Lies about canaries: put one where it is forbidden, or hide one that must be shown."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.capture.capture import Capture
from harness.contract.requirement import Requirement
from harness.mutants import editing
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.messages import Request
from harness.otlp.model import Signal

#: Where a leak is put: an attribute that a document names, and that nothing else looks at.
_KEY = "vcs.repository.name"

_FORMS: Mapping[str, Callable[[str], str]] = {
    "raw": lambda text: f"see {text}!",
    "base64": lambda text: base64.b64encode(f"see {text}!".encode()).decode(),
    "hex": lambda text: f"see {text}!".encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "escaped": lambda text: "".join(f"\\u{byte:04x}" for byte in text.encode()),
}


def leak(capture: Capture, requirement: Requirement, operation: Any) -> Capture:
    """Put the requirement's canary ``into`` a signal, the headers or the resource.

    It is written in ``form``. Raises ValueError if the run has no such canary or signal.
    """
    text = _FORMS[operation["form"]](_canary(capture, requirement))
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


def _canary(capture: Capture, requirement: Requirement) -> str:
    text = capture.run.truth.canaries.get(str(requirement.params["canary"]))
    if text is None:
        raise ValueError(f"{capture.run.label} hides no such canary")
    return text


def _some_item(message: Request) -> Any:
    """Return a data point, log record or span of the request; None if it has none."""
    return next((ref.record for ref in editing.item_refs(message)), None)
