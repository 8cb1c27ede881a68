"""Tell a lie of a given kind about a field, in the captures of one scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from ..capture.capture import Capture
from ..judging.items.item import MISSING
from . import kinds, sending
from .applying import ERASED, REMOVED, TWICE, Edit, apply
from .fields import Field, Spot, having
from .kinds import Untellable
from .stage import Stage


class Extent(StrEnum):
    """How far a lie goes within its scenario; it is told over every protocol alike."""

    ONE = "one item"
    ALL = "every item"


@dataclass(frozen=True, slots=True)
class Telling:
    """One lie: its kind, the field, how far it goes, and the scenario in which it is told."""

    field: Field
    kind: str
    extent: Extent
    scenario: str
    variant: str = ""


#: Why a lie is not told.
_NOTHING = "nothing carries it"
_ALIKE = "no run has two items that differ in it"

_FEW_WORDS = "OTLP knows only a few words for it"

#: What OTLP has a few words for, and the word that is told for each.
_WORDS: Mapping[tuple[str, ...], Mapping[Any, Any]] = {
    ("type",): {"sum": "gauge"},
    ("monotonic",): {True: False},
    ("temporality",): {"delta": "cumulative", "cumulative": "delta"},
    ("protocol",): sending.OTHER,
}
#: What a request cannot be without, and what is not written by its sender.
_SOMEHOW = (("collector",), ("protocol",))
_OF_OURS = (("collector",), ("peer_certificate",))


def tell(stage: Stage, telling: Telling) -> tuple[Capture, ...]:
    """Return all captures, with the lie in those of its scenario.

    Raises :class:`Untellable` if a run of the scenario gives no occasion for it.
    """
    changed = {}
    for capture in stage.scenarios(telling.field)[telling.scenario]:
        edits = _KINDS[telling.kind](stage, capture, telling)
        if edits:
            changed[id(capture)] = apply(capture, edits)
    if not changed:
        raise Untellable("no run of the scenario gives occasion for it")
    return tuple(changed.get(id(capture), capture) for capture in stage.captures)


def tellings(field: Field, kind: str, scenario: str) -> list[Telling]:
    """Return the ways to tell a kind of lie in a scenario, the most modest first."""
    if kind == "both_places":
        return [
            Telling(field, kind, Extent.ALL, scenario, variant) for variant in ("other", "nothing")
        ]
    return [Telling(field, kind, extent, scenario) for extent in _EXTENTS.get(kind, tuple(Extent))]


def _dropped(stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    found = stage.spots(capture, telling.field)
    if telling.field.path in (("type",), ("monotonic",)):
        raise Untellable(_FEW_WORDS)
    if telling.field.path in _SOMEHOW:
        raise Untellable("every request has it")
    if telling.field.path:
        carrying = having(found)
        # OTLP's own texts and numbers are never absent, only empty.
        own = telling.field.path[0] not in ("attributes", "headers", "value")
        found = tuple(spot for spot in carrying if not own or spot.value not in ("", 0))
        if carrying and not found:
            raise Untellable("it is left empty anyway")
    what = ERASED if telling.field.path else REMOVED
    return [(telling.field, spot, what) for spot in _as_far(telling, found, _NOTHING)]


def _of_one_value(
    make: Callable[[Field, Any], Any], stage: Stage, capture: Capture, telling: Telling
) -> list[Edit]:
    field = telling.field
    if make is kinds.shifted and field.path in _WORDS:
        make = _other_word
    elif field.path in _OF_OURS:
        raise Untellable("our own collector names it")
    elif field.path in _WORDS:
        raise Untellable(_FEW_WORDS)
    else:
        _needs_a_value(field)
    edits, why = [], _NOTHING
    for spot in having(stage.spots(capture, field)):
        try:
            value = make(field, spot.value)
        except Untellable as error:
            why = str(error)
            continue
        if isinstance(value, type(spot.value)) and value == spot.value:
            why = "it would change no value"
            continue
        edits.append((field, spot, value))
    if not edits:
        raise Untellable(why)
    return edits if telling.extent is Extent.ALL else edits[-1:]


def _other_word(field: Field, value: Any) -> Any:
    if value not in _WORDS[field.path]:
        raise Untellable(_FEW_WORDS)
    return _WORDS[field.path][value]


def _constant(stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    _needs_a_value(telling.field)
    found = having(stage.spots(capture, telling.field))
    edits = [
        (telling.field, spot, found[0].value) for spot in found if spot.value != found[0].value
    ]
    if not edits:
        raise Untellable("no run has two items that differ in it" if found else _NOTHING)
    return edits


def _swapped(stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    """Exchange the values of the two items that differ in it and are otherwise most alike."""
    field = telling.field
    _needs_a_value(field)
    found = having(stage.spots(capture, field))
    pairs = [
        (one, other)
        for number, one in enumerate(found)
        for other in found[number + 1 :]
        if one.value != other.value and (one.export, one.place) != (other.export, other.place)
    ]
    if not pairs:
        raise Untellable("no run has two items that differ in it" if found else _NOTHING)
    one, other = max(pairs, key=lambda pair: _alike(*pair))
    return [(field, one, other.value), (field, other, one.value)]


def _alike(one: Spot, other: Spot) -> int:
    """Count the attributes that two items have in common; numbers and times are so by chance."""
    return sum(
        other.beside.get(key) == value
        for key, value in one.beside.items()
        if not kinds.is_quantity(value)
    )


def _elsewhere(session: bool, stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    """Take the values of another run, item by item in their order."""
    field = telling.field
    _needs_a_value(field)
    if field.path in _OF_OURS:
        raise Untellable("each run has collectors of its own")
    found = having(stage.spots(capture, field))
    if not found:
        raise Untellable(_NOTHING)
    for other in stage.others(capture, field, session=session):
        theirs = having(stage.spots(other, field))
        edits = [
            (field, spot, theirs[number % len(theirs)].value)
            for number, spot in enumerate(found if theirs else ())
            if theirs[number % len(theirs)].value != spot.value
        ]
        if edits:
            return edits
    raise Untellable(
        "every session says the same" if session else "every run of a session says the same"
    )


def _misplaced(stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    """Put the field into items that lack it; the whole item: send it once more."""
    field = telling.field
    found = stage.spots(capture, field)
    if not field.path:
        return [(field, spot, TWICE) for spot in _as_far(telling, found, _NOTHING)]
    if field.path in _OF_OURS:
        raise Untellable("only a collector that asks for it can get it")
    lacking = [spot for spot in found if spot.value is MISSING]
    values = stage.values(field)
    if not values:
        raise Untellable(_NOTHING)
    value = having(found)[-1].value if having(found) else values[-1]
    return [(field, s, value) for s in _as_far(telling, lacking, "every item carries it")]


def _both_places(stage: Stage, capture: Capture, telling: Telling) -> list[Edit]:
    """Tell the same lie wherever the same is said."""
    groups = [group for group in stage.same if telling.field.name in group.members]
    if not groups:
        raise Untellable("nothing else says the same")
    edits: dict[tuple[Field, int, int], Edit] = {}
    for group in groups:
        for name, wanted in group.members.items():
            field = stage.fields.get(name)
            for spot in having(stage.spots(capture, field)) if field is not None else ():
                if all(str(spot.beside.get(key)) == value for key, value in wanted.items()):
                    assert field is not None
                    value = _consistently(stage, field, spot.value, telling.variant)
                    edits[field, spot.export, spot.place] = (field, spot, value)
    if not edits:
        raise Untellable(_NOTHING)
    if not any(field == telling.field for field, _, _ in edits):
        raise Untellable(_NOTHING)
    if {field for field, _, _ in edits} == {telling.field}:
        raise Untellable("nothing else says the same")
    return list(edits.values())


#: Of no more values than this is a field taken to choose among a few words.
_FEW = 12


def _consistently(stage: Stage, field: Field, value: Any, variant: str) -> Any:
    """Make the same of the same value, in whatever field it stands."""
    if variant == "nothing":
        return kinds.zero(field, value)
    try:
        return kinds.scaled(field, value)
    except Untellable:
        pass
    values = sorted({v for v in stage.values(field) if isinstance(v, str)})
    if isinstance(value, str) and 2 <= len(values) <= _FEW and value in values:
        return values[(values.index(value) + 1) % len(values)]
    return kinds.shifted(field, value)


def _needs_a_value(field: Field) -> None:
    if not field.path:
        raise Untellable("an item as a whole has no value")
    if field.path in _WORDS and field.path != ("protocol",):
        raise Untellable(_FEW_WORDS)


def _as_far(telling: Telling, found: Sequence[Spot], otherwise: str) -> Sequence[Spot]:
    if not found:
        raise Untellable(otherwise)
    return found if telling.extent is Extent.ALL else found[-1:]


_EXTENTS: Mapping[str, tuple[Extent, ...]] = {
    "constant": (Extent.ALL,),
    "swapped": (Extent.ONE,),
    "other_session": (Extent.ALL,),
    "other_run": (Extent.ALL,),
}

_KINDS: Mapping[str, Callable[[Stage, Capture, Telling], list[Edit]]] = {
    "dropped": _dropped,
    "constant": _constant,
    "swapped": _swapped,
    **{name: partial(_of_one_value, make) for name, make in kinds.OF_ONE_VALUE.items()},
    "other_session": partial(_elsewhere, True),
    "other_run": partial(_elsewhere, False),
    "misplaced": _misplaced,
    "both_places": _both_places,
}

#: Every kind of lie, in the order of the page's columns.
KINDS = tuple(_KINDS)
