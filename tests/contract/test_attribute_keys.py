"""The CLI's own attribute keys, as the schemas tell them."""

from __future__ import annotations

import pytest

from harness.contract import attribute_keys
from harness.contract.attribute_keys import item_keys, metric_names, own_keys, resource_keys
from harness.contract.catalogue import contract_files
from harness.contract.files import JsonObject

RESOURCE = {"service.name", "service.version", "os.type", "os.version", "host.arch"}


def test_the_resource_has_what_its_schema_requires() -> None:
    keys = resource_keys()
    assert keys.required == RESOURCE
    assert keys.common == frozenset()
    assert keys.optional == {"wsl.version"}


def test_every_item_has_the_standard_attributes_that_are_not_off_by_default() -> None:
    keys = item_keys()
    assert keys.required == {"session.id", "user.id", "terminal.type"}
    # Required by the schemas of single metrics and events.
    assert {"event.name", "model", "type", "query_source", "tool_name", "speed"} <= keys.common
    # Known, but required by none, or absent unless somebody asks for them.
    assert {"prompt", "effort", "user.email", "app.version", "prompt.id"} <= keys.optional


def test_a_key_is_in_one_class_only() -> None:
    for keys in (resource_keys(), item_keys()):
        assert len(keys.all) == len(keys.required) + len(keys.common) + len(keys.optional)


def test_no_key_of_any_schema_is_left_out() -> None:
    """Looked up by another way: by the folder of the file, not by what it selects."""
    known = {
        key
        for path, schema in contract_files()
        if path.parent.name in ("metrics", "events", "standard", "service")
        for key in schema.get("properties", {}).get("attributes", {}).get("properties", {})
    }
    assert known == own_keys()


@pytest.mark.parametrize(
    ("given", "absent"),
    [
        ({}, True),
        ({"A_VARIABLE": None}, True),
        ({"an_account": False}, True),
        ({"A_VARIABLE": "false"}, False),
        ({"an_account": True, "A_VARIABLE": None}, False),
    ],
)
def test_a_promise_of_absence_counts_where_nothing_is_set(
    monkeypatch: pytest.MonkeyPatch, given: JsonObject, absent: bool
) -> None:
    promise = {"check": "absent", "given": given}
    key = {"a.key": {"x-requirements": [promise]}}
    schemas = [
        (None, {"x-selects": {"kind": kind}, "properties": {"attributes": {"properties": key}}})
        for kind in ("metrics", "events")
    ]
    monkeypatch.setattr(attribute_keys, "contract_files", lambda: schemas)
    keys = item_keys.__wrapped__()
    assert keys.required == (frozenset() if absent else {"a.key"})
    assert keys.optional == ({"a.key"} if absent else frozenset())


def test_the_names_of_metrics_and_of_their_attributes_are_known() -> None:
    names = metric_names()
    assert {"claude_code.session.count", "session.id", "service.name", "model"} <= names
    assert "prompt" not in names, "an attribute of events only"
