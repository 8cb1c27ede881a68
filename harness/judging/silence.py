"""Find promises that fell silent: not exercised in a run that exercises them on every release.

A lie may take from its judge what it judges by: a tool's id that joins nothing, a value by which
items are chosen, the field itself. So a promise that is no longer exercised where it always was
is a failure of its own, and the finding says which lie or loss would explain it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..contract.exercised import Exercised, Measured
from ..contract.requirement import DRAWN, Requirement
from ..contract.versions import Version
from ..findings import Finding
from .checks.fields import chosen
from .items.item import MISSING
from .items.view import CaptureView

#: Kinds of which a selector names one, so that it may have been renamed.
_NAMED = ("metric", "event", "span")

#: What is seen where a promise fell silent begins with it.
_SILENT = "not exercised: "


def silenced(
    requirement: Requirement, view: CaptureView, reason: str, measured: Exercised
) -> Finding | None:
    """Return a finding if ``requirement``, not exercised for ``reason``, should be in this run.

    The release of the run decides, not that by whose contract it is judged.
    """
    run = view.run
    version = Version.parse(run.subject.version)
    if DRAWN in run.traits or version not in requirement.versions:
        return None
    always = measured.exercised.measured(requirement.name, run.scenario, run.protocol, version)
    if always is None:
        return None
    return Finding(
        _expected(run.scenario, always),
        f"{_SILENT}{reason} (a sign that {_explanation(requirement, view)})",
        " · ".join(filter(None, (run.label, str(requirement.selects), ".".join(requirement.path)))),
        runs=(view.run_name,),
    )


def is_silence(finding: Finding) -> bool:
    """Say whether a finding is that a promise fell silent, and not that it is broken."""
    return finding.seen.startswith(_SILENT)


def _expected(scenario: str, always: Measured) -> str:
    return f"exercised in {scenario}, as {always}"


def _explanation(requirement: Requirement, view: CaptureView) -> str:
    """Return which lie or loss would leave nothing to judge, as the rest of a sentence."""
    selects = requirement.selects
    items = view.select(selects)
    if selects.kind == "measured":
        return f"what {selects.name} is measured by was not sent, or joins nothing that happened"
    if not items and selects.kind not in _NAMED:
        return "nothing of the kind was sent at all"
    if not items:
        return f"the {selects} was not sent at all, or under another name"
    where = requirement.params.get("where")
    if not chosen(requirement, view) and isinstance(where, Mapping):
        paths = ", ".join(path.replace("/", ".") for path in where)
        return f"{paths}, by which items are chosen, was left out, renamed or has another value"
    if requirement.path and all(item.at(requirement.path) is MISSING for item in items):
        return f"the field {'.'.join(requirement.path)} was left out or renamed"
    return "an id or a name joins nothing that happened, such as tool_use_id or tool_name"
