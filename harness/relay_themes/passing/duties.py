"""Search everything that came out for what must not: every byte of it, in every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...capture.capture import Capture
from ...capture.export import SENT, Export
from ...capture.observed import observed
from ...capture.run import GroundTruth, Secret
from ...judging.search.places import texts_of
from ...judging.search.readings import Form
from ...judging.search.sightings import sightings
from ...otlp.model import Attributes, DataPoint, Span, Value
from .comparing import sent_exports
from .facets import Telemetry, attribute_sets
from .observed import Duty, Passing

#: A shorter text is found everywhere, by chance: it is only looked for as a whole value.
_TELLING = 8
#: Kinds of change after which an attribute may come out: with another value.
_REPLACED = frozenset({"attribute_hashed", "attribute_set"})
#: So many places are told.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a duty.

    ``looked_for`` counts the texts, ``sent`` and ``seen`` the places at which they were sent and
    came out, ``kept`` the items that came out with the attribute; ``told`` names the first places.
    """

    duty: Duty
    looked_for: int
    sent: int
    seen: int
    kept: int
    told: str


def fulfilled(capture: Capture) -> list[Found]:
    """Return what became of each duty of a run; nothing if none was declared."""
    passing = observed(capture.run, Passing)
    return [] if passing is None else [_found(capture, passing, duty) for duty in passing.duties]


def _found(capture: Capture, passing: Passing, duty: Duty) -> Found:
    sent = sent_exports(capture)
    secrets = _secrets(capture, sent, duty)
    replaced = _is_replaced(passing, duty)
    places: Counter[str] = Counter()
    kept = 0
    outlets = dict.fromkeys(
        export.collector for export in capture.exports if export.collector != SENT
    )
    for outlet in outlets:
        exports = [export for export in capture.exports if export.collector == outlet]
        for place, form in _seen(capture, exports, secrets):
            if not (replaced and _is_hash(form)):
                places[f"{outlet}: {place} ({form})"] += 1
        if duty.attribute and not replaced:
            kept += sum(_carries(item, duty.attribute) for each in exports for item in each.items)
    told = [f"seen at {place}" for place in list(places)[:_MOST]]
    if len(places) > _MOST:
        told.append(f"and at {len(places) - _MOST} more places")
    if kept:
        told.append(f"{kept} items came out with it")
    seen_before = sum(1 for _ in _seen(capture, sent, secrets))
    return Found(duty, len(secrets), seen_before, len(places), kept, "; ".join(told))


def _secrets(capture: Capture, sent: Sequence[Export], duty: Duty) -> tuple[Secret, ...]:
    """Return the texts that must not come out."""
    if duty.content:
        hidden = capture.run.truth.hidden
        return tuple(each for each in hidden if each.kind == duty.content and each.text)
    values = {
        text
        for export in sent
        for item in export.items
        for attributes in _every_set(item)
        if duty.attribute in attributes
        for text in _texts(attributes[duty.attribute])
    }
    return tuple(Secret(str(duty), text) for text in sorted(values))


def _is_replaced(passing: Passing, duty: Duty) -> bool:
    return any(
        change.kind in _REPLACED and change.attribute == duty.attribute
        for change in passing.changes
    )


def _is_hash(form: str) -> bool:
    return form not in set(Form)


def _seen(
    capture: Capture, exports: Sequence[Export], secrets: Sequence[Secret]
) -> Iterator[tuple[str, str]]:
    """Yield the places and forms in which secrets are in exports."""
    long = tuple(secret for secret in secrets if len(secret.text.encode()) >= _TELLING)
    if long and exports:
        truth = GroundTruth(secrets=long)
        part = replace(capture, run=replace(capture.run, truth=truth), exports=tuple(exports))
        for sighting in sightings(part):
            yield sighting.place, sighting.form
    short = {secret.text.encode() for secret in secrets if len(secret.text.encode()) < _TELLING}
    if short:
        for place in {
            place for export in exports for place, text in texts_of(export) if text in short
        }:
            yield place, str(Form.RAW)


def _every_set(item: Telemetry) -> Iterator[Attributes]:
    yield from (attributes for _, attributes in attribute_sets(item))
    if isinstance(item, Span):
        yield from (event.attributes for event in item.events)
        yield from (link.attributes for link in item.links)
    if isinstance(item, DataPoint):
        yield item.metric.metadata
        for exemplar in item.exemplars:
            filtered = exemplar["filtered_attributes"]
            assert isinstance(filtered, Attributes)
            yield filtered


def _carries(item: Telemetry, key: str) -> bool:
    return any(key in attributes for attributes in _every_set(item))


def _texts(value: Value) -> Iterable[str]:
    """Yield the texts of a value; a number is one, too."""
    match value:
        case str():
            return [value] if value else []
        case bool() | None:
            return []
        case int() | float():
            return [str(value)]
        case tuple():
            return [text for member in value for text in _texts(member)]
        case Attributes():
            return [text for member in value.values() for text in _texts(member)]
        case _:
            return []
