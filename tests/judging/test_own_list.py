"""A list of known deviations of one's own, beside the list that comes with us."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from harness.assessment.assessment import catalogue
from harness.contract.exercised import read_exercised
from harness.contract.versions import Version
from harness.errors import HarnessError, UsageError
from harness.judging.expectations import Expectations, load_expectations
from harness.judging.listing import PACKAGED, Listing, packaged_listing, parse_listing

LISTED_BY_US = "metrics.session_count.exported"  # until 2.1.47
OTHER = "events.user_prompt.exported"


def entry(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "requirements": list(names),
        "reason": "It is not done here, and known.",
        "evidence": "Measured in November 2026.",
        **more,
    }


def different(*names: str, **more: Any) -> dict[str, Any]:
    plain = entry(**more)
    del plain["requirements"]
    return {**plain, "differences": list(names)}


def parsed(*entries: dict[str, Any]) -> Listing:
    return parse_listing(json.dumps({"deviations": entries}), "own.json")


def loaded(
    own: Listing, version: str = "2.1.31", *, packaged: bool = True, today: date | None = None
) -> Expectations:
    names = [requirement.name for requirement in catalogue().requirements]
    release = Version.parse(version)
    return load_expectations(release, names=names, own=own, packaged=packaged, today=today)


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
        (
            '{"format": 2, "deviations": []}',
            r"own\.json at \$\.format: expected format 1, .*, saw format 2$",
        ),
        (
            json.dumps({"deviations": [entry(OTHER), entry(OTHER, since="2.1.9", until="2.1.9")]}),
            r"at \$\.deviations\[1\]: expected a range .*, saw since 2\.1\.9, until 2\.1\.9$",
        ),
        (
            json.dumps({"deviations": [entry(OTHER, expires="next year")]}),
            r"\$\.deviations\[0\]\.expires: expected a day such as .*, saw 'next year'",
        ),
        (
            json.dumps({"deviations": [entry(OTHER, expires="2027-02-29")]}),
            r"\$\.deviations\[0\]\.expires: expected a day such as .*, saw 2027-02-29 \(day is out",
        ),
        (
            json.dumps({"deviations": [{**entry(OTHER), "reason": ""}]}),
            r"\$\.deviations\[0\]\.reason: expected a sentence .* why the deviation is accepted",
        ),
        (
            json.dumps({"deviations": [{**entry(OTHER), "reason": " " * 30}]}),
            r"\$\.deviations\[0\]\.reason: expected a sentence",
        ),
        (
            json.dumps({"newest_measured": "latest", "deviations": []}),
            r"\$\.newest_measured: expected a release such as 2\.1\.332, saw 'latest'",
        ),
        (
            json.dumps({"deviations": [different("event at_mention")]}),
            r"\$\.deviations\[0\]\.differences\[0\]: expected names as cc-harness diff prints them",
        ),
        (
            json.dumps({"deviations": [different("event x: gone", silent=True)]}),
            r"own\.json at \$\.deviations\[0\]: .*'requirements' is a dependency of 'silent'",
        ),
        (
            json.dumps({"deviations": [{"reason": "x" * 20, "evidence": "x" * 20}]}),
            r"own\.json at \$\.deviations\[0\]: expected .*requirements",
        ),
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


def test_an_unknown_promise_of_a_difference_is_named_too() -> None:
    own = parsed(different(f"promise {OTHER}s: is now broken"))
    with pytest.raises(UsageError, match=f"such as {OTHER}, saw {OTHER}s"):
        loaded(own)
    assert loaded(parsed(different(f"promise {OTHER}: is now broken"))).get(OTHER) is None


@pytest.mark.parametrize(("day", "in_force"), [(30, True), (31, True), (None, True), (1, False)])
def test_an_entry_excuses_until_its_day_has_passed(day: int | None, in_force: bool) -> None:
    today = None if day is None else date(2027, 3 if day > 1 else 4, day)
    found = loaded(parsed(entry(OTHER, expires="2027-03-31")), today=today)
    assert (found.get(OTHER) is not None) is in_force
    assert (found.expired(OTHER) is None) is in_force


def test_what_has_expired_leaves_ours_alone() -> None:
    own = parsed(entry(LISTED_BY_US, expires="2027-03-31"))
    ours = loaded(own, today=date(2027, 4, 1)).get(LISTED_BY_US)
    assert ours is not None
    assert ours.listed_in == PACKAGED


def test_what_is_not_accepted_is_not_excused_by_ours_either() -> None:
    assert loaded(parsed(entry(LISTED_BY_US, accepted=False))).get(LISTED_BY_US) is None
    of_others = parsed(entry(LISTED_BY_US, accepted=False, since="2.1.40"))
    assert loaded(of_others).get(LISTED_BY_US) is not None


def test_our_list_names_the_newest_release_that_it_was_measured_on() -> None:
    newest = Version.parse(packaged_listing().newest_measured)
    # What such a release exercises was measured as well: by it, a failure is called new.
    assert newest == max(map(Version.parse, read_exercised()["cli"]["measured"]))
    assert loaded(Listing(), str(newest)).newest_measured is None
    later = loaded(Listing(), f"2.1.{newest.patch + 1}")
    assert later.newest_measured == newest
    listed = {name for name in later.known_then if later.get(name)}
    assert len(listed) == len(later) > 0
    assert loaded(Listing(), "2.1.999", packaged=False).newest_measured is None
