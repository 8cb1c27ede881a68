"""Check where the secrets of a run may be, and tabulate where they were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ...capture.capture import Capture
from ...contract.applicability import applies_to_run, is_open
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.view import CaptureView
from ..search.sightings import Sighting, sightings

#: Gates that open places, and what a table calls the runs in which they are open.
GATES: Mapping[str, str] = {
    "OTEL_LOG_USER_PROMPTS": "prompts",
    "OTEL_LOG_ASSISTANT_RESPONSES": "answers",
    "OTEL_LOG_TOOL_DETAILS": "details",
}


#: What stands in the table for the header in which a secret is sent on purpose.
OWN_HEADER = "its own header"


def confined(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that a canary (``params.canary``) is found only at the places of ``params.allowed``.

    ``*`` in a place stands for any text; an entry with ``with`` allows its place only in runs
    with that variable set to 1, one with ``unset`` only where that variable is not set at all, one
    with ``own_header`` the header in which it is to be sent.
    """
    name = str(requirement.params["canary"])
    if not _hidden(view, name):
        return NotExercised(_nothing_hidden(name))
    allowed = _allowed(requirement, view.capture)
    shown: dict[tuple[str, str], str] = {}
    for sighting in sightings(view.capture):
        if sighting.canary == name and not _allows(requirement, view.capture, sighting):
            key = (sighting.place, sighting.form)
            shown[key] = max(shown.get(key, ""), sighting.shown, key=len)
    findings = tuple(
        Finding(
            f"no trace of the {name.replace('_', ' ')}"
            + (f", but at {' or '.join(allowed)}" if allowed else ""),
            f"{text} ({form})",
            f"{view.run.label} · {place}",
        )
        for (place, form), text in shown.items()
    )
    return Judged(max(len(view.capture.exports), len(findings)), findings)


def shown_at(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the canary ``params.canary`` is found at a place that matches ``params.place``."""
    name, place = str(requirement.params["canary"]), str(requirement.params["place"])
    text = view.truth.canaries.get(name)
    if text is None or not view.capture.exports:
        return NotExercised(_nothing_hidden(name))
    sighted = {
        sighting.place
        for sighting in sightings(view.capture)
        if sighting.canary == name and text in sighting.shown
    }
    if any(fnmatchcase(each, place) for each in sighted):
        return Judged(1)
    places = ", ".join(sorted(sighted)) or "nowhere"
    return Judged(1, (Finding(f"the {name.replace('_', ' ')} at {place}", places, view.run.label),))


def _hidden(view: CaptureView, name: str) -> bool:
    """Return whether the run hid such a canary, and exported something."""
    return bool(view.capture.exports) and any(each.kind == name for each in view.truth.hidden)


def _nothing_hidden(name: str) -> str:
    return f"no run hid a canary for {name} and exported something"


@dataclass(frozen=True, slots=True)
class Spot:
    """One row of the table canary × place × gate.

    ``seen`` has a key for each set of open gates (``closed``, ``prompts``, ``details``,
    ``prompts+details``) in whose runs the canary was found at ``place``; its value says whether
    the contract allows that. ``place`` is empty for a canary that was found nowhere.
    """

    canary: str
    place: str
    seen: Mapping[str, bool]


def table(
    captures: Sequence[Capture], requirements: Sequence[Requirement]
) -> tuple[tuple[str, ...], tuple[Spot, ...]]:
    """Return the columns (sets of open gates) and rows of the table canary × place × gate.

    ``requirements`` are those that apply to the subject's version.
    """
    rules = [requirement for requirement in requirements if requirement.check == confined.__name__]
    gates: dict[str, None] = {}
    rows: dict[tuple[str, str], dict[str, bool]] = {}
    for capture in captures:
        run = capture.run
        if not run.truth.hidden:
            continue
        words = [word for name, word in GATES.items() if is_open(name, run)]
        opened = "+".join(words) or "closed"
        gates[opened] = None
        for secret in run.truth.hidden:
            rows.setdefault((secret.kind, ""), {})
        for sighting in sightings(capture):
            fine = all(
                _allows(rule, capture, sighting)
                for rule in rules
                if rule.params["canary"] == sighting.canary and applies_to_run(rule, run)
            )
            place = OWN_HEADER if _in_its_header(sighting) else sighting.place
            spot = rows.setdefault((sighting.canary, place), {})
            spot[opened] = spot.get(opened, True) and fine
    somewhere = {name for name, place in rows if place}
    return tuple(sorted(gates, key=_openness)), tuple(
        Spot(name, place, spot)
        for (name, place), spot in sorted(rows.items())
        if place or name not in somewhere
    )


def _openness(opened: str) -> tuple[int, int]:
    """Return the sort key of a set of open gates: none first, then each alone, then several."""
    words = list(GATES.values())
    own = [words.index(word) for word in opened.split("+") if word in words]
    return len(own), sum(own)


def _allows(requirement: Requirement, capture: Capture, sighting: Sighting) -> bool:
    allowed = _allowed(requirement, capture)
    if any(fnmatchcase(sighting.place, place) for place in allowed):
        return True
    signal, _, where = sighting.place.partition(" ")
    if where == "body":  # a request that was broken off does not tell its places
        return any(place.startswith(f"{signal} ") for place in allowed)
    entries = _entries(requirement.params.get("allowed", []))
    return _in_its_header(sighting) and any(entry.get("own_header") for entry in entries)


def _in_its_header(sighting: Sighting) -> bool:
    return any(fnmatchcase(sighting.place, header) for header in sighting.headers)


def _allowed(requirement: Requirement, capture: Capture) -> list[str]:
    """Return the patterns of the places that the requirement allows in this run."""
    return [
        str(entry["place"])
        for entry in _entries(requirement.params.get("allowed", []))
        if "place" in entry
        and ("with" not in entry or is_open(str(entry["with"]), capture.run))
        and entry.get("unset") not in capture.run.environment
    ]


def _entries(value: object) -> list[Mapping[str, Any]]:
    assert isinstance(value, list)
    return value
