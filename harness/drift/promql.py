"""Read what a PromQL expression depends on, with the parser of Prometheus' own grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import promql_parser

from .uses import Dictionary, Uses

#: Grafana fills these in: what stands for a duration becomes one, anything else a word.
_RANGE = re.compile(r"\[\s*\$\{?\w+(?::\w+)?\}?\s*(:[^\]]*)?\]|\[\[\w+\]\]")
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")

_NAME = "__name__"


def uses_of_promql(text: str, names: Dictionary) -> Uses | None:
    """Return what an expression depends on; None for a text that is no PromQL."""
    filled = _VARIABLE.sub("variable", _RANGE.sub("[5m]", text))
    try:
        expression = promql_parser.parse(filled)
    except ValueError:
        return None
    found = _Found(names)
    found.walk(expression, aggregated=False)
    return found.uses()


#: Aggregations whose result does not change when a series is split.
_ADDITIVE = frozenset({"sum", "group"})
_COUNTS = frozenset({"count"})
#: Functions of a single series whose results do not add up to that of the whole.
_OF_SERIES = frozenset(
    {"changes", "resets", "count_over_time", "present_over_time", "quantile_over_time"}
)


class _Found:
    def __init__(self, names: Dictionary) -> None:
        self._names = names
        self._metrics: set[str] = set()
        self._wide: set[str] = set()
        self._unknown: set[str] = set()
        #: Labels, each with the values that it is compared with.
        self._words: dict[str, set[str]] = {}

    def uses(self) -> Uses:
        found = Uses(metrics=frozenset(self._metrics))
        labels: dict[str, set[str]] = {}
        for word, values in self._words.items():
            key = self._names.attribute(word, found.owners)
            if key is not None:
                labels.setdefault(key, set()).update(values)
        return replace(
            found,
            labels={key: frozenset(values) for key, values in labels.items()},
            wide=frozenset(self._wide),
            unknown=frozenset(self._unknown),
        )

    def walk(self, node: Any, *, aggregated: bool, counted: bool = False) -> None:
        """Note the selectors below a node, and the labels by which they are grouped.

        A selector below a sum by named labels loses all others, and whatever they are, the sum
        is the same. Of other aggregations, and of functions that count, that is not so.
        """
        match type(node).__name__:
            case "VectorSelector":
                self._selector(node, aggregated=aggregated)
                return
            case "AggregateExpr":
                modifier = node.modifier
                self._group(modifier.labels if modifier else ())
                without = modifier is not None and "without" in str(modifier.type).lower()
                # How many groups there are does not depend on how many are in each.
                distinct = counted and str(node.op) in _COUNTS
                aggregated = not without and (str(node.op) in _ADDITIVE or distinct)
                counted = str(node.op) in _COUNTS
            case "Call" if node.func.name in _OF_SERIES:
                aggregated = False
            case "BinaryExpr" if node.modifier is not None:
                matching = node.modifier.matching
                self._group(getattr(matching, "labels", ()) or ())
                self._group(node.modifier.group_labels or ())
        for child in _children(node):
            self.walk(child, aggregated=aggregated, counted=counted)

    def _selector(self, node: Any, *, aggregated: bool) -> None:
        matchers = [
            *node.matchers.matchers,
            *(each for group in node.matchers.or_matchers or () for each in group),
        ]
        spelled = {node.name} if node.name else set()
        for matcher in matchers:
            equal = str(matcher.op).endswith("Equal") and not str(matcher.op).endswith("NotEqual")
            if matcher.name == _NAME:
                spelled |= {matcher.value} if equal else set()
                continue
            values = self._words.setdefault(matcher.name, set())
            if equal and matcher.value and "variable" not in matcher.value:
                values.add(matcher.value)
        for name in spelled:
            if name in self._names.metrics:
                metric = self._names.metrics[name]
                self._metrics.add(metric)
                self._wide |= set() if aggregated else {metric}
            elif self._names.is_unknown(name):
                self._unknown.add(name)

    def _group(self, labels: Any) -> None:
        for label in labels:
            self._words.setdefault(label, set())


def _children(node: Any) -> Iterator[Any]:
    for field in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(node, field, None)
        if child is not None and not isinstance(child, str | float | int):
            yield child
    yield from getattr(node, "args", None) or ()
