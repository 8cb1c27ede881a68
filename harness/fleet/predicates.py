"""Compile JSON Schemas of single values into functions, as validators are too slow for streams.

Only keywords whose meaning is plain are compiled; any other schema is left to its validator, and
so are values that are not finite. A test holds the functions equal to the validators.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry

from ..contract.requirement import Requirement
from ..judging.checks.fields import parsed, schema_of

Holds = Callable[[Any], bool]

_ANNOTATIONS = frozenset({"title", "description", "$comment", "examples"})


def holds_of(requirement: Requirement, registry: Registry[Any]) -> Holds:
    """Return a function that says whether a value is as the requirement's schema asks."""
    schema = schema_of(requirement)
    validator = Draft202012Validator(
        schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    quick = None if requirement.check == "json_text" else compiled(schema, registry)
    if quick is None:
        read = parsed if requirement.check == "json_text" else _same
        return lambda value: bool(validator.is_valid(read(value)))
    plain = quick

    def holds(value: Any) -> bool:
        if type(value) is float and not math.isfinite(value):
            return bool(validator.is_valid(value))
        return plain(value)

    return holds


def _same(value: Any) -> Any:
    return value


def compiled(schema: Any, registry: Registry[Any]) -> Holds | None:
    """Return the function of a schema; None for one with a keyword that is not compiled."""
    if isinstance(schema, bool):
        answer = schema
        return lambda value: answer
    tests: list[Holds] = []
    for keyword, argument in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        test = _keyword(keyword, argument, registry)
        if test is None:
            return None
        tests.append(test)
    return _all(tests)


def _all(tests: list[Holds]) -> Holds:
    """Return whether all of these hold: by a function that makes no generator for each value."""
    if not tests:
        return lambda value: True
    *others, last = tests
    if not others:
        return last
    before = _all(others)
    return lambda value: before(value) and last(value)


def _keyword(keyword: str, argument: Any, registry: Registry[Any]) -> Holds | None:
    if keyword == "$ref":
        # A schema of ours refers by absolute URIs only.
        return compiled(registry.resolver().lookup(str(argument)).contents, registry)
    if keyword in ("anyOf", "allOf"):
        parts = [compiled(part, registry) for part in argument]
        if None in parts:
            return None
        several = [part for part in parts if part is not None]
        among = any if keyword == "anyOf" else all
        return lambda value: among(part(value) for part in several)
    if keyword == "type" and isinstance(argument, str):
        return _TYPES.get(argument)
    if keyword == "const" and isinstance(argument, str):
        return lambda value: type(value) is str and value == argument
    if keyword == "enum" and all(isinstance(member, str) for member in argument):
        members = frozenset(argument)
        return lambda value: type(value) is str and value in members
    if keyword == "pattern":
        search = re.compile(argument).search
        return lambda value: type(value) is not str or search(value) is not None
    if keyword == "minLength":
        return lambda value: type(value) is not str or len(value) >= argument
    if keyword == "multipleOf" and argument == 1:
        return lambda value: type(value) is not float or value.is_integer()
    compare = _COMPARED.get(keyword)
    if compare is None or type(argument) not in (int, float):
        return None
    return lambda value: type(value) not in (int, float) or compare(value, argument)


_TYPES: Mapping[str, Holds] = {
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in (int, float),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: bool(value >= bound),
    "maximum": lambda value, bound: bool(value <= bound),
    "exclusiveMinimum": lambda value, bound: bool(value > bound),
    "exclusiveMaximum": lambda value, bound: bool(value < bound),
}
