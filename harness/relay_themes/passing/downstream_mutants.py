"""Lies about what the downstream has refused: given up, or sent again at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.export import SENT
from ...contract.requirement import Requirement
from .edits import Lie
from .facets import Keys

_MS = 1_000_000


def never_sends_again(capture: Capture, requirement: Requirement) -> Capture:
    """Give up the last request that the downstream has refused."""
    keys = Keys()
    *_, last = (export for export in capture.rejected if export.collector != SENT)
    refused = set(map(keys.of, last.items))
    exports = tuple(
        export
        for export in capture.exports
        if export.collector == SENT
        or export.rejected
        or not refused.intersection(map(keys.of, export.items))
    )
    return replace(capture, exports=exports)


def sends_too_soon(capture: Capture, requirement: Requirement) -> Capture:
    """Send what was refused again at once."""
    refused = {
        (export.collector, export.signal): export.arrived_unix_nano
        for export in capture.rejected
        if export.collector != SENT
    }
    exports = tuple(
        replace(export, arrived_unix_nano=refused[key] + 100 * _MS)
        if not export.rejected and (key := (export.collector, export.signal)) in refused
        else export
        for export in capture.exports
    )
    return replace(capture, exports=exports)


LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in (never_sends_again, sends_too_soon)}
