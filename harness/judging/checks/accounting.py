"""Checks of sums: counted tokens, costs and occasions against what really happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from math import isclose

from ...contract.requirement import Requirement, Selector
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.item import Item
from ..items.view import CaptureView
from .fields import chosen, nothing_seen
from .truth import OCCASIONS

#: The kinds of tokens, as the counter calls them and as the API bills them.
_KINDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cacheCreation": "cache_creation_tokens",
}

_COST = Selector("metric", "claude_code.cost.usage")

#: Sums of a few hundred doubles; a lost or doubled request is off by far more.
_RELATIVE = 1e-6


def counted(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the selected data points add up to how often ``params.when`` came about."""
    occasion = str(requirement.params["when"])
    wanted = OCCASIONS[occasion](view.truth)
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    exported_sum = total(items)
    if exported_sum == wanted:
        return Judged(len(items))
    return Judged(
        len(items),
        (
            Finding(
                f"{wanted} in all: so often there was {occasion}",
                f"{exported_sum:g} in {len(items)} data points",
                _everywhere(requirement, view),
            ),
        ),
    )


def one_each(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that there is one selected event for each time that ``params.when`` came about.

    With ``params.besides``, there may be one for each time of that occasion as well.
    """
    occasion = str(requirement.params["when"])
    wanted = OCCASIONS[occasion](view.truth)
    besides = requirement.params.get("besides")
    most = wanted + (OCCASIONS[str(besides)](view.truth) if besides else 0)
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    if wanted <= len(items) <= most:
        return Judged(len(items))
    allowed = str(wanted) if most == wanted else f"{wanted} to {most}"
    return Judged(
        len(items),
        (
            Finding(
                f"{allowed}: one for {occasion}", str(len(items)), _everywhere(requirement, view)
            ),
        ),
    )


def tokens_billed(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the counted tokens are those that the API billed, by model and kind of token.

    Tokens billed for probes, and for calls that were given up, may be counted or not; with
    ``params.calls`` = ``main``, so may those of other auxiliary calls (``all``: they must be
    counted, ``only main``: they must not). With ``params.required``, it is a finding if nothing
    was counted at all (with ``params.where``: nothing of all that was); without it, that is left
    to another requirement.

    Of an answer that broke off, the client cannot know what was billed: anything from nothing to
    the announced number of tokens may be counted.
    """
    calls = requirement.params.get("calls")
    least, most = _billed(
        view, only_main=calls in ("main", "only main"), no_others=calls == "only main"
    )
    items = chosen(requirement, view)
    required = requirement.params.get("required") and (
        "where" not in requirement.params or view.select(requirement.selects)
    )
    if not least or (not items and not required):
        return nothing_seen(requirement, items)
    counted_tokens: dict[tuple[str, str], float] = defaultdict(float)
    for (model, kind), points in _by(items, "model", "type").items():
        counted_tokens[_base(model), kind] += total(points)
    findings = tuple(
        Finding(
            f"{least[key]:g}" if least[key] == most[key] else f"{least[key]:g} to {most[key]:g}",
            f"{counted_tokens.get(key, 0):g}",
            f"{_everywhere(requirement, view)} · model {key[0]} · type {key[1]}",
        )
        for key in sorted(least)
        if not least[key] <= counted_tokens.get(key, 0) <= most[key]
    )
    strange = tuple(
        Finding(
            "nothing: the API billed none",
            f"{counted_tokens[key]:g}",
            f"{_everywhere(requirement, view)} · model {key[0]} · type {key[1]}",
        )
        for key in sorted(counted_tokens.keys() - most.keys())
        if counted_tokens[key]
    )
    return Judged(len(least), (*findings, *strange))


def event_tokens(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that each answer of the main loop has an event with its model and its tokens.

    The last part of the field's path says which kind of token is compared.
    """
    kind = requirement.path[-1]
    answers = Counter(
        (_base(call.model), getattr(call, kind))
        for call in view.truth.api_calls
        if call.status == 200 and not call.auxiliary
    )
    items = chosen(requirement, view)
    if not answers or not items:
        return NotExercised(f"no {requirement.selects} was exported")
    reported = Counter((_base(_text(item, "model")), _attribute(item, kind)) for item in items)
    findings = tuple(
        Finding(
            f"an answer of {model} with {kind} {number:g}, reported {wanted} times",
            f"{reported[model, number]} times",
            _everywhere(requirement, view),
        )
        for (model, number), wanted in sorted(answers.items())
        if reported[model, number] < wanted
    )
    return Judged(len(items), findings)


def cost_agrees(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the cost counter is the sum of the costs that the events report, by model."""
    reported: dict[str, float] = defaultdict(float)
    for item in chosen(requirement, view):
        reported[_base(_text(item, "model"))] += _cost(item, requirement)
    if not reported:
        return NotExercised(f"no {requirement.selects} was exported")
    counted: dict[str, float] = defaultdict(float)
    for (model,), points in _by(view.select(_COST), "model").items():
        counted[_base(model)] += total(points)
    findings = tuple(
        Finding(
            f"{reported.get(model, 0.0):.6f}, the sum of {requirement.path[-1]}",
            f"{counted.get(model, 0.0):.6f}",
            f"{view.run.label} · {_COST} · model {model}",
        )
        for model in sorted(reported.keys() | counted.keys())
        if not isclose(reported.get(model, 0.0), counted.get(model, 0.0), rel_tol=_RELATIVE)
    )
    return Judged(len(reported), findings)


def total(items: list[Item] | tuple[Item, ...]) -> float:
    """Add up data points: all deltas, and the last value of each cumulative stream."""
    last: dict[object, float] = {}
    deltas = 0.0
    for item in sorted(items, key=lambda item: int(item.view["time_unix_nano"])):
        value = item.view["value"] or 0
        if item.view["temporality"] == "cumulative":
            last[str(sorted(item.view["attributes"].items()))] = value
        else:
            deltas += value
    return deltas + sum(last.values())


def _billed(
    view: CaptureView, *, only_main: bool, no_others: bool = False
) -> tuple[Mapping[tuple[str, str], float], Mapping[tuple[str, str], float]]:
    """Return the least and the most tokens that may be counted, by model and kind of token."""
    least: dict[tuple[str, str], float] = defaultdict(float)
    most: dict[tuple[str, str], float] = defaultdict(float)
    for call in view.truth.api_calls:
        for kind, field in _KINDS.items():
            tokens = getattr(call, field)
            optional = call.probe or call.given_up or (only_main and call.auxiliary)
            if call.status == 200 and not optional:
                least[_base(call.model), kind] += tokens
            if call.status in (200, 0) and not (no_others and call.auxiliary):
                most[_base(call.model), kind] += tokens
    return least, most


def _cost(item: Item, requirement: Requirement) -> float:
    """Return the cost that an event reports; 0 if it is no number, which other checks find."""
    cost = _attribute(item, requirement.path[-1])
    return cost if isinstance(cost, int | float) else 0.0


def _base(model: str) -> str:
    """Return a model's name without the suffix for its context window (``[1m]``)."""
    return model.partition("[")[0]


def _by(items: list[Item] | tuple[Item, ...], *keys: str) -> dict[tuple[str, ...], list[Item]]:
    grouped: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        grouped[tuple(_text(item, key) for key in keys)].append(item)
    return grouped


def _attribute(item: Item, key: str) -> float | str:
    """Return an attribute as a number, also if it was sent as digits; 0 if it is missing.

    A text that is no number is returned as it is.
    """
    value = item.view["attributes"].get(key, 0)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value if isinstance(value, int | float) else str(value)


def _text(item: Item, key: str) -> str:
    """Return an attribute as text, whatever its type; ``0`` if it is missing."""
    return str(item.view["attributes"].get(key, 0))


def _everywhere(requirement: Requirement, view: CaptureView) -> str:
    return f"{view.run.label} · {requirement.selects}"
