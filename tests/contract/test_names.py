"""Names that a document knows, and names that are known without one."""

from __future__ import annotations

import pytest

from harness.contract.files import read_json, schema_root
from harness.contract.names import Name, is_documented, known, read_names
from harness.contract.versions import Version

NEWEST = Version(2, 1, 332)


@pytest.mark.parametrize(
    "name",
    [
        Name("event", "user_prompt"),
        Name("event", "user_prompt", "prompt_length"),
        Name("event", "user_prompt", "session.id"),
        Name("event", "auth", "auth_method"),
        Name("event", "auth", "event.sequence"),
        Name("event", "managed_settings_resolved"),
        Name("event", "user_prompt", "prompt_text"),
        Name("event", "hook_plugin_metrics", "whatever_the_plugin_counts"),
        Name("metric", "claude_code.cost.usage", "skill.name"),
        Name("span", "claude_code.tool", "user.id"),
        Name("span event", "gen_ai.request.attempt", "attempt"),
        Name("resource", "", "host.arch"),
    ],
    ids=str,
)
def test_documented(name: Name) -> None:
    assert is_documented(name)


@pytest.mark.parametrize(
    "name",
    [
        Name("event", "plugin_idle"),
        Name("event", "user_prompt", "host.name"),
        Name("event", "user_prompt", "auth_method"),
        Name("metric", "claude_code.session.count", "event.name"),
        Name("metric", "claude_code.unheard_of"),
        Name("resource", "", "host.name"),
        Name("scope", "", "session.id"),
        Name("span event", "exception"),
    ],
    ids=str,
)
def test_in_no_document(name: Name) -> None:
    assert not is_documented(name)


def test_what_was_measured_holds_from_the_release_that_sends_it() -> None:
    name = Name("event", "user_prompt", "anthropic.provider")
    entry = known(name, NEWEST)
    assert entry is not None
    assert entry.versions.since is not None
    assert known(name, Version(2, 1, 31)) is None
    assert known(Name("event", "user_prompt", "host.name"), NEWEST) is None


def test_sections_are_those_of_the_documents() -> None:
    documents = read_json(schema_root() / "documents.json")["documents"]
    data = read_names("documented_names.json")
    for entry in data["names"]:
        assert entry["section"] in documents[entry["document"]]["sections"]


def test_nothing_stands_in_both_lists() -> None:
    for entry in read_names("undocumented_names.json")["names"]:
        kind, _, of = entry["of"].partition(" ")
        if of and not entry["of"].startswith("span event"):
            for key in entry.get("attributes", ("",)):
                assert not is_documented(Name(kind, of, key)), (entry["of"], key)
