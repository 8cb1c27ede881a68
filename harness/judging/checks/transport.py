"""Checks of requests, and of items compared across runs and protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome, RunName
from ...otlp.model import Protocol
from ..items.describe import shown
from ..items.view import CaptureView
from .fields import carrying, chosen, nothing_seen

#: The name of an item, and its attribute keys.
_Shape = tuple[str, tuple[str, ...]]


def configured_protocol(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that every request used the protocol that the run configured."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(f"{view.protocol}, as configured", shown(item.view["protocol"]), item.where)
        for item in items
        if item.view["protocol"] != view.protocol
    )
    return Judged(len(items), findings)


def same_everywhere(requirement: Requirement, views: Sequence[CaptureView]) -> Outcome:
    """Check that the selected items have the same names and attribute keys over every protocol.

    With ``params.names``, only items with these names are compared, for others come and go by
    chance.
    """
    shapes: dict[Protocol, set[_Shape]] = {}
    for view in views:
        shapes.setdefault(view.protocol, set()).update(_shapes(requirement, view))
    empty = [str(protocol) for protocol, shape in shapes.items() if not shape]
    if empty:
        return NotExercised(f"no {requirement.selects} was exported over {', '.join(empty)}")
    if len(shapes) < 2:
        return NotExercised("only one protocol was run")
    everything = set().union(*shapes.values())
    findings = tuple(
        Finding(
            f"{name} with {', '.join(keys) or 'no attribute'}, as over "
            + " and ".join(str(other) for other in shapes if (name, keys) in shapes[other]),
            f"not over {protocol}",
            f"{protocol} · {requirement.selects}",
            runs=_showing(requirement, views, (name, keys), protocol),
        )
        for protocol, shape in shapes.items()
        for name, keys in sorted(everything - shape)
    )
    return Judged(sum(len(view.select(requirement.selects)) for view in views), findings)


def distinct(requirement: Requirement, views: Sequence[CaptureView]) -> Outcome:
    """Check that no two runs have a value of the field in common."""
    values = {
        view.run.label: {shown(value) for _, value in carrying(requirement, view)} for view in views
    }
    names = {view.run.label: view.run_name for view in views}
    having = {label: shown_values for label, shown_values in values.items() if shown_values}
    if len(having) < 2:
        return NotExercised(f"fewer than two runs carried {'.'.join(requirement.path)}")
    first: dict[str, str] = {}
    findings = []
    for label, shown_values in having.items():
        for value in sorted(shown_values):
            if first.setdefault(value, label) != label:
                both = (names[first[value]], names[label])
                findings.append(Finding(f"another than in {first[value]}", value, label, runs=both))
    return Judged(len(having), tuple(findings))


def equal_in_all(requirement: Requirement, views: Sequence[CaptureView]) -> Outcome:
    """Check that the field has the same value on all selected items of all runs."""
    having = [
        (item, value, view.run_name)
        for view in views
        for item, value in carrying(requirement, view)
    ]
    protocols = {view.protocol for view in views if carrying(requirement, view)}
    if len(protocols) < 2:
        return NotExercised(f"fewer than two protocols carried {'.'.join(requirement.path)}")
    first, same, there = having[0]
    findings = tuple(
        Finding(
            f"the same as at {first.where}: {shown(same)}",
            shown(value),
            item.where,
            runs=_over_two(views, there, run),
        )
        for item, value, run in having[1:]
        if value != same
    )
    return Judged(len(having), findings)


def _showing(
    requirement: Requirement, views: Sequence[CaptureView], shape: _Shape, lacking: Protocol
) -> tuple[RunName, ...]:
    """Return the runs that show a shape to be missing over the protocol ``lacking``.

    These are the runs of the first scenario that was run over ``lacking`` and has the shape over
    another protocol; none if there is no such scenario.
    """
    there = {view.run.scenario for view in views if view.protocol is lacking}
    for view in views:
        scenario = view.run.scenario
        if scenario in there and shape in _shapes(requirement, view):
            return _runs_of(views, {scenario})
    return ()


def _over_two(views: Sequence[CaptureView], one: RunName, other: RunName) -> tuple[RunName, ...]:
    """Return the two runs; if both use one protocol, every run of their scenarios."""
    if one.protocol != other.protocol:
        return (one, other)
    return _runs_of(views, {one.scenario, other.scenario})


def _runs_of(views: Sequence[CaptureView], scenarios: Collection[str]) -> tuple[RunName, ...]:
    names = (view.run_name for view in views if view.run.scenario in scenarios)
    return tuple(dict.fromkeys(names))


def _shapes(requirement: Requirement, view: CaptureView) -> set[_Shape]:
    """Return the distinct shapes (name and attribute keys) of the selected items.

    How often a shape came does not count: the auxiliary calls of the subject differ from run to
    run, which is no difference between protocols.
    """
    names = requirement.params.get("names")
    assert names is None or isinstance(names, list)
    return {
        (_name(item.view), tuple(sorted(item.view["attributes"])))
        for item in view.select(requirement.selects)
        if names is None or _name(item.view) in names
    }


def _name(view: Mapping[str, Any]) -> str:
    return str(view["name"] if "name" in view else "/".join(view["names"]))
