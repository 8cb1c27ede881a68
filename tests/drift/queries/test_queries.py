"""Which published expressions depend on what releases changed, and which never could match."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from harness.assessment.query_files import read_queries
from harness.contract.files import read_json, schema_root
from harness.drift.compare import differences
from harness.drift.impact import Hit, hits

HERE = Path(__file__).parent
QUERIES = read_queries(HERE / "expressions.yaml")
DATA: dict[str, Any] = yaml.safe_load((HERE / "changes.yaml").read_text(encoding="utf-8"))
NEWER: dict[str, Any] = json.loads((HERE / "inventory.json").read_text(encoding="utf-8"))


def _reached(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield what the path leads to; ``*`` stands for every key that leads on."""
    if not path:
        yield value
        return
    key, *rest = path
    for each in list(value) if key == "*" else [key]:
        if each in value:
            yield from _reached(value[each], rest)


def edited(inventory: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the inventory with these operations done; each must find its place."""
    made = copy.deepcopy(inventory)
    for operation in operations:
        verb = next(each for each in ("drop", "put", "rename") if each in operation)
        *path, last = operation[verb]
        places = list(_reached(made, path))
        assert places, operation
        done = [place for place in places if verb == "put" or last in place]
        assert done, operation
        for place in done:
            if verb == "put":
                place[last] = copy.deepcopy(operation["value"])
            else:
                value = place.pop(last)
                place |= {operation["to"]: value} if verb == "rename" else {}
    return made


BOTH = edited(NEWER, DATA["both"])


def hit_by(change: dict[str, Any]) -> list[Hit]:
    old, new = (edited(BOTH, change.get(side, [])) for side in ("old", "new"))
    found = differences(old, new)
    assert found, "the change is seen"
    return hits(QUERIES, found, old, new)


def test_the_inventory_is_one() -> None:
    Draft202012Validator(read_json(schema_root() / "inventory.schema.json")).validate(NEWER)


def test_all_expressions_are_read() -> None:
    assert len(QUERIES) == len({query.name for query in QUERIES}) == 79


@pytest.mark.parametrize("change", DATA["changes"], ids=lambda change: change["name"])
def test_the_expressions_that_depend_on_a_change(change: dict[str, Any]) -> None:
    depending = [hit.query.name for hit in hit_by(change) if hit.differences]
    assert depending == change["hits"]


def test_expressions_that_never_could_match() -> None:
    found = {hit.query.name: hit.never for hit in hits(QUERIES, [], BOTH, BOTH) if hit.never}
    assert found.keys() == DATA["never"].keys()
    for name, why in DATA["never"].items():
        assert why in found[name]
