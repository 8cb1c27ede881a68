"""Measure when the headers helper ran, and which requests carried what it printed.

Only runs whose scenario observed a helper (a :class:`HelperLog`) have items. Every value that the
helper prints ends in the number of the helper run that printed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Protocol
from .observed import HelperLog

#: HTTP's and gRPC's word for a request of somebody who is not known.
_UNAUTHENTICATED = {Protocol.GRPC: 16}
_UNAUTHORIZED = 401

_GENERATION = re.compile(r"\d+$")
_SPOKEN_OF = re.compile("headers_?helper", re.IGNORECASE)


def helper_exports(capture: Capture) -> list[Item]:
    """Return one item for each request: which headers of the helper it carries.

    ``carried`` are the names of these headers, ``answers`` the numbers of the helper runs that
    printed them. If that is a single run, ``age_s`` is the time from its answer to the arrival of
    the request, and ``step`` is its number minus that of the signal's previous request.
    """
    helper = observed(capture.run, HelperLog)
    if helper is None:
        return []
    answered = {run.number: run.answered_unix_nano for run in helper.runs}
    latest: dict[str, int] = {}
    items = []
    for export in capture.exports:
        answers = _answers(export, helper)
        view: dict[str, Any] = {
            "signal": export.signal,
            "carried": _carried(export, helper),
            "answers": answers,
        }
        static = export.header(helper.static)
        if static is not None:
            view["static"] = static
        if len(answers) == 1 and answers[0] in answered:
            (number,) = answers
            view["age_s"] = (export.arrived_unix_nano - answered[number]) / 1e9
            signal = str(export.signal)
            if signal in latest:
                view["step"] = number - latest[signal]
            latest[signal] = number
        where = f"{capture.run.label} · {export.signal or 'unrecognised'} export {export.sequence}"
        items.append(Item(where, view))
    return items


def helper_session(capture: Capture) -> list[Item]:
    """Return one item for a session that asked the model something.

    ``without``, ``carrying`` and ``injected`` count requests by the headers they carry. They are
    measured only if the helper ran: otherwise, headers that are absent say nothing about it.
    """
    run = capture.run
    helper = observed(run, HelperLog)
    if helper is None or not run.truth.api_calls:
        return []
    runs = helper.runs
    carrying = [export for export in capture.exports if _carried(export, helper)]
    taken = [
        export
        for export in carrying
        if not export.rejected and export.protocol is not Protocol.GRPC
    ]
    view: dict[str, Any] = {
        "runs": len(runs),
        "survived": run.exit_code == 0 and helper.last_words in run.stdout,
        "signals": sorted({str(export.signal) for export in carrying}),
        "accepted": len({number for export in taken for number in _answers(export, helper)}),
        "refused": sum(map(_is_refused, capture.exports)),
        "gaps_s": [
            (later.started_unix_nano - sooner.started_unix_nano) / 1e9
            for sooner, later in pairwise(runs)
        ],
        "reported": _spoken_of(run.stderr),
        "logged": _spoken_of(helper.debug_log),
    }
    if runs:
        view |= {
            "arguments": list(runs[0].arguments),
            "carrying": len(carrying),
            "without": len(capture.exports) - len(carrying),
            "injected": sum(
                export.header(helper.injected) is not None for export in capture.exports
            ),
        }
        if helper.at_work_unix_nano:
            began = runs[0].started_unix_nano - helper.at_work_unix_nano
            view["begun_after_s"] = began / 1e9
    return [Item(f"{run.label} · headers helper", view)]


def _carried(export: Export, helper: HelperLog) -> list[str]:
    return [name for name in helper.headers if export.header(name) is not None]


def _answers(export: Export, helper: HelperLog) -> list[int]:
    """Return the numbers of the helper runs that printed the export's headers, each once."""
    values = [export.header(name) or "" for name in helper.headers]
    return sorted({int(match[0]) for value in values if (match := _GENERATION.search(value))})


def _is_refused(export: Export) -> bool:
    code = _UNAUTHENTICATED.get(export.protocol, _UNAUTHORIZED) if export.protocol else 0
    return export.status == code


def _spoken_of(text: str | Sequence[str]) -> bool:
    """Return whether a line names the setting: then a reader learns which helper failed."""
    lines = text.splitlines() if isinstance(text, str) else text
    return any(_SPOKEN_OF.search(line) for line in lines)


MEASURES = (helper_exports, helper_session)
