"""Take stock of a recording: what a release sends, without what differs from run to run.

An inventory is plain JSON, as ``schemas/inventory.schema.json`` describes it. It is a pure
function of the captures; two recordings of one release give the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.run import SubjectFacts
from ..contract.applicability import JUDGED_ONLY_BY_NAME
from ..contract.requirement import DRAWN
from ..exposition import is_exposed
from .accounting import accounting
from .attributes import words
from .facts import Facts, facts_of
from .gates import gates_of
from .secrets import secrets_of
from .sessions import calls, endings, said
from .stock import Stock
from .transport import transport_of

#: The version of the file's format.
FORMAT = 2

#: Stands for the scenario of an inventory that was taken of production data.
RECORDED = "recorded"

#: What whole sessions tell, and what all do.
_OF_WHOLE: Sequence[Facts] = (accounting, calls)
_OF_ALL: Sequence[Facts] = (endings, said)


def inventory_of(
    subject: SubjectFacts, captures: Iterable[Capture], facts: Sequence[Facts] = ()
) -> dict[str, Any]:
    """Return the inventory of what the subject sent in the runs of these captures.

    ``facts`` are those of the themes. Runs with drawn input, and runs whose telemetry is not
    whole on purpose, tell only facts.
    """
    every = list(captures)
    driven = [capture for capture in every if DRAWN not in capture.run.traits]
    whole = [capture for capture in driven if JUDGED_ONLY_BY_NAME not in capture.run.traits]
    sent = [(capture, _sent(capture)) for capture in whole]
    stock = Stock()
    for capture, exports in sent:
        stock.add_run(capture.run, exports, _private(capture))
    return {
        "format": FORMAT,
        "subject": {"version": subject.version},
        "scenarios": _protocols(whole),
        "partial": _protocols([capture for capture in every if capture not in whole]),
        **stock.plain(subject.version),
        "transport": transport_of([pair for pair in sent if pair[1]], subject.version),
        "secrets": secrets_of(whole),
        "gates": gates_of(sent),
        "facts": facts_of(
            (
                (whole, _OF_WHOLE),
                (driven, _OF_ALL),
                (every, facts),
            )
        ),
    }


def _protocols(captures: Sequence[Capture]) -> dict[str, list[str]]:
    """Return the scenarios of these captures, each with its protocols.

    A scenario of drawn runs is named only: over which protocol they are made is drawn, too.
    """
    return {
        scenario: words(
            capture.run.protocol.value for capture in of_it if DRAWN not in capture.run.traits
        )
        for scenario, of_it in sorted(_by_scenario(captures).items())
    }


def _sent(capture: Capture) -> list[Export]:
    return [export for export in capture.exports if export.counts and not is_exposed(export)]


def _by_scenario(captures: Sequence[Capture]) -> dict[str, list[Capture]]:
    grouped: dict[str, list[Capture]] = defaultdict(list)
    for capture in captures:
        grouped[capture.run.scenario].append(capture)
    return grouped


def _private(capture: Capture) -> frozenset[str]:
    """Return the texts that only this run knows."""
    truth = capture.run.truth
    known = {secret.text for secret in truth.hidden} | set(truth.account.values())
    return frozenset(text for text in known if text)
