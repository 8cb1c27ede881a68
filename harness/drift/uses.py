"""What one query of somebody's depends on: metrics, events, spans, labels and their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.capture.names import PREFIX, short
from harness.exposition.translation import Strategy, candidates, label_name
from harness.otlp.model import Metric

#: A name as any of the languages writes it.
NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_.:@-]*")

#: What stands before an attribute's name where records are flattened.
_BEFORE = ("attributes_", "attributes.", "@", "resource_", "LogAttributes.", "Attributes.")


@dataclass(frozen=True, slots=True)
class Uses:
    """What a query depends on, by the names that OTLP has for it.

    ``labels`` are attributes, each with the values that it is compared with; ``wide`` are metrics
    of which the query takes whole series: a new attribute changes what it returns. ``unknown`` are
    names that look like ours, and that no release of the comparison sends.
    """

    metrics: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    spans: frozenset[str] = frozenset()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wide: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

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
        self.attributes: dict[str, str] = {}
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
        owners = [
            *(
                facts
                for kind in ("metrics", "events", "spans")
                for facts in inventory[kind].values()
            )
        ]
        keys = {key for facts in owners for key in facts["attributes"]}
        keys |= {key for facts in inventory["resources"].values() for key in facts}
        for key in keys:
            camel = "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]", key))
            for spelled in (key, label_name(key, Strategy.UNDERSCORES), camel):
                self.attributes.setdefault(spelled, key)

    def attribute(self, word: str) -> str | None:
        """Return the attribute that a word of a query stands for."""
        if word in self.attributes:
            return self.attributes[word]
        for prefix in _BEFORE:
            if word.startswith(prefix) and word.removeprefix(prefix) in self.attributes:
                return self.attributes[word.removeprefix(prefix)]
        return None

    def is_ours(self, word: str) -> bool:
        """Say whether a name looks like one of ours, known or not."""
        return word.startswith(("claude_code", PREFIX)) and ":" not in word


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

#: A word, and a text that it is compared with.
_COMPARED = re.compile(
    r"""["'`\[\]\\]*(?P<key>[A-Za-z_@][A-Za-z0-9_.@]*)["'`\]\\]*\s*(?:==?|:|\beq\b)\s*"""
    r"""\\?["'](?P<value>[^"'\\]*)\\?["']"""
)


def uses_of_text(text: str, names: Dictionary) -> Uses:
    """Return what a query in any language depends on, by the names and values that it mentions."""
    # Datadog writes sum:NAME, and a rule of Prometheus is called NAME:sum.
    words = {
        part.rstrip(".-")
        for word in NAME.findall(text)
        for part in (word, *(word.split(":") if word.startswith(_FUNCTIONS) else ()))
    }
    labels: dict[str, set[str]] = {}
    for word in words:
        key = names.attribute(word)
        if key is not None:
            labels.setdefault(key, set())
    for match in _COMPARED.finditer(text):
        key = names.attribute(match["key"].lstrip("@"))
        if key is not None:
            labels.setdefault(key, set()).add(match["value"])
    return Uses(
        metrics=frozenset(names.metrics[word] for word in words if word in names.metrics),
        events=frozenset(names.events[word] for word in words if word in names.events),
        spans=frozenset(names.spans[word] for word in words if word in names.spans),
        labels={key: frozenset(values) for key, values in labels.items()},
        unknown=frozenset(
            word
            for word in words
            if names.is_ours(word)
            and word not in names.metrics
            and word not in names.events
            and word not in names.spans
            and word.strip("_.") not in (PREFIX.strip("."), "claude_code")
        ),
    )
