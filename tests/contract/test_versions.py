from __future__ import annotations

import pytest

from harness.contract.versions import Version, VersionRange


def test_versions_compare_by_number() -> None:
    assert Version.parse("2.1.9") < Version.parse("2.1.31") < Version.parse("2.10.0")
    assert Version.parse("2.1.31-beta.1") == Version(2, 1, 31)
    assert str(Version.parse(" 2.1.31 ")) == "2.1.31"


@pytest.mark.parametrize("text", ["", "2.1", "v2.1.31", "2.1.31 (Claude Code)", "2.1.x", "²·1.1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "words"),
    [
        ({}, ["0.0.1", "9.9.9"], [], "all versions"),
        ({"since": "2.1.85"}, ["2.1.85", "3.0.0"], ["2.1.84"], "from 2.1.85"),
        ({"until": "2.1.85"}, ["2.1.84"], ["2.1.85"], "before 2.1.85"),
        (
            {"since": "2.1.31", "until": "2.1.85"},
            ["2.1.31", "2.1.84"],
            ["2.1.30", "2.1.85"],
            "from 2.1.31, before 2.1.85",
        ),
    ],
)
def test_ranges_are_half_open(
    bounds: dict[str, object], inside: list[str], outside: list[str], words: str
) -> None:
    versions = VersionRange.of(bounds)
    assert all(Version.parse(each) in versions for each in inside)
    assert not any(Version.parse(each) in versions for each in outside)
    assert str(versions) == words


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="empty version range"):
        VersionRange.of({"since": "2.1.85", "until": "2.1.85"})


def test_what_was_measured_begins_earlier() -> None:
    documented = VersionRange.of({"since": "2.1.240", "until": "2.1.300"})
    assert str(documented.measured({"since": "2.1.97"})) == "from 2.1.97, before 2.1.300"
    assert documented.measured(None) == documented


@pytest.mark.parametrize("since", ["2.1.240", "2.1.241"])
def test_a_measured_edge_after_the_documented_one_is_refused(since: str) -> None:
    documented = VersionRange.of({"since": "2.1.240"})
    with pytest.raises(ValueError, match="expected an earlier one"):
        documented.measured({"since": since})


def test_a_measured_edge_of_what_always_held_is_refused() -> None:
    with pytest.raises(ValueError, match="documented all versions"):
        VersionRange().measured({"since": "2.1.97"})
