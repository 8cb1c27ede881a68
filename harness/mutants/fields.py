"""The fields of the contract, and the spots of a capture in which one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from ..contract.catalogue import contract_files
from ..contract.requirement import Selector
from ..contract.resolve import property_range, resolve
from ..contract.versions import Version
from ..judging.items.item import EVERY, MISSING, Kind
from ..judging.items.view import named
from ..otlp.messages import Request
from ..otlp.model import Signal
from . import editing, sending
from .editing import ItemRef

#: The fields of OTLP's own that the contract files do not describe, but every item carries.
_OF_THE_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "metrics": ("description", "start_time_unix_nano"),
    "events": ("observed_time_unix_nano", "severity_number", "event_name"),
}
_FAMILIES = {
    "metric": "metrics",
    "metrics": "metrics",
    "event": "events",
    "events": "events",
    "span": "spans",
    "spans": "spans",
    "resources": "resource",
    "scopes": "scope",
    "exports": "requests",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that the contract describes: of what, and the path to it.

    An empty ``path`` stands for the item as a whole.
    """

    selects: Selector
    path: tuple[str, ...]

    @property
    def owner(self) -> str:
        """What has the field: ``events.api_request``, ``resource``, ``scope.logs``.

        A field of ``every`` event or metric is a standard one.
        """
        kind, name = self.selects.kind, self.selects.name.removeprefix("claude_code.")
        family = _FAMILIES[kind]
        if kind in EVERY:
            name = "every"
        return f"{family}.{name}" if name else family

    @property
    def label(self) -> str:
        """The field's own name: that of an attribute, or ``[value]`` for a field of the item."""
        match self.path:
            case ():
                return "(the whole item)"
            case ("attributes", key):
                return key
            case _:
                return f"[{'.'.join(self.path)}]"

    @property
    def name(self) -> str:
        """The name by which the reasons for blanks refer to the field."""
        return f"{self.owner}.{self.label}"


def fields_of(version: Version) -> tuple[Field, ...]:
    """Return every field that the contract describes for a release, in the catalogue's order."""
    found: dict[Field, None] = {}
    for _, data in contract_files():
        selects = data.get("x-selects", {"kind": ""})
        if selects["kind"] not in _FAMILIES or version not in property_range(data):
            continue
        selector = Selector(selects["kind"], selects.get("name", ""))
        if selector.kind == "exports":
            found |= {Field(Selector("exports"), path): None for path in sending.paths()}
            continue
        if selector.kind in ("metric", "event", "span"):
            found[Field(selector, ())] = None
        properties = resolve(data, version).get("properties", {})
        for key, schema in properties.items():
            if key != "attributes":
                found[Field(selector, (key,))] = None
                continue
            for attribute in schema.get("properties", {}):
                found[Field(selector, ("attributes", attribute))] = None
        for key in _OF_THE_PROTOCOL.get(selector.kind, ()):
            found[Field(selector, (key,))] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of a capture in which a field stands, or could stand.

    ``export`` and ``place`` number the request and the item within it; ``value`` is
    :data:`MISSING` where the item lacks the field. ``key`` gives the spots of two runs the same
    order, and ``beside`` are the item's other attributes.
    """

    export: int
    place: int
    value: Any
    key: tuple[str, int, str]
    beside: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of a capture: its number, and what it holds if it was accepted; to look only."""

    number: int
    export: Export
    message: Request | None
    items: tuple[ItemRef, ...]


def requests(capture: Capture) -> tuple[Sent, ...]:
    """Return the requests of a capture in which lies can be told: those that were really sent."""
    return tuple(
        Sent(number, export, message, tuple(editing.item_refs(message)) if message else ())
        for number, export in sending.sent(capture)
        for message in [None if export.rejected else export.message]
    )


def spots(sent: Sequence[Sent], field: Field) -> tuple[Spot, ...]:
    """Return the spots of a field in the requests of a capture, in the order of their keys."""
    found = []
    for request in sent:
        if field.selects.kind == "exports":
            export = request.export
            key = (str(export.signal), export.sequence, "")
            value, beside = sending.value(export, field.path), sending.beside(export)
            found.append(Spot(request.number, 0, value, key, beside))
            continue
        if request.message is None:
            continue
        if field.selects.kind in ("resources", "scopes"):
            found += [
                Spot(request.number, place, _owned(owner, field), ("", 0, ""), {})
                for place, owner in enumerate(owners(request.message, field))
            ]
            continue
        for place, ref in enumerate(request.items):
            if selected(ref, field.selects):
                value = ref.item.at(field.path) if field.path else MISSING
                beside = ref.item.view["attributes"]
                found.append(Spot(request.number, place, value, ref.key, beside))
    return tuple(sorted(found, key=lambda spot: spot.key))


def owners(message: Request, field: Field) -> list[Any]:
    """Return the resources or scopes of a request that the field is one of."""
    groups = editing.groups(message)
    if field.selects.kind == "resources":
        return [group.resource for group in groups]
    signal = Signal(field.selects.name)
    return [scope.scope for group in groups for scope in editing.scopes(group, signal)]


def selected(ref: ItemRef, selects: Selector) -> bool:
    """Return whether an item is one that ``selects`` names."""
    if selects.kind in EVERY:
        return ref.item.kind is EVERY[selects.kind]
    wanted = {"metric": Kind.METRIC, "event": Kind.EVENT, "span": Kind.SPAN}[selects.kind]
    return ref.item.kind is wanted and named(selects, ref.item.view)


def _owned(owner: Any, field: Field) -> Any:
    if field.selects.kind == "scopes":
        return getattr(owner, field.path[-1]) or MISSING
    key = field.path[-1]
    for attribute in owner.attributes:
        if attribute.key == key:
            return attribute.value.string_value
    return MISSING


def having(found: Sequence[Spot]) -> list[Spot]:
    """Return the spots in which the field stands."""
    return [spot for spot in found if spot.value is not MISSING]
