"""A list of known deviations of one's own, beside the list that comes with us."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.assessment.assessment import catalogue
from harness.contract.versions import Version
from harness.errors import HarnessError, UsageError
from harness.judging.expectations import (
    PACKAGED,
    Expectations,
    Listing,
    load_expectations,
    parse_listing,
)

LISTED_BY_US = "metrics.session_count.exported"  # until 2.1.47
OTHER = "events.user_prompt.exported"


def entry(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "requirements": list(names),
        "reason": "It is not done here, and known.",
        "evidence": "Measured in November 2026.",
        **more,
    }


def parsed(*entries: dict[str, Any]) -> Listing:
    return parse_listing(json.dumps({"deviations": entries}), "own.json")


def loaded(own: Listing, version: str = "2.1.31", *, packaged: bool = True) -> Expectations:
    names = [requirement.name for requirement in catalogue().requirements]
    return load_expectations(Version.parse(version), names=names, own=own, packaged=packaged)


def test_it_is_laid_over_ours() -> None:
    found = loaded(parsed(entry(OTHER), entry(LISTED_BY_US, intermittent=True)))
    other, ours = found.get(OTHER), found.get(LISTED_BY_US)
    assert other is not None
    assert ours is not None
    assert (other.listed_in, other.reason) == ("own.json", "It is not done here, and known.")
    assert (ours.listed_in, ours.intermittent) == ("own.json", True)
    assert len(found) == len(loaded(Listing())) + 1


def test_an_entry_holds_for_its_releases_only() -> None:
    own = parsed(entry(OTHER, since="2.1.40", until="2.1.45"), entry(OTHER, since="2.1.45"))
    assert own.names_releases
    assert not parsed(entry(OTHER)).names_releases
    found = {version: loaded(own, version).get(OTHER) for version in ("2.1.39", "2.1.40", "2.1.45")}
    assert found["2.1.39"] is None
    assert found["2.1.40"] is not None
    assert found["2.1.45"] is not None


def test_what_it_says_of_other_releases_leaves_ours_alone() -> None:
    ours = loaded(parsed(entry(LISTED_BY_US, since="2.1.300"))).get(LISTED_BY_US)
    assert ours is not None
    assert ours.listed_in == PACKAGED


def test_ours_may_be_left_out() -> None:
    assert len(loaded(parsed(entry(OTHER)), packaged=False)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"own\.json: expected a JSON file, saw no JSON"),
        ("[]", r"own\.json at \$: expected .*, saw \[\] is not of type 'object'"),
        ('{"deviations": [{}]}', r"own\.json at \$\.deviations\[0\]: .*is a required property"),
        ('{"deviations": [], "more": 1}', r"own\.json at \$: .*'more' was unexpected"),
        (json.dumps({"deviations": [entry(OTHER, since="2")]}), r"\$\.deviations\[0\]\.since: "),
    ],
)
def test_a_list_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_listing(text, "own.json")


def test_an_unknown_requirement_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=f"own.json: expected .* such as {OTHER}, saw {OTHER}s"):
        loaded(parsed(entry(f"{OTHER}s")))


def test_two_entries_at_once_are_refused() -> None:
    with pytest.raises(HarnessError, match=f"own.json: two expectations apply to {OTHER}"):
        loaded(parsed(entry(OTHER), entry(OTHER, since="2.1.30")))
