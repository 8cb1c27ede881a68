"""The published prices of models, as ``schemas/prices.json`` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from .files import read_json, schema_root


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in USD for a million tokens of each kind.

    ``estimated``: no price is published for the model; these are those of its kind of model.
    """

    input: float
    output: float
    cache_read: float
    cache_creation: float
    estimated: bool = False

    def cost(self, input_: int, output: int, cache_read: int, cache_creation: int) -> float:
        """Return the price of so many tokens, in USD."""
        millionths = (
            self.input * input_
            + self.output * output
            + self.cache_read * cache_read
            + self.cache_creation * cache_creation
        )
        return millionths / 1e6


@cache
def price_of(model: str) -> Price:
    """Return the price of a model by its id; the longest listed beginning of the id counts."""
    listed = _listed()
    beginnings = [name for name in listed if model.startswith(name)]
    return listed[max(beginnings, key=len)] if beginnings else Price(3, 15, 0.3, 3.75, True)


@cache
def _listed() -> dict[str, Price]:
    models: dict[str, Any] = read_json(schema_root() / "prices.json")["models"]
    return {name: Price(**prices) for name, prices in models.items()}
