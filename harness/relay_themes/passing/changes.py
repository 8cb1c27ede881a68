"""Read the declared changes: a reviewed file in which an operator says what is intended.

Each ``[[change]]`` has a ``kind`` and a ``reason``; they are applied in the order of the file.
Selectors name items as they were sent, whatever earlier changes call them. Each
``[[must_not_come_out]]`` names an attribute or a kind of content. The rules stand in
``schemas/collector_changes.schema.json``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ...contract.files import read_json, schema_root
from ...errors import UsageError
from ...judging.items.describe import expected, shown
from .observed import Change, Duty

#: Names of the file that mean something else in Python.
_RENAMED = {"except": "excepted"}
_CHANGE_FIELDS = frozenset(each.name for each in fields(Change))


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything that a file declares."""

    changes: tuple[Change, ...] = ()
    duties: tuple[Duty, ...] = ()


def read(path: Path) -> Declarations:
    """Read the declarations of a file.

    Raises :class:`UsageError` that names file and entry, and what was seen and expected.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(str(path), seen=str(error), expected="a TOML file in UTF-8") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Declarations:
    """Read the declarations of a TOML document that is called ``name``.

    Raises :class:`UsageError` as :func:`read` does.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(name, seen=str(error), expected="a TOML file") from None
    for problem in _validator().iter_errors(data):
        raise _usage_error(data, problem, name)
    changes = tuple(
        _change(number, entry) for number, entry in enumerate(data.get("change", ()), start=1)
    )
    duties = tuple(
        Duty(
            number,
            entry["reason"],
            entry.get("attribute", ""),
            entry.get("content", ""),
        )
        for number, entry in enumerate(data.get("must_not_come_out", ()), start=1)
    )
    return Declarations(changes, duties)


def _change(number: int, entry: Mapping[str, Any]) -> Change:
    values = {_RENAMED.get(key, key): _frozen(value) for key, value in entry.items()}
    assert _CHANGE_FIELDS.issuperset(values)
    for key in ("ratio", "factor"):
        if key in values:
            values[key] = float(values[key])
    if "value" in values:
        values["value"] = entry["value"]
    return Change(number=number, **values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(read_json(schema_root() / "collector_changes.schema.json"))


def _usage_error(data: Mapping[str, Any], error: ValidationError, name: str) -> UsageError:
    """Convert what the schema found to an error in terms of the file.

    An entry is judged by the rules of its kind, so what is said is about these.
    """
    deepest = error
    while deepest.context:
        chosen = best_match(deepest.context)
        if chosen is None:
            break
        deepest = chosen
    path = list(deepest.absolute_path)
    where = name
    if path and isinstance(path[0], str):
        where = f"{name}: [[{path[0]}]]"
        if len(path) > 1 and isinstance(path[1], int):
            entry = data[path[0]][path[1]]
            called = entry.get("kind", "") if isinstance(entry, Mapping) else ""
            where += f" {path[1] + 1}" + (f" ({called})" if isinstance(called, str) else "")
            where = where.removesuffix(" ()")
        where += "".join(f".{step}" for step in path[2:])
    return UsageError(where, seen=_seen(deepest), expected=_expected(deepest))


def _seen(error: ValidationError) -> str:
    seen: Any = error.instance
    if error.validator in ("additionalProperties", "required", "anyOf", "oneOf") and seen:
        return f"an entry with {', '.join(sorted(map(str, seen)))}"
    return shown(seen)


def _keys(error: ValidationError) -> Any:
    return error.instance


def _expected(error: ValidationError) -> str:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    match error.validator:
        case "required":
            wanted: Any = error.validator_value
            missing = [key for key in wanted if key not in _keys(error)]
            return f"{' and '.join(missing)} as well"
        case "additionalProperties":
            return f"nothing but {', '.join(sorted(schema.get('properties', {})))}"
        case "enum" | "const" | "type" | "pattern" | "minLength":
            return expected(schema)
        case _:
            return str(schema.get("title") or error.message)
