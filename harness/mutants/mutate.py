"""Break one promise on purpose in the captures of a conforming subject.

``schemas/`` lists the lies of each promise; this module applies them. A mutant works on the
decoded requests and encodes them again, so that the checks read it as they read any capture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..capture.capture import Capture
from ..contract.applicability import applies_to_run
from ..contract.requirement import MutantSpec, Requirement
from ..judging.checks.fields import matches, number
from ..judging.items.item import EVERY, MISSING, Item, Kind
from ..judging.items.view import export_view, named
from ..otlp.messages import Request
from ..otlp.model import Signal
from . import editing, leaks
from .editing import ItemRef
from .named import Lie, tell
from .rewriting import copy_message, instead, rewritten


def mutate(
    captures: Sequence[Capture],
    requirement: Requirement,
    lie: MutantSpec,
    themes: Mapping[str, Lie],
) -> tuple[Capture, ...]:
    """Return the captures of a subject that lies as ``lie`` says.

    It lies in one scenario only, the first in which there is something to lie about, but there
    over every protocol alike. ``themes`` are the named lies of the themes. Raises
    :class:`ValueError` if there is nothing to lie about at all: a mutant that changes nothing
    proves nothing.
    """
    relevant = [capture for capture in captures if applies_to_run(requirement, capture.run)]
    reason: ValueError | None = None
    for scenario in dict.fromkeys(capture.run.scenario for capture in relevant):
        members = [capture for capture in relevant if capture.run.scenario == scenario]
        try:
            mutated = _apply(members, relevant, requirement, lie.operation, themes)
        except ValueError as error:
            reason = error
            continue
        changed = {id(before): after for before, after in zip(members, mutated, strict=True)}
        return tuple(changed.get(id(capture), capture) for capture in captures)
    raise ValueError(f"{lie.name}: nothing to lie about: {reason}")


def _apply(
    members: Sequence[Capture],
    relevant: Sequence[Capture],
    requirement: Requirement,
    operation: Mapping[str, object],
    themes: Mapping[str, Lie],
) -> Sequence[Capture]:
    if "named" in operation:
        return tell(str(operation["named"]), members, relevant, requirement, themes)
    if "leak" in operation:
        return [leaks.leak(capture, requirement, operation["leak"]) for capture in members]
    if "hide" in operation:
        return [leaks.hide(capture, requirement) for capture in members]
    return [_mutate(capture, requirement, operation) for capture in members]


def _mutate(capture: Capture, requirement: Requirement, operation: Any) -> Capture:
    if requirement.selects.kind == "exports":
        return _edit_header(capture, requirement, operation)
    messages = [copy_message(export) for export in capture.exports]
    if requirement.selects.kind in ("resources", "scopes"):
        _edit_owners(messages, requirement, operation)
    else:
        _edit_items(messages, requirement, operation)
    exports = []
    for export, message in zip(capture.exports, messages, strict=True):
        if message is None or message == export.message:
            exports.append(export)
        elif editing.prune(message):
            exports.append(rewritten(export, message))
    return replace(capture, exports=tuple(exports))


def _edit_items(messages: list[Request | None], requirement: Requirement, operation: Any) -> None:
    """Change one of the selected items, or all of them with ``remove`` and ``…_all``.

    ``drop``, ``set``, ``set_key``, ``scale`` and ``repeat`` change one, ``swap`` two.
    """
    selected = [
        ref
        for message in messages
        if message is not None
        for ref in editing.item_refs(message)
        if _selected(ref, requirement)
    ]
    if not selected:
        raise ValueError(f"{requirement.name}: there is no {requirement.selects} to lie about")
    path = requirement.path
    if "remove" in operation:
        # From the back, so that what is still to be removed keeps its place.
        for ref in reversed(selected):
            editing.remove(ref)
    elif "repeat" in operation:
        editing.repeat(max(selected, key=lambda ref: ref.key))
    elif "set_all" in operation:
        _set_all(selected, path, operation["set_all"])
    elif "swap" in operation:
        _swap(selected, path)
    elif "scale" in operation or "scale_all" in operation:
        _scale(selected, path, operation)
    elif "set_key" in operation:
        one = max(selected, key=lambda ref: ref.key)
        added = operation["set_key"]
        editing.put(one, (*path, added["key"]), added["value"])
    elif "drop" in operation:
        having = [ref for ref in selected if ref.item.at(path) is not MISSING]
        if not having:
            raise ValueError(f"nothing carries {'.'.join(path)}")
        one = max(having, key=lambda ref: ref.key)
        editing.drop(one, path)
    else:
        having = [ref for ref in selected if ref.item.at(path) is not MISSING]
        editing.put(max(having or selected, key=lambda p: p.key), path, operation["set"])


def _set_all(selected: list[ItemRef], path: tuple[str, ...], wanted: Any) -> None:
    if isinstance(wanted, Mapping):
        changed = [ref for ref in selected if ref.item.at(path) == wanted["from"]]
        if not changed:
            raise ValueError(f"nothing has {wanted['from']!r} at {'.'.join(path)}")
        for ref in changed:
            editing.put(ref, path, wanted["to"])
    else:
        for ref in selected:
            editing.put(ref, path, wanted)


def _swap(selected: list[ItemRef], path: tuple[str, ...]) -> None:
    """Exchange the values of the first item and of the next one whose value differs."""
    having = [ref for ref in selected if ref.item.at(path) is not MISSING]
    having.sort(key=lambda ref: ref.key)
    first = having[0] if having else None
    other = next((ref for ref in having if ref.item.at(path) != having[0].item.at(path)), None)
    if first is None or other is None:
        raise ValueError(f"no two items differ at {'.'.join(path)}")
    values = first.item.at(path), other.item.at(path)
    editing.put(other, path, values[0])
    editing.put(first, path, values[1])


def _scale(selected: list[ItemRef], path: tuple[str, ...], operation: Any) -> None:
    """Multiply the largest number at ``path``, or all of them, keeping its type."""
    having = [(value, ref) for ref in selected if (value := number(ref.item.at(path)))]
    if not having:
        raise ValueError(f"no item has a number at {'.'.join(path)}")
    having.sort(key=lambda pair: (-pair[0], pair[1].key))
    for value, ref in having[: 1 if "scale" in operation else None]:
        scaled = value * operation.get("scale", operation.get("scale_all"))
        was = ref.item.at(path)
        if isinstance(was, str):
            editing.put(ref, path, f"{scaled:.0f}" if was.isdecimal() else repr(scaled))
        else:
            editing.put(ref, path, type(was)(scaled))


def _selected(ref: ItemRef, requirement: Requirement) -> bool:
    item = ref.item
    match requirement.selects.kind:
        case "metrics" | "events" | "spans" as kind:
            right = item.kind is EVERY[kind]
        case "items":
            right = item.kind is not Kind.SPAN
        case kind:
            right = item.kind == kind and named(requirement.selects, item.view)
    return right and matches(requirement, item)


def _edit_owners(messages: list[Request | None], requirement: Requirement, operation: Any) -> None:
    """Change every resource or scope alike; ``set_key`` adds to the first resource only."""
    groups = [
        group for message in messages if message is not None for group in editing.groups(message)
    ]
    if requirement.selects.kind == "scopes":
        for group in groups:
            for scope in editing.scopes(group, Signal(requirement.selects.name)):
                setattr(scope.scope, requirement.path[-1], operation["set"])
        return
    if "set_key" in operation:
        added = operation["set_key"]
        editing.put_attribute(groups[0].resource.attributes, added["key"], added["value"])
        return
    key = requirement.path[-1]
    for group in groups:
        if "drop" in operation:
            editing.drop_attribute(group.resource.attributes, key)
        else:
            editing.put_attribute(group.resource.attributes, key, operation["set"])


def _edit_header(capture: Capture, requirement: Requirement, operation: Any) -> Capture:
    """Remove or set a header of the first request that has it.

    If the header must be absent, add it to the first request that the requirement is about.
    """
    name = requirement.path[-1]
    concerned = [
        export
        for export in capture.exports
        if matches(requirement, Item("", export_view(export), kind=Kind.EXPORT))
    ]
    having = [export for export in concerned if export.header(name) is not None]
    if requirement.check == "absent":
        having = concerned
    if not having:
        raise ValueError(f"{requirement.name}: no request has a header {name}")
    headers = [pair for pair in having[0].headers if pair[0].lower() != name]
    if "set" in operation:
        headers.append((name, operation["set"]))
    return instead(capture, having[0], replace(having[0], headers=tuple(headers)))
