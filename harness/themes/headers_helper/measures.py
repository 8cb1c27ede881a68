"""What a helper for dynamic headers did, and what became of its answers.

Only runs whose scenario observed a helper (a :class:`HelperLog`) have items.
Every value ends in the number of the run that printed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.observed import observed
from harness.judging.items.item import Item
from harness.otlp.model import Protocol
from harness.themes.headers_helper.observed import HelperLog

#: HTTP's and gRPC's word for a request of somebody who is not known.
_UNAUTHENTICATED = {Protocol.GRPC: 16}
_UNAUTHORIZED = 401

_GENERATION = re.compile(r"\d+$")
_SPOKEN_OF = re.compile("headers_?helper", re.IGNORECASE)


def helper_exports(capture: Capture) -> list[Item]:
    """Each request, and what of the helper's answers it carries.

    ``carried`` are the names of the helper's headers that are there, ``answers`` the runs
    that they came from, ``age_s`` how long ago that one was when the request arrived,
    ``step`` by how many runs it is later than that of the request of the signal before.
    """
    helper = observed(capture.run, HelperLog)
    if helper is None:
        return []
    answered = {each.number: each.answered_unix_nano for each in helper.runs}
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
    """One item for a session that went to work.

    What is told of requests that are not there (``without``, ``carrying``, ``injected``)
    is told only where the helper ran: else their absence says nothing about it.
    """
    run = capture.run
    helper = observed(run, HelperLog)
    if helper is None or not run.truth.api_calls:
        return []
    runs = helper.runs
    carrying = [each for each in capture.exports if _carried(each, helper)]
    taken = [each for each in carrying if not each.rejected and each.protocol is not Protocol.GRPC]
    view: dict[str, Any] = {
        "runs": len(runs),
        "survived": run.exit_code == 0 and helper.last_words in run.stdout,
        "signals": sorted({str(each.signal) for each in carrying}),
        "accepted": len({number for each in taken for number in _answers(each, helper)}),
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
            "injected": sum(each.header(helper.injected) is not None for each in capture.exports),
        }
        if helper.at_work_unix_nano:
            began = runs[0].started_unix_nano - helper.at_work_unix_nano
            view["begun_after_s"] = began / 1e9
    return [Item(f"{run.label} · headers helper", view)]


def _carried(export: Export, helper: HelperLog) -> list[str]:
    return [name for name in helper.headers if export.header(name) is not None]


def _answers(export: Export, helper: HelperLog) -> list[int]:
    """Return the runs of the helper that the values of its headers name, each once."""
    values = [export.header(name) or "" for name in helper.headers]
    return sorted({int(found[0]) for value in values if (found := _GENERATION.search(value))})


def _is_refused(export: Export) -> bool:
    code = _UNAUTHENTICATED.get(export.protocol, _UNAUTHORIZED) if export.protocol else 0
    return export.status == code


def _spoken_of(text: str | Sequence[str]) -> bool:
    """Whether the setting is named: in whatever words, it is told which helper failed."""
    lines = text.splitlines() if isinstance(text, str) else text
    return any(_SPOKEN_OF.search(line) for line in lines)


MEASURES = (helper_exports, helper_session)
