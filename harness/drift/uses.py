"""What one query of somebody's depends on: metrics, events, spans, labels and their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..capture.names import PREFIX, short
from ..exposition.translation import Strategy, candidates, label_name
from ..otlp.model import Metric

#: A name as any of the languages writes it.
NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_.:@-]*")

#: What stands before an attribute's name where records are flattened.
_BEFORE = (
    *("attributes_", "attributes.", "@resource.", "@", "resource_", "LogAttributes."),
    "Attributes.",
)

#: What Datadog calls an attribute of the resource.
_ALIASES = {"service": "service.name"}


@dataclass(frozen=True, slots=True)
class Uses:
    """What a query depends on, by the names that OTLP has for it.

    ``labels`` are attributes, each with the values that it is compared with; ``wide`` are metrics
    of which the query takes whole series: a new attribute changes what it returns. ``unknown`` are
    names that look like ours, and that no release of the comparison sends; ``bodies`` are what the
    body of a record is compared with.
    """

    metrics: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    spans: frozenset[str] = frozenset()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wide: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()

    @property
    def owners(self) -> frozenset[str]:
        """All that it selects, as differences name them."""
        return frozenset(
            f"{word} {name}"
            for word, names in (
                ("metric", self.metrics),
                ("event", self.events),
                ("span", self.spans),
            )
            for name in names
        )


class Dictionary:
    """All names that the inventories know, in the spellings of the query languages."""

    def __init__(self, inventories: Iterable[Mapping[str, Any]]) -> None:
        self.metrics: dict[str, str] = {}
        self.events: dict[str, str] = {}
        self.spans: dict[str, str] = {}
        #: What a word may stand for: ``skill_name`` is an attribute, and stands for ``skill.name``.
        self.attributes: dict[str, list[str]] = {}
        self._keys: dict[str, set[str]] = {}
        for inventory in inventories:
            self._add(inventory)

    def _add(self, inventory: Mapping[str, Any]) -> None:
        for name, facts in inventory["metrics"].items():
            for spelled in _spellings(name, facts):
                self.metrics[spelled] = name
        for name in inventory["events"]:
            self.events |= {name: name, PREFIX + name: name}
        for name in inventory["spans"]:
            self.spans |= {name: name}
        keys = {key for facts in inventory["resources"].values() for key in facts}
        for kind in ("metrics", "events", "spans"):
            for name, facts in inventory[kind].items():
                self._keys.setdefault(f"{kind[:-1]} {name}", set()).update(facts["attributes"])
                keys |= facts["attributes"].keys()
        for key in sorted(keys):
            camel = "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]", key))
            for spelled in (key, label_name(key, Strategy.UNDERSCORES), camel):
                self.attributes.setdefault(spelled, [])
                self.attributes[spelled] += [] if key in self.attributes[spelled] else [key]

    def attribute(self, word: str, owners: Collection[str] = ()) -> str | None:
        """Return the attribute that a word stands for, one of these owners' if it can be."""
        word = _ALIASES.get(word, word)
        for prefix in ("", *_BEFORE):
            known = self.attributes.get(word.removeprefix(prefix))
            if word.startswith(prefix) and known:
                on_them = (
                    key
                    for key in known
                    if any(key in self._keys.get(owner, ()) for owner in owners)
                )
                return next(on_them, known[0])
        return None

    def is_unknown(self, word: str) -> bool:
        """Say whether a name looks like one of ours, and is none."""
        return (
            word.startswith(("claude_code", PREFIX))
            and ":" not in word
            and word.strip("_.") not in (PREFIX.strip("."), "claude_code")
            and not any(word in known for known in (self.metrics, self.events, self.spans))
        )


def _spellings(name: str, facts: Mapping[str, Any]) -> list[str]:
    spelled = [name, short(name)] if "." in short(name) else [name]
    for unit in facts.get("unit", [""]):
        for kind in facts.get("type", [""]):
            for monotonic in facts.get("monotonic", [None]):
                metric = Metric(name, "", unit, kind, "", monotonic)
                spelled += [each.text for each in candidates(metric)]
    return spelled


#: What Datadog writes before the name of a metric.
_FUNCTIONS = ("sum:", "avg:", "max:", "min:", "count:")

#: What counts points, or takes their attributes as a whole, depends on each new attribute.
_WHOLE_SERIES = re.compile(
    r"\bcount(?:If)?\s*\(\s*\*?\s*\)|\bAttributes\b(?!\s*[\[.:])", re.IGNORECASE
)
_BODY = re.compile(r"""\bBody\b['"`]?\s*==?\s*['"](?P<body>[^'"]*)['"]""", re.IGNORECASE)

#: A word, and a text that it is compared with.
_COMPARED = re.compile(
    r"""["'`\[\]\\]*(?P<key>[A-Za-z_@][A-Za-z0-9_.@]*)["'`\]\\]*\s*(?:==?|:|\beq\b)\s*"""
    r"""\\?["'](?P<value>[^"'\\]*)\\?["']"""
)


def _parts(word: str, names: Dictionary) -> tuple[str, ...]:
    """Return a word and what a colon parts in it, where one does.

    Datadog writes ``sum:NAME`` and ``@event.name:VALUE``; a rule of Prometheus is called
    ``NAME:sum``.
    """
    first, *rest = word.split(":")
    parted = word.startswith(_FUNCTIONS) or first in _ALIASES or names.attribute(first) is not None
    return (word, first, *rest) if rest and parted else (word,)


def uses_of_text(text: str, names: Dictionary) -> Uses:
    """Return what a query in any language depends on, by the names and values that it mentions."""
    words = {part.rstrip(".:-") for word in NAME.findall(text) for part in _parts(word, names)}
    found = Uses(
        metrics=frozenset(names.metrics[word] for word in words if word in names.metrics),
        events=frozenset(names.events[word] for word in words if word in names.events),
        spans=frozenset(names.spans[word] for word in words if word in names.spans),
        bodies=frozenset(match["body"] for match in _BODY.finditer(text)),
    )
    labels: dict[str, set[str]] = {}
    for word in words - names.events.keys():
        key = names.attribute(word, found.owners)
        if key is not None:
            labels.setdefault(key, set())
    for match in _COMPARED.finditer(text):
        key = names.attribute(match["key"].lstrip("@"), found.owners)
        if key is not None:
            labels.setdefault(key, set()).add(match["value"])
    return replace(
        found,
        labels={key: frozenset(values) for key, values in labels.items()},
        wide=found.metrics if _WHOLE_SERIES.search(text) else frozenset(),
        unknown=frozenset(filter(names.is_unknown, words)),
    )
