"""Search every byte of every export for canaries, and check where they may be."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.names import event_name
from harness.contract.applicability import applies_to_run
from harness.contract.requirement import Requirement
from harness.findings import Finding, Judged, NotExercised, Outcome
from harness.judging.items.view import CaptureView
from harness.otlp.messages import Encoding
from harness.otlp.model import Attributes, DataPoint, Event, Span, Value

#: Gates that open places, and what a table calls the runs in which they are open.
GATES: Mapping[str, str] = {
    "OTEL_LOG_USER_PROMPTS": "prompts",
    "OTEL_LOG_TOOL_DETAILS": "details",
}


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A place where a canary was found, such as ``logs tool_result attributes.error``.

    ``form`` is how it was encoded there: ``raw``, ``base64``, ``hex``, ``percent`` or
    ``escaped``.
    """

    canary: str
    place: str
    form: str


def confined(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that a canary (``params.canary``) is found only at the places of ``params.allowed``.

    ``*`` in a place stands for any text; an entry with ``with`` allows its place only in runs
    with that variable set to 1.
    """
    name = str(requirement.params["canary"])
    text = view.truth.canaries.get(name)
    if text is None or not view.capture.exports:
        return NotExercised(f"no run hid a canary for {name} and exported something")
    allowed = _allowed(requirement, view.capture)
    findings = tuple(
        Finding(
            f"no trace of the {name.replace('_', ' ')}"
            + (f", but at {' or '.join(allowed)}" if allowed else ""),
            f"{text} ({sighting.form})",
            f"{view.run.label} · {sighting.place}",
        )
        for sighting in sightings(view.capture, name, text)
        if not _allows(requirement, view.capture, sighting.place)
    )
    return Judged(max(len(view.capture.exports), len(findings)), findings)


def shown_at(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the canary ``params.canary`` is found at a place that matches ``params.place``."""
    name, place = str(requirement.params["canary"]), str(requirement.params["place"])
    text = view.truth.canaries.get(name)
    if text is None or not view.capture.exports:
        return NotExercised(f"no run hid a canary for {name} and exported something")
    sighted = sightings(view.capture, name, text)
    if any(fnmatchcase(sighting.place, place) for sighting in sighted):
        return Judged(1)
    places = ", ".join(sorted({sighting.place for sighting in sighted})) or "nowhere"
    return Judged(1, (Finding(f"the {name.replace('_', ' ')} at {place}", places, view.run.label),))


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
        if not run.truth.canaries:
            continue
        words = [word for name, word in GATES.items() if run.environment.get(name) == "1"]
        opened = "+".join(words) or "closed"
        gates[opened] = None
        for name, text in run.truth.canaries.items():
            rows.setdefault((name, ""), {})
            for place in {sighting.place for sighting in sightings(capture, name, text)}:
                fine = all(
                    _allows(rule, capture, place)
                    for rule in rules
                    if rule.params["canary"] == name and applies_to_run(rule, run)
                )
                spot = rows.setdefault((name, place), {})
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


def _allows(requirement: Requirement, capture: Capture, place: str) -> bool:
    return any(fnmatchcase(place, pattern) for pattern in _allowed(requirement, capture))


def _allowed(requirement: Requirement, capture: Capture) -> list[str]:
    """Return the patterns of the places that the requirement allows in this run."""
    return [
        str(entry["place"])
        for entry in _entries(requirement.params.get("allowed", []))
        if "with" not in entry or capture.run.environment.get(str(entry["with"])) == "1"
    ]


def sightings(capture: Capture, name: str, text: str) -> list[Sighting]:
    """Return every place and form in which the canary ``text`` was exported, each once."""
    unique: dict[Sighting, None] = {}
    for export in capture.exports:
        for place, form in _in_export(export, text):
            unique[Sighting(name, place, form)] = None
    return sorted(unique)


def _in_export(export: Export, text: str) -> Iterator[tuple[str, str]]:
    signal = str(export.signal or "unrecognised")
    for header, value in export.headers:
        for form in _forms_in(value.encode("utf-8", "replace"), text):
            yield f"{signal} header {header.lower()}", form
    for form in _forms_in(export.path.encode("utf-8", "replace"), text):
        yield f"{signal} path", form
    # A body whose content encoding cannot be undone is searched as it came.
    body = export.body if export.content is None else export.content
    hits = list(_forms_in(body, text))
    in_json = export.encoding is Encoding.JSON
    # JSON may escape any part of a text: what it says is known once it is decoded.
    if not hits and not (in_json and b"\\u" in body):
        return
    places = list(_in_items(export, text))
    yield from places
    located_forms = {form for _, form in places}
    if in_json and "raw" in located_forms:
        located_forms |= {"base64", "escaped"}  # so JSON writes bytes, and may write any text
    for form in hits:
        if form not in located_forms:
            yield f"{signal} body", form


def _in_items(export: Export, text: str) -> Iterator[tuple[str, str]]:
    signal = str(export.signal)
    for item in export.items:
        yield from _in_owners(item, signal, text)
    for point in export.data_points:
        yield from _in_value(point.attributes, f"{signal} {point.metric.name} attributes", text)
        for part in (point.metric.name, point.metric.description, point.metric.unit):
            yield from _in_value(part, f"{signal} {point.metric.name} definition", text)
    for event in export.events:
        name = event_name(event) or "(no name)"
        yield from _in_value(event.attributes, f"{signal} {name} attributes", text)
        yield from _in_value(event.body, f"{signal} {name} body", text)
        for part in (event.event_name, event.severity_text):
            yield from _in_value(part, f"{signal} {name} definition", text)
    for span in export.spans:
        yield from _in_value(span.attributes, f"{signal} {span.name} attributes", text)
        yield from _in_value(span.name, f"{signal} span name", text)
        yield from _in_value(span.status_message, f"{signal} {span.name} status", text)
        for event_called, _, attributes in span.events:
            yield from _in_value(attributes, f"{signal} {span.name} event {event_called}", text)
            yield from _in_value(event_called, f"{signal} {span.name} event name", text)
        for _, _, attributes in span.links:
            yield from _in_value(attributes, f"{signal} {span.name} link", text)


def _in_owners(item: DataPoint | Event | Span, signal: str, text: str) -> Iterator[tuple[str, str]]:
    resource, scope = item.resource, item.scope
    yield from _in_value(resource.attributes, f"{signal} resource", text)
    yield from _in_value(scope.attributes, f"{signal} scope attributes", text)
    for part in (scope.name, scope.version, scope.schema_url, resource.schema_url):
        yield from _in_value(part, f"{signal} scope", text)


def _in_value(value: Value, place: str, text: str) -> Iterator[tuple[str, str]]:
    match value:
        case Attributes():
            for key, member in value.pairs:
                yield from _in_value(member, f"{place}.{key}", text)
                for form in _forms_in(key.encode("utf-8", "replace"), text):
                    yield f"{place} (a key)", form
        case tuple():
            for member in value:
                yield from _in_value(member, place, text)
        case str():
            for form in _forms_in(value.encode("utf-8", "replace"), text):
                yield place, form
        case bytes():
            for form in _forms_in(value, text):
                yield place, form


def _forms_in(haystack: bytes, text: str) -> Iterator[str]:
    for form, needle in _forms(text):
        if needle in haystack:
            yield form


@cache
def _forms(text: str) -> tuple[tuple[str, bytes], ...]:
    """Return the bytes to search for: the canary as it is, and in each encoding.

    It consists of letters and digits, so JSON and percent-encoding leave it as it is, unless they
    escape every character.
    """
    raw = text.encode()
    return (
        ("raw", raw),
        *(("base64", _aligned(raw, shift)) for shift in range(3)),
        ("hex", raw.hex().encode()),
        ("hex", raw.hex().upper().encode()),
        ("percent", b"".join(b"%%%02X" % byte for byte in raw)),
        ("percent", b"".join(b"%%%02x" % byte for byte in raw)),
        ("escaped", b"".join(b"\\u%04x" % byte for byte in raw)),
        ("escaped", b"".join(b"\\u%04X" % byte for byte in raw)),
    )


def _aligned(raw: bytes, shift: int) -> bytes:
    """Return the part of the base64 of ``raw`` that does not depend on the bytes around it.

    ``shift`` is the offset of ``raw`` within a group of three bytes.
    """
    encoded = base64.b64encode(bytes(shift) + raw)
    first = -(-shift * 8 // 6)
    last = (shift + len(raw)) * 8 // 6
    return encoded[first:last]


def _entries(value: object) -> list[Mapping[str, Any]]:
    assert isinstance(value, list)
    return value
