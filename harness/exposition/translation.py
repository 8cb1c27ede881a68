"""Translate names of OpenTelemetry to those that Prometheus has for them, and find them again.

The rules are those of the specification ("Prometheus and OpenMetrics Compatibility") as the
library of Prometheus' own, github.com/prometheus/otlptranslator 1.0, carries them out: Prometheus,
the collector's ``prometheus`` exporter and its remote-write exporter all name by it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from ..otlp.model import Metric


class Strategy(StrEnum):
    """How names are translated, by the words of Prometheus' and the exporters' configuration."""

    UNDERSCORES_SUFFIXES = "UnderscoreEscapingWithSuffixes"
    UNDERSCORES = "UnderscoreEscapingWithoutSuffixes"
    """``add_metric_suffixes: false`` of the collector's exporters."""
    UTF8_SUFFIXES = "NoUTF8EscapingWithSuffixes"
    UTF8 = "NoTranslation"

    @property
    def escapes(self) -> bool:
        """Whether whatever Prometheus did not allow formerly becomes ``_``."""
        return self in (Strategy.UNDERSCORES, Strategy.UNDERSCORES_SUFFIXES)

    @property
    def suffixes(self) -> bool:
        """Whether the unit and ``_total`` are appended."""
        return self in (Strategy.UTF8_SUFFIXES, Strategy.UNDERSCORES_SUFFIXES)


_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER_UNITS = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
_INVALID = re.compile(r"[^A-Za-z0-9:]")
_INVALID_BUT_UNDERSCORE = re.compile(r"[^A-Za-z0-9:_]")


def metric_name(
    name: str,
    unit: str = "",
    kind: str = "counter",
    strategy: Strategy = Strategy.UNDERSCORES_SUFFIXES,
    namespace: str = "",
) -> str:
    """Return the name of a metric in Prometheus; ``kind`` is ``counter``, ``gauge`` or another.

    Raises :class:`ValueError` where no name is left.
    """
    if not strategy.escapes:
        return _utf8_name(name, unit, kind, strategy, namespace)
    if strategy.suffixes:
        translated = _name_of_tokens(name, unit, kind, namespace)
    elif namespace:
        translated = f"{_joined(namespace)}_{_joined(name)}"
    else:
        translated = _no_leading_digit(_joined(name))
    if not translated or (translated != name and not translated.strip("_")):
        raise ValueError(f"{name!r} has no name in Prometheus")
    return translated


def _joined(name: str) -> str:
    return "_".join(filter(None, _INVALID_BUT_UNDERSCORE.split(name)))


def _no_leading_digit(name: str) -> str:
    return f"_{name}" if name[:1] in tuple("0123456789") else name


def _name_of_tokens(name: str, unit: str, kind: str, namespace: str) -> str:
    tokens = [token for token in _INVALID.split(name) if token]
    main, per = (_clean(suffix) for suffix in unit_suffixes(unit))
    main = "" if main in tokens else main
    per = "" if per == "per_" else per.removesuffix("_")
    per = "" if per in tokens else per
    if per:
        main = main.removesuffix("_")
    tokens += [suffix for suffix in (main, per) if suffix]
    if kind == "counter":
        tokens = [token for token in tokens if token != "total"] + ["total"]
    if unit == "1" and kind == "gauge":
        tokens = [token for token in tokens if token != "ratio"] + ["ratio"]
    return _no_leading_digit("_".join([namespace, *tokens] if namespace else tokens))


def _utf8_name(name: str, unit: str, kind: str, strategy: Strategy, namespace: str) -> str:
    name = f"{namespace}_{name}" if namespace else name
    if not strategy.suffixes:
        return name
    ends = []
    if unit == "1" and kind == "gauge":
        name = _trimmed(name, "ratio")
        ends.append("_ratio")
    if kind == "counter":
        name = _trimmed(name, "total")
        ends.append("_total")
    main, per = unit_suffixes(unit)
    if per:
        name = _trimmed(name, per)
        ends.append(f"_{per}")
    if main and not name.endswith(main):
        name = f"{name}_{main}"
    return name + "".join(reversed(ends))


def _trimmed(name: str, suffix: str) -> str:
    """Remove a suffix and the one byte, whatever it is, that stands before it."""
    encoded, ending = name.encode(), suffix.encode()
    if encoded.endswith(ending) and len(encoded) > len(ending) + 1:
        return encoded[: -len(ending) - 1].decode("utf-8", "surrogateescape")
    return name


def unit_suffixes(unit: str) -> tuple[str, str]:
    """Return what a unit adds to a name: ``s`` ``seconds``, ``By/s`` ``bytes`` and ``per_second``.

    What stands in braces (``{packet}``) is no unit in Prometheus, and adds nothing.
    """
    main, slash, per = unit.partition("/")
    main, per = main.strip(), per.strip() if slash else ""
    main = "" if re.search("[{}]", main) else _UNITS.get(main, main)
    per = "" if re.search("[{}]", per) else _PER_UNITS.get(per, per)
    return main, f"per_{per}" if per else ""


def _clean(suffix: str) -> str:
    return re.sub("_+", "_", _INVALID.sub("_", suffix)).removeprefix("_")


def label_name(
    key: str,
    strategy: Strategy = Strategy.UNDERSCORES_SUFFIXES,
    *,
    key_prefix: bool = True,
    keep_underscores: bool = False,
) -> str:
    """Return the label that an attribute of points, resource or scope becomes.

    ``key_prefix`` writes ``key_`` before a label that begins with ``_``, as the exporters of the
    collector do; ``keep_underscores`` does not merge several in a row, as older releases did not.
    Raises :class:`ValueError` where no name is left.
    """
    label = key
    if strategy.escapes and key:
        reserved = len(key) >= 4 and key.startswith("__") and key.endswith("__")
        if keep_underscores:
            label = re.sub(r"[^A-Za-z0-9_]", "_", key)
        else:
            label = re.sub(r"[^A-Za-z0-9]+", "_", key[2:-2] if reserved else key)
            label = f"__{label}__" if reserved else label
        if label[:1] in tuple("0123456789"):
            label = f"key_{label}"
        elif key_prefix and label.startswith("_") and not label.startswith("__"):
            label = f"key{label}"
    if not label.strip("_"):
        raise ValueError(f"{key!r} has no label in Prometheus")
    return label


def labels_of(key: str) -> frozenset[str]:
    """Return every label that the attribute ``key`` may legitimately have become."""
    found = {key}
    for strategy in (Strategy.UNDERSCORES_SUFFIXES, Strategy.UTF8):
        for key_prefix in (True, False):
            for keep in (True, False):
                try:
                    found.add(
                        label_name(key, strategy, key_prefix=key_prefix, keep_underscores=keep)
                    )
                except ValueError:
                    continue
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a metric may have, and how it comes to it.

    ``unit`` and ``total`` say whether the suffixes are as the strategy has them: false where a
    relay lost the unit (or the type) of the metric before the name was made.
    """

    text: str
    strategy: Strategy
    namespace: str = ""
    unit: bool = True
    total: bool = True


def candidates(metric: Metric, namespaces: Iterable[str] = ("",)) -> tuple[Name, ...]:
    """Return the names under which ``metric`` may be found, the most usual first, each once.

    Those by the rules come before those that lack a suffix, so a name that is both is right.
    """
    found: dict[str, Name] = {}
    for namespace in namespaces:
        for unit, total in ((True, True), (False, True), (True, False), (False, False)):
            for name in _named(metric, namespace, unit, total):
                found.setdefault(name.text, name)
    return tuple(found.values())


def _named(metric: Metric, namespace: str, unit: bool, total: bool) -> Iterator[Name]:
    kind = "gauge" if metric.type == "gauge" else "other"
    if metric.type == "sum":
        kind = "counter" if metric.monotonic else "gauge"
    for strategy in Strategy:
        if not strategy.suffixes and not (unit and total):
            continue
        try:
            text = metric_name(
                metric.name,
                metric.unit if unit else "",
                kind if total else "other",
                strategy,
                namespace,
            )
        except ValueError:
            continue
        yield Name(text, strategy, namespace, unit, total)


def find(metric: Metric, families: Collection[str]) -> tuple[Name, ...]:
    """Return the names among ``families`` under which ``metric`` is found, the right one first.

    A name that ends like one of the candidates, after a prefix and ``_`` or ``.``, is one with a
    namespace. Several names are several copies of the metric. None is an empty tuple.
    """
    possible = candidates(metric)
    found = [name for name in possible if name.text in families]
    if found:
        return tuple(found)
    longest_first = sorted(possible, key=lambda name: -len(name.text))
    prefixed: dict[str, Name] = {}
    for family in sorted(families):
        for name in longest_first:
            before = family.removesuffix(name.text)
            if before != family and before[-1:] in ("_", ".", ":") and before[:-1]:
                prefixed[family] = replace(name, text=family, namespace=before[:-1])
                break
    return tuple(sorted(prefixed.values(), key=lambda name: (not name.unit, not name.total)))
