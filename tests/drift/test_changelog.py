"""What the CLI's changelog says of a difference."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.assessment import catalogue
from harness.contract.files import read_json, schema_root
from harness.contract.versions import Version
from harness.drift.changelog import annotated, known
from harness.drift.difference import Difference, Impact, Mention

PLAIN = read_json(schema_root() / "changelog.json")


def difference(
    subject: str, change: str = "new", *of: str, old: str = "", new: str = ""
) -> Difference:
    return Difference(subject, change, old, new, Impact.ADDITIVE, "why", of)


def said(found: Difference, old: str, new: str) -> Mention:
    (made,) = annotated([found], old, new)
    assert made.changelog is not None
    return made.changelog


def releases(found: Difference, old: str = "2.1.31", new: str = "2.1.240") -> list[str]:
    return [line.partition(":")[0] for line in said(found, old, new).lines]


def test_the_file_is_as_its_schema_says_and_in_order() -> None:
    schema = read_json(schema_root() / "changelog.schema.json")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(PLAIN)
    listed = [entry.release for entry in known().entries]
    assert listed == sorted(listed, reverse=True)
    assert len({(each["release"], each["says"]) for each in PLAIN["entries"]}) == len(listed)


def test_no_pattern_names_a_promise_that_there_is_not() -> None:
    names = [f"promise {requirement.name}" for requirement in catalogue().requirements]
    patterns = {
        pattern["subject"]
        for each in PLAIN["entries"]
        for pattern in each["about"]
        if pattern["subject"].startswith("promise ")
    }
    assert patterns
    assert [each for each in sorted(patterns) if not any(fnmatchcase(n, each) for n in names)] == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (difference("attribute message.uuid", "new", "event user_prompt"), ["2.1.214"]),
        (difference("attribute message.uuid", "new", "span claude_code.tool"), []),
        (difference("attribute effort", "new", "event api_request"), ["2.1.117"]),
        (difference("attribute cost_usd", "type", "event api_request"), ["2.1.122"]),
        (difference("attribute cost_usd", "gone", "event api_request"), []),
        (difference("event at_mention"), ["2.1.122"]),
        (difference("event auth"), []),
        (difference("requests", "framing", old="chunked", new="content-length"), ["2.1.212"]),
        (difference("promise events.at_mention.exported", "is now kept"), ["2.1.161", "2.1.122"]),
        (
            difference("secret command", "comes out", new="event tool_decision tool_parameters"),
            ["2.1.157"],
        ),
        (difference("secret command", "comes out", new="event tool_result error"), []),
        (difference("metric claude_code.active_time.total"), ["2.1.139"]),
        (
            difference("inherited variables of a command", "changed", old="OTEL_LOGS_EXPORTER"),
            ["2.1.128"],
        ),
        (
            difference("inherited variables of a command", "changed", new="TRACEPARENT"),
            ["2.1.98", "2.1.97"],
        ),
        (difference("route metrics by settings", "changed"), ["2.1.217"]),
    ],
)
def test_what_it_speaks_of(found: Difference, expected: list[str]) -> None:
    assert releases(found) == expected


def test_a_line_counts_between_the_two_releases_only() -> None:
    found = difference("event at_mention")
    for old, new, expected in (
        ("2.1.121", "2.1.122", ["2.1.122"]),
        ("2.1.122", "2.1.121", ["2.1.122"]),
        ("2.1.122", "2.1.123", []),
        ("2.1.120", "2.1.121", []),
    ):
        assert releases(found, old, new) == expected


def test_silence_is_told_from_ignorance() -> None:
    found = difference("event nobody_knows")
    end = known().complete_to
    after = str(Version(end.major, end.minor, end.patch + 1))
    assert str(said(found, "2.1.31", str(end))) == "not in the changelog"
    ignorant = f"not known: the changelog is known up to {end}"
    assert str(said(found, "2.1.31", after)) == str(said(found, after, "2.1.332")) == ignorant
    # What is known of later releases is told all the same.
    assert releases(
        difference("attribute prompt_text", "new", "event user_prompt"), after, "2.1.332"
    )
    assert str(said(difference("event at_mention"), "2.1.31", after)).startswith(
        "2.1.122: New event"
    )


def test_a_line_that_stands_at_another_release_counts_where_it_was_measured() -> None:
    found = difference("attribute message.uuid", "new", "event user_prompt")
    assert releases(found, "2.1.213", "2.1.214") == []
    (line,) = said(found, "2.1.212", "2.1.213").lines
    assert line.startswith("2.1.214: ")
    assert line.endswith(" (Measured: since 2.1.213.)")
