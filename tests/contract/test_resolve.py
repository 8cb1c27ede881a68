from __future__ import annotations

from harness.contract.resolve import resolve
from harness.contract.versions import Version

OLD, NEW = Version(2, 1, 31), Version(2, 1, 240)


def test_a_property_lives_in_its_range_only() -> None:
    schema = {
        "type": "object",
        "required": ["tool", "tool_name", "always"],
        "properties": {
            "tool": {"type": "string", "x-until": "2.1.240"},
            "tool_name": {"type": "string", "x-since": "2.1.240"},
            "always": True,
        },
    }
    assert resolve(schema, OLD) == {
        "type": "object",
        "required": ["tool", "always"],
        "properties": {"tool": {"type": "string"}, "always": True},
    }
    assert resolve(schema, NEW)["required"] == ["tool_name", "always"]


def test_a_property_begins_where_it_was_measured() -> None:
    measured = {"since": "2.1.97", "evidence": "seen on every release"}
    schema = {"properties": {"a": {"x-since": "2.1.240", "x-measured": measured}}}
    assert resolve(schema, Version(2, 1, 96)) == {}
    assert resolve(schema, Version(2, 1, 97)) == {"properties": {"a": {}}}


def test_a_variant_is_merged_in_for_its_range() -> None:
    schema = {
        "title": "a number",
        "x-versions": [
            {"until": "2.1.122", "type": "string"},
            {"since": "2.1.122", "until": "2.1.200", "type": "integer"},
        ],
        "x-requirements": [{"name": "a.b", "statement": "…"}],
    }
    assert resolve(schema, OLD) == {"title": "a number", "type": "string"}
    assert resolve(schema, Version(2, 1, 122)) == {"title": "a number", "type": "integer"}
    assert resolve(schema, NEW) == {"title": "a number"}


def test_nested_schemas_and_lists_are_resolved_too() -> None:
    schema = {"anyOf": [{"properties": {"a": {"x-since": "2.1.240"}}}, {"const": 1}]}
    assert resolve(schema, OLD) == {"anyOf": [{}, {"const": 1}]}
    assert resolve(schema, NEW) == {"anyOf": [{"properties": {"a": {}}}, {"const": 1}]}
