"""Take stock of a capture of production data, as :mod:`harness.drift.inventory` does of sessions.

An item is looked at if no other of its shape, with its values of enumerations, was. A value that
may tell of a person is not listed, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..contract.requirement import Selector
from ..contract.versions import Version
from ..drift.attributes import may_identify
from ..drift.inventory import FORMAT, RECORDED
from ..drift.stock import OF_EACH_ITEM, Stock
from ..otlp.errors import DecodeError
from ..otlp.model import Signal
from . import wire
from .exact import ItemView
from .files import Broken, Message
from .rules import Fleet
from .stream import is_foreign
from .walk import Item, attributes_of, block_of

#: An attribute with more values than this is no enumeration.
_MOST_VALUES = 30

#: How many messages that cannot be read are told one by one.
_MOST_BROKEN = 10


class Stocktaking:
    """Takes stock message by message.

    ``releases`` are those that items name, ``number_broken`` counts messages that cannot be read;
    ``broken`` tells the first of them.
    """

    def __init__(self) -> None:
        self.releases: set[Version] = set()
        self.number_broken = 0
        self.broken: list[Broken] = []
        self._stock = Stock()
        self._seen: set[object] = set()
        self._values: dict[tuple[object, str], set[Any] | None] = {}
        self._owners: dict[tuple[Signal, bytes, bytes], bool] = {}

    def feed(self, messages: Iterable[Message | Broken]) -> None:
        """Note what is in these messages."""
        for message in messages:
            try:
                if isinstance(message, Message):
                    self._message(message)
                else:
                    self._note(message)
            except (DecodeError, ValueError) as error:
                assert isinstance(message, Message)
                self._note(Broken(message.where, str(error)))

    def _note(self, broken: Broken) -> None:
        self.number_broken += 1
        if len(self.broken) < _MOST_BROKEN:
            self.broken.append(broken)

    def inventory(self) -> dict[str, Any]:
        """Return the inventory, under the newest of the releases."""
        stock = self._stock.plain(str(max(self.releases)))
        for kind in ("metrics", "events", "spans"):
            for owner in stock[kind].values():
                # Of items of one shape one is looked at; most parents come in another message.
                for fact in OF_EACH_ITEM:
                    owner.pop(fact, None)
                _without_persons(owner["attributes"])
        for attributes in stock["resources"].values():
            _without_persons(attributes)
        named = {str(release) for release in self.releases}
        stock["scopes"] = {
            signal: sorted({_without_release(scope, named) for scope in scopes})
            for signal, scopes in stock["scopes"].items()
        }
        return {
            "format": FORMAT,
            "subject": {"version": str(max(self.releases))},
            "scenarios": {RECORDED: []},
            "partial": {},
            **stock,
            "transport": {},
            "secrets": {},
            "gates": {},
            "facts": {},
        }

    def _message(self, message: Message) -> None:
        for signal, resource, block in wire.decode(message.body).blocks():
            items: list[Item] = [*block.log_records, *block.spans]
            for metric in block.metrics:
                data = metric.sum or metric.gauge
                items += [(metric, point) for point in data.data_points] if data else []
            if not items:
                continue
            owner = (signal, bytes(resource), bytes(block.scope))
            if owner not in self._owners:
                self._owners[owner] = self._is_ours(signal, resource, block, items[0], message)
            if not self._owners[owner]:
                continue
            for item in items:
                key = (signal, *self._key(item))
                if key not in self._seen:
                    self._seen.add(key)
                    self._add(ItemView(_RUN, signal, resource, _alone(item, block), message.where))

    def _is_ours(
        self, signal: Signal, resource: Any, block: wire.Block, item: Item, message: Message
    ) -> bool:
        """Say whether a resource and a scope are the CLI's, and note them and their release."""
        view = ItemView(_RUN, signal, resource, _alone(item, block), message.where)
        attributes = view.select(Selector("resources"))[0].view["attributes"]
        scope = view.select(Selector("scopes", signal))[0].view
        if is_foreign(attributes, scope):
            return False
        try:
            self.releases.add(
                Version.parse(str(attributes.get("service.version") or scope["version"]))
            )
        except ValueError:
            return False
        self._add(view)
        return True

    def _add(self, view: ItemView) -> None:
        for export in view.capture.exports:
            names = {span.span_id: span.name for span in export.spans}
            self._stock.add(RECORDED, export, names, frozenset())

    def _key(self, item: Item) -> tuple[object, ...]:
        """Return everything about an item that an inventory may list."""
        if isinstance(item, wire.Record):
            pairs = item.attributes
            body = item.body.string_value
            name: tuple[object, ...] = (
                *(body, item.event_name, item.severity_number, item.severity_text),
                bool(item.trace_id),
            )
        elif isinstance(item, wire.Span):
            pairs = item.attributes
            events = tuple(str(event.get("name")) for event in item.events)
            name = (item.name, item.kind, not item.parent_span_id, events)
        else:
            metric, point = item
            pairs = point.attributes
            data = metric.sum or metric.gauge
            assert data is not None
            name = (
                *(metric.name, metric.unit, metric.description, metric.sum is None),
                *(data.aggregation_temporality, data.is_monotonic, point.as_int is None),
            )
        names, kinds, values = attributes_of(pairs)
        fixed = [self._fixed(name, key, value) for key, value in values.items()]
        return (name, names, kinds, *fixed)

    def _fixed(self, name: tuple[object, ...], key: str, value: object) -> object:
        """Return a value that may be one of an enumeration; None for any other."""
        known = self._values.setdefault((name[:2], key), set())
        if known is None or not isinstance(value, str):
            return None
        known.add(value)
        if len(known) > _MOST_VALUES:
            self._values[name[:2], key] = None
        return value


_RUN = Fleet({}).run("0.0.0")


def _alone(item: Item, block: wire.Block) -> wire.Block:
    made = block_of(item)
    made.scope = block.scope
    return made


def _without_persons(attributes: Mapping[str, Any]) -> None:
    """Leave out values of attributes that may tell of a person; placeholders tell of none."""
    for key, fact in attributes.items():
        if "values" in fact and may_identify(key):
            fact["values"] = [value for value in fact["values"] if value.startswith("<")]
            if not fact["values"]:
                del fact["values"]


def _without_release(scope: str, releases: set[str]) -> str:
    name, _, version = scope.rpartition(" ")
    return f"{name} (the release)" if version in releases else scope
