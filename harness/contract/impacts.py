"""Tell what people lose where a promise is broken, and what to do, by ``schemas/impacts.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from jsonschema import Draft202012Validator

from ..errors import HarnessError
from ..findings import Impact
from .files import JsonObject, read_json, schema_root

#: What a promise has for which no rule speaks; a test holds that there is none.
UNKNOWN = Impact.NUMBERS


def impact_of(requirement: str) -> Impact:
    """Return the impact of a requirement, by its name: that of the first rule which matches."""
    return ruled(requirement) or UNKNOWN


def ruled(requirement: str) -> Impact | None:
    """Return the impact that a rule gives to a name; None if there is no such rule."""
    return next((impact for rule, impact in _rules() if rule.fullmatch(requirement)), None)


def advice_for(impact: Impact) -> str:
    """Return what to do about a promise with this impact, where nothing better is known."""
    return str(_impacts()[impact]["advice"])


def meaning(impact: Impact) -> str:
    """Return a sentence that says what an impact means."""
    return str(_impacts()[impact]["means"])


@cache
def _data() -> JsonObject:
    root = schema_root()
    path = root / "impacts.json"
    data = read_json(path)
    for error in Draft202012Validator(read_json(root / "impacts.schema.json")).iter_errors(data):
        raise HarnessError(f"{path}: at {error.json_path}: {error.message}")
    return data


@cache
def _impacts() -> Mapping[Impact, JsonObject]:
    told = {Impact(each["impact"]): each for each in _data()["impacts"]}
    if list(told) != list(Impact):
        raise HarnessError(f"schemas/impacts.json: expected {', '.join(Impact)}, in this order")
    return told


@cache
def _rules() -> tuple[tuple[re.Pattern[str], Impact], ...]:
    """Return the patterns, in which a star stands for anything, in the order of the file."""
    return tuple(
        (re.compile(re.escape(pattern).replace(r"\*", ".*")), Impact(rule["impact"]))
        for rule in _data()["rules"]
        for pattern in rule["requirements"]
    )
