"""Checks of costs against the published prices of the models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from ...capture.run import ApiCall
from ...contract.prices import Price, price_of
from ...contract.requirement import Requirement, Selector
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.item import Item
from ..items.view import CaptureView
from .accounting import total
from .calls import answered
from .fields import chosen, nothing_seen, number

_TOKENS = Selector("metric", "claude_code.token.usage")

#: Attributes of costs and tokens that tell what asked for the tokens, and of whom.
_TELLING = ("model", "query_source", "effort", "speed", "agent.name")


def cost_at_prices(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is what its answer costs at the published prices, times one factor.

    Costs are estimates: the factor may be anything within ``params.factor`` to its inverse, but
    it is the same for every answer of a model within ``params.tolerance``. Answers of models
    without a published price are held together by the factor alone.
    """
    factor, tolerance = (float(str(requirement.params[key])) for key in ("factor", "tolerance"))
    by_model: dict[str, list[tuple[Item, float, float]]] = defaultdict(list)
    for item, call in answered(view, chosen(requirement, view)):
        cost = number(item.at(requirement.path))
        if cost is not None and (wanted := _published(call)) > 0:
            by_model[call.model].append((item, cost * _unit(requirement), wanted))
    if not by_model:
        return nothing_seen(requirement, chosen(requirement, view))
    findings = []
    for model, members in by_model.items():
        usual = median(cost / wanted for _, cost, wanted in members)
        if price_of(model).estimated:
            low = high = usual
        else:
            low, high = 1 / factor, factor
        usual = min(max(usual, low), high)
        findings += [
            Finding(
                f"{wanted * usual:.6f} USD ± {tolerance:.0%}, as {model} is priced",
                f"{cost:.6f} USD",
                item.where,
            )
            for item, cost, wanted in members
            if abs(cost / wanted / usual - 1) > tolerance
        ]
    return Judged(sum(map(len, by_model.values())), tuple(findings))


def cost_in_micros(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is ``cost_usd`` in millionths of a dollar, rounded to either side."""
    pairs = [
        (item, micros, usd * 1e6)
        for item in chosen(requirement, view)
        if (micros := number(item.at(requirement.path))) is not None
        and (usd := number(item.at(("attributes", "cost_usd")))) is not None
    ]
    findings = tuple(
        Finding(f"{wanted:.2f}, rounded: cost_usd in millionths", f"{micros:g}", item.where)
        for item, micros, wanted in pairs
        if abs(micros - wanted) >= 1
    )
    if not pairs:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(len(pairs), findings)


def cost_of_its_tokens(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that each series of the cost is about what the tokens of the same attributes cost.

    About: times or divided by ``params.factor`` at most. No series has costs without tokens, or
    tokens without costs.
    """
    factor = float(str(requirement.params["factor"]))
    costs = _series(chosen(requirement, view))
    tokens = _series(view.select(_TOKENS))
    if not costs or not tokens:
        return nothing_seen(requirement, chosen(requirement, view))
    findings = []
    for series in sorted(costs.keys() | tokens.keys()):
        label = ", ".join(f"{key} {value}" for key, value in series)
        where = f"{view.run.label} · {requirement.selects} · {label}"
        if series not in costs or series not in tokens:
            has, lacks = ("tokens", "costs") if series in tokens else ("costs", "tokens")
            findings.append(
                Finding(f"{has} and {lacks} of the same attributes", f"no {lacks}", where)
            )
            continue
        price = price_of(str(dict(series).get("model")))
        kinds: dict[str, list[Item]] = defaultdict(list)
        for item in tokens[series]:
            kinds[str(item.view["attributes"].get("type"))].append(item)
        counts = (
            round(total(kinds[kind])) for kind in ("input", "output", "cacheRead", "cacheCreation")
        )
        wanted, seen = price.cost(*counts), total(costs[series])
        if not price.estimated and not wanted / factor <= seen <= wanted * factor:
            findings.append(
                Finding(f"about {wanted:.6f} USD: so much its tokens cost", f"{seen:.6f}", where)
            )
    return Judged(len(costs), tuple(findings))


def _series(items: Sequence[Item]) -> Mapping[tuple[tuple[str, str], ...], list[Item]]:
    """Return data points by the attributes that tell what asked for the tokens, and of whom."""
    series: dict[tuple[tuple[str, str], ...], list[Item]] = defaultdict(list)
    for item in items:
        attributes = item.view["attributes"]
        key = tuple((name, str(attributes[name])) for name in _TELLING if name in attributes)
        series[key].append(item)
    return series


def cost_counted_at_prices(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the counter is about what was billed, at the published prices, by model.

    About: times or divided by ``params.factor`` at most.
    """
    factor = float(str(requirement.params["factor"]))
    items = chosen(requirement, view)
    least, most = _billed(view)
    counted: dict[str, float] = defaultdict(float)
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[str(item.view["attributes"].get("model")).partition("[")[0]].append(item)
    for model, members in grouped.items():
        counted[model] = total(members)
    known = [model for model in most if not price_of(model).estimated and most[model]]
    if not items or not known:
        return NotExercised("no answer of a model with a published price was counted")
    findings = tuple(
        Finding(
            f"{least[model] / factor:.6f} to {most[model] * factor:.6f} USD: billed, as priced",
            f"{counted[model]:.6f} USD",
            f"{view.run.label} · {requirement.selects} · model {model}",
        )
        for model in known
        if not least[model] / factor <= counted[model] <= most[model] * factor
    )
    return Judged(len(known), findings)


def _billed(view: CaptureView) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return the least and the most that may be counted, in USD by model.

    Side calls, probes and answers that broke off may be counted or not: other requirements
    say of which tokens that is true.
    """
    least: dict[str, float] = defaultdict(float)
    most: dict[str, float] = defaultdict(float)
    for call in view.truth.api_calls:
        model = call.model.partition("[")[0]
        if call.status in (200, 0):
            most[model] += _published(call)
        if call.status == 200 and not call.auxiliary and not call.probe:
            least[model] += _published(call)
    return least, most


def _published(call: ApiCall) -> float:
    price: Price = price_of(call.model)
    return price.cost(
        call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cache_creation_tokens
    )


def _unit(requirement: Requirement) -> float:
    """Return how many USD one unit of the field is."""
    return 1e-6 if requirement.path[-1].endswith("_micros") else 1.0
