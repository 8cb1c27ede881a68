"""Add up points that have become equal but for their values."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

from ...otlp.model import DataPoint
from .facets import Keys

#: Doubles are added up in any order.
_CLOSE = 1e-9


def aggregated(points: Sequence[DataPoint]) -> list[tuple[DataPoint, list[int]]]:
    """Return one point for each set of equal ones, and which those are, by number.

    Points are equal if they are but for their value; histograms, which have none, only as a whole.
    """
    keys = Keys()
    groups: dict[Hashable, list[int]] = {}
    for number, point in enumerate(points):
        groups.setdefault(_stream(keys, point), []).append(number)
    return [(_sum([points[n] for n in members]), members) for members in groups.values()]


def as_expected(
    expected: Sequence[DataPoint], arrived: Sequence[DataPoint]
) -> tuple[list[DataPoint], set[int]]:
    """Add up what arrived; return it, and which expected points, by number, arrived as one.

    A sum that differs from the expected one by no more than the order of adding is that one.
    """
    keys = Keys()
    wanted = {_stream(keys, point): number for number, point in enumerate(expected)}
    found = []
    as_one = set()
    for point, members in aggregated(arrived):
        number = wanted.get(_stream(keys, point))
        if number is None:
            found.append(point)
            continue
        if len(members) == 1:
            as_one.add(number)
        other = expected[number]
        found.append(other if _close(other, point) else point)
    return found, as_one


def _stream(keys: Keys, point: DataPoint) -> Hashable:
    if point.value is None:
        return keys.of(point)
    return keys.of(replace(point, value=None))


def _sum(points: Sequence[DataPoint]) -> DataPoint:
    values = [point.value for point in points if point.value is not None]
    if len(points) == 1 or len(values) < len(points):
        return points[0]
    whole = all(isinstance(value, int) for value in values)
    return replace(points[0], value=sum(values) if whole else math.fsum(values))


def _close(one: DataPoint, other: DataPoint) -> bool:
    first, second = one.value, other.value
    if first is None or second is None or type(first) is not type(second):
        return False
    return math.isclose(first, second, rel_tol=_CLOSE)
