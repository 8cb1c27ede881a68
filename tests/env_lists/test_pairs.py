"""The meaning of a list of pairs, by the examples of those who specify it."""

from __future__ import annotations

import pytest

from harness.env_lists.pairs import Quirk, decode, read

#: From the CLI's documents, and from the examples of the W3C Baggage header format.
PUBLISHED = [
    (
        "department=engineering,team.id=platform,cost_center=eng-123",
        {"department": "engineering", "team.id": "platform", "cost_center": "eng-123"},
    ),
    ("org.name=Johns_Organization", {"org.name": "Johns_Organization"}),
    ("org.name=JohnsOrganization", {"org.name": "JohnsOrganization"}),
    ("org.name=John%27s%20Organization", {"org.name": "John's Organization"}),
    (
        "userId=alice,serverNode=DF%2028,isProduction=false",
        {"userId": "alice", "serverNode": "DF 28", "isProduction": "false"},
    ),
    (
        "userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false",
        {"userId": "Amélie", "serverNode": "DF 28", "isProduction": "false"},
    ),
]


@pytest.mark.parametrize(("text", "attributes"), PUBLISHED)
def test_published_examples_mean_what_their_authors_say(
    text: str, attributes: dict[str, str]
) -> None:
    reading = read(text)
    assert reading.attributes == attributes
    assert reading.quirks == frozenset()
    assert reading.well_formed


@pytest.mark.parametrize(
    "text", ["org.name=John's Organization", "user.organizationName=My Company"]
)
def test_the_documents_own_bad_examples_are_malformed(text: str) -> None:
    assert read(text).quirks == {Quirk.SPACE_IN_VALUE}
    assert not read(text).well_formed
    assert read(text).attributes == {}


def test_quotes_are_part_of_the_value() -> None:
    assert read('org.name="MyCompany"').attributes == {"org.name": '"MyCompany"'}
    assert read('org.name="MyCompany"').quirks == {Quirk.QUOTES}


@pytest.mark.parametrize("text", ["", " ", "\t "])
def test_blank_is_unset(text: str) -> None:
    assert read(text).attributes == {}
    assert read(text).quirks == frozenset()


@pytest.mark.parametrize(
    ("text", "attributes", "quirk"),
    [
        ("a=b,,c=d", {"a": "b", "c": "d"}, Quirk.EMPTY_MEMBER),
        ("a=b,", {"a": "b"}, Quirk.EMPTY_MEMBER),
        (",a=b", {"a": "b"}, Quirk.EMPTY_MEMBER),
        ("a=b,novalue,c=d", {"a": "b", "c": "d"}, Quirk.NO_EQUALS_SIGN),
        ("=b", {}, Quirk.EMPTY_KEY),
        ("a=b=c", {"a": "b=c"}, Quirk.EQUALS_IN_VALUE),
        ("a==", {"a": "="}, Quirk.EQUALS_IN_VALUE),
        (" a = b\t,c=d", {"a": "b", "c": "d"}, Quirk.SPACE_AROUND),
        ("a=x y,ok=1", {"ok": "1"}, Quirk.SPACE_IN_VALUE),
        ("a=x\ty", {}, Quirk.SPACE_IN_VALUE),
        ("a=b;p,ok=1", {"ok": "1"}, Quirk.SEMICOLON),
        ("a=b\\c", {}, Quirk.BACKSLASH),
        ("a=b\x01c", {}, Quirk.CONTROL_CHARACTER),
        ("a=é,ok=1", {"ok": "1"}, Quirk.NON_ASCII),
        ("a=%,ok=1", {"ok": "1"}, Quirk.STRAY_PERCENT),
        ("a=%zz", {}, Quirk.STRAY_PERCENT),
        ("a=%4", {}, Quirk.STRAY_PERCENT),
        ("a=%ff,ok=1", {"ok": "1"}, Quirk.INVALID_UTF8),
        ("k%20ey=v", {"k%20ey": "v"}, Quirk.PERCENT_IN_KEY),
        ("k ey=v", {}, Quirk.KEY_NOT_A_TOKEN),
        ("(k)=v", {}, Quirk.KEY_NOT_A_TOKEN),
        ("a=1,a=2", {"a": "2"}, Quirk.DUPLICATE_KEY),
        ("a=" + "x" * 256, {"a": "x" * 256}, Quirk.TOO_LONG),
    ],
)
def test_odd_input_is_told_by_its_kind(text: str, attributes: dict[str, str], quirk: Quirk) -> None:
    assert read(text).attributes == attributes
    assert read(text).quirks == {quirk}


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("a=", {"a": ""}),
        ("A=1,a=2", {"A": "1", "a": "2"}),
        ("a=+,b=%2B", {"a": "+", "b": "+"}),
        ("a=%2C%3D%3B%22%5C", {"a": ',=;"\\'}),
        ("a=%2541", {"a": "%41"}),
        ("a=%E2%82%AC", {"a": "€"}),
        ("a=true,b=1,c=[1]", {"a": "true", "b": "1", "c": "[1]"}),
        ("a=" + "x" * 255, {"a": "x" * 255}),
        ("a=" + "%20" * 255, {"a": " " * 255}),
    ],
)
def test_plain_input_is_not_odd(text: str, attributes: dict[str, str]) -> None:
    assert read(text).attributes == attributes
    assert read(text).quirks == frozenset()


def test_what_is_no_utf8_is_replaced() -> None:
    assert decode("%ffx") == ("�x", frozenset({Quirk.INVALID_UTF8}))
    assert decode("é%C3%A9") == ("éé", frozenset())
