"""Differences that a list accepts, and entries that are proposed for one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import jsonschema
import pytest

from harness.contract.files import read_json, schema_root
from harness.drift.accepted import Listed, name_of, proposed, sort_out
from harness.drift.comparison import Comparison
from harness.drift.difference import Difference, Impact
from harness.errors import UsageError
from harness.judging.entries import EntryState
from harness.judging.listing import NO_LISTING, parse_listing
from harness.record import comparison_lines
from harness.report import accepted, drift_page

OLD, NEW, LATER = "2.1.330", "2.1.332", "2.1.333"
TODAY = date(2027, 1, 2)
GONE = Difference("event at_mention", "gone", "at_mention", "", Impact.BREAKING, "no such event")
LABEL = Difference(
    "attribute effort", "new", "", "string", Impact.BREAKING, "it splits series", ("metric a",)
)
PROMISE = Difference(
    "promise events.user_prompt.exported", "is now broken", "as promised", "0", Impact.BREAKING, "x"
)
FOUND = (GONE, LABEL, PROMISE)


def sorted_out(
    *entries: dict[str, Any], old: str = OLD, new: str = NEW
) -> tuple[list[Difference], Listed]:
    told = {"reason": "Nobody here asks for it.", "evidence": "Compared in November 2026."}
    text = json.dumps({"deviations": [{**told, **entry} for entry in entries]})
    return sort_out(FOUND, parse_listing(text, "own.json"), (old, new), TODAY)


def listed(*entries: dict[str, Any], **versions: str) -> Listed:
    return sorted_out(*entries, **versions)[1]


def states(found: Listed) -> list[EntryState]:
    return [entry.state for entry in found.entries]


def test_an_entry_accepts_the_difference_that_it_names() -> None:
    unlisted, found = sorted_out({"differences": ["event at_mention: gone"], "since": "2.1.332"})
    assert unlisted == [LABEL, PROMISE]
    assert [each.difference for each in found.accepted] == [GONE]
    assert states(found) == [EntryState.SEEN]


@pytest.mark.parametrize(
    ("more", "old", "state"),
    [
        ({"since": "2.1.333"}, OLD, EntryState.ELSEWHERE),
        ({"until": "2.1.332"}, OLD, EntryState.ELSEWHERE),
        # The older side has it already: that it differs again is another difference.
        ({"since": "2.1.332"}, NEW, EntryState.ELSEWHERE),
        ({"expires": "2027-01-01"}, OLD, EntryState.EXPIRED),
        ({"old": "another"}, OLD, EntryState.GONE),
        ({"differences": ["event at_mention: new"]}, OLD, EntryState.GONE),
    ],
)
def test_another_release_day_or_difference_is_not_accepted(
    more: dict[str, Any], old: str, state: EntryState
) -> None:
    unlisted, found = sorted_out({"differences": [name_of(GONE)], **more}, old=old)
    assert unlisted == [*FOUND]
    assert states(found) == [state]


@pytest.mark.parametrize("more", [{}, {"expires": "2027-01-02"}, {"old": "at_mention", "new": ""}])
def test_without_a_range_it_is_accepted_everywhere(more: dict[str, Any]) -> None:
    entry = {"differences": [name_of(GONE)], **more}
    assert states(listed(entry, old=NEW, new=LATER)) == [EntryState.SEEN]


def test_a_new_place_is_not_accepted() -> None:
    at = {"differences": [name_of(LABEL)]}
    assert states(listed({**at, "of": ["metric a", "metric b"]})) == [EntryState.SEEN]
    assert states(listed({**at, "of": ["metric b"]})) == [EntryState.GONE]


@pytest.mark.parametrize(
    ("more", "accepts"), [({}, True), ({"silent": True}, False), ({"accepted": False}, False)]
)
def test_an_accepted_failure_is_accepted_as_a_difference(
    more: dict[str, Any], accepts: bool
) -> None:
    entry = {"requirements": ["events.user_prompt.exported"], "since": "2.1.332", **more}
    unlisted, found = sorted_out(entry)
    assert (PROMISE not in unlisted) is accepts
    # Whether it is seen again is told by its verdict.
    assert found.entries == ()


def test_what_is_proposed_is_accepted_once_it_has_a_reason() -> None:
    entries = proposed(FOUND, (OLD, NEW), "npm:2.1.330 -> npm:2.1.332, compared on 2027-01-02")
    with pytest.raises(UsageError, match=r"\d\]\.reason: expected a sentence .*accepted"):
        parse_listing(json.dumps({"deviations": entries}), "own.json")
    read = [{**each, "reason": "It has been read by somebody."} for each in entries]
    assert sorted_out(*read)[0] == []
    assert entries[1] == {
        "differences": ["attribute effort: new"],
        "of": ["metric a"],
        "old": "",
        "new": "string",
        "since": "2.1.332",
        "reason": "",
        "evidence": "npm:2.1.330 -> npm:2.1.332, compared on 2027-01-02: breaking; "
        "nothing -> string; it splits series.",
    }


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        (OLD, NEW, {"since": "2.1.332"}),
        (NEW, OLD, {"since": "2.1.330", "until": "2.1.332"}),
        (NEW, NEW, {}),
    ],
)
def test_a_proposal_is_about_the_step_between_two_releases(
    old: str, new: str, step: dict[str, str]
) -> None:
    (entry,) = proposed([GONE], (old, new), "compared")
    assert {key: entry[key] for key in ("since", "until") if key in entry} == step
    found = listed({**entry, "reason": "It has been read by somebody."}, old=old, new=new)
    assert [each.difference for each in found.accepted] == [GONE]


def test_the_reports_tell_what_was_accepted_and_what_became_of_the_list() -> None:
    found = listed(
        {"differences": [name_of(GONE)]},
        {"differences": ["event x: gone"]},
        {"differences": [name_of(LABEL)], "expires": "2027-01-01"},
    )
    assert [line.text for line in accepted.lines(found)] == [
        "",
        "own.json: 1 difference accepted · 1 expired · 1 gone",
        "  accepted: event at_mention: gone (Nobody here asks for it.)",
        "  expired: attribute effort: new (accepted until 2027-01-01: Nobody here asks for it.)",
        "  gone: event x: gone (take it off the list: Nobody here asks for it.)",
    ]
    page = [*accepted.markdown(found)]
    assert "| `event at_mention` | gone | at_mention |  | Nobody here asks for it. |" in page
    assert any(line.startswith("* expired: `attribute effort: new` (accepted") for line in page)


def compared(*entries: dict[str, Any]) -> Comparison:
    unlisted, found = sorted_out(*entries)
    return Comparison("old", "new", NEW, tuple(unlisted), fail_on="breaking", listed=found)


def test_what_is_accepted_fails_no_comparison() -> None:
    all_of_them = [{"differences": [name_of(each)]} for each in FOUND]
    assert compared().failure == "3 differences from the baseline are breaking or worse"
    assert compared(*all_of_them[:2]).grave == (PROMISE,)
    assert compared(*all_of_them).failure == ""


def test_the_record_and_the_page_hold_what_was_accepted() -> None:
    comparison = compared({"differences": [name_of(GONE)]}, {"differences": ["event x: gone"]})
    head, *rest = json.loads(json.dumps([*comparison_lines.lines(comparison)]))
    schema = read_json(schema_root() / "record.schema.json")
    for line in (head, *rest):
        jsonschema.validate(line, schema)
    without_kind = [{name: line[name] for name in line if name != "kind"} for line in rest]
    assert comparison_lines.read([head], without_kind, [], "a record") == comparison
    html = drift_page.page(comparison)
    assert "<dt>accepted because</dt><dd>Nobody here asks for it.</dd>" in html
    assert "<li>gone: <code>event x: gone</code>" in html


def test_without_a_list_nothing_is_said_of_one() -> None:
    unlisted, found = sort_out(FOUND, NO_LISTING, (OLD, NEW), TODAY)
    assert unlisted == [*FOUND]
    assert ([*accepted.lines(found)], [*accepted.markdown(found)]) == ([], [])
