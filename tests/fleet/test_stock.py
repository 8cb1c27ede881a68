"""An inventory of production data, and what a comparison with it may say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.assessment.comparing import compare
from harness.assessment.sides import find_side
from harness.capture.run import SubjectFacts
from harness.drift.compare import differences
from harness.drift.difference import Difference, Impact
from harness.drift.inventory import inventory_of
from harness.drift.stock import OF_EACH_ITEM
from harness.errors import UsageError
from harness.relay import golden
from tests.fleet.lines import Recorded, WriteLines, lines_of

BAD = (Impact.PRIVACY, Impact.BREAKING)

#: Gives the inventory of all recorded sessions of a release, as ``cc-harness inventory`` does.
Sessions = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def of_sessions() -> Sessions:
    @cache
    def stock(release: str) -> dict[str, Any]:
        return inventory_of(SubjectFacts(release, "", release), golden.load(release))

    return stock


def of_fleet(path: Path) -> dict[str, Any]:
    return dict(find_side(str(path), print).inventory)


def bad(found: Sequence[Difference]) -> list[str]:
    return [f"{each.subject}: {each.change}" for each in found if each.impact in BAD]


def test_it_is_that_of_the_sessions_themselves(
    capture_file: WriteLines, recorded: Recorded
) -> None:
    capture = recorded("2.1.332", "terminal_day")
    seen = of_fleet(capture_file(lines_of(capture)))
    true = inventory_of(capture.run.subject, [capture])
    for kind in ("metrics", "events", "spans"):
        assert seen[kind].keys() == true[kind].keys()
        for name, owner in true[kind].items():
            for key, fact in owner["attributes"].items():
                found = seen[kind][name]["attributes"][key]
                assert (found["types"], found["presence"]) == (fact["types"], fact["presence"])
            facts = owner.keys() - {"attributes", "presence", *OF_EACH_ITEM}
            assert {fact: seen[kind][name][fact] for fact in facts} == {
                fact: owner[fact] for fact in facts
            }
    assert seen["scopes"] == true["scopes"]


def test_values_of_persons_are_not_listed(capture_file: WriteLines, recorded: Recorded) -> None:
    lines = lines_of(recorded("2.1.332", "working_day"))
    named = b'{"key":"user.email","value":{"stringValue":"alice"}},'
    seen = of_fleet(
        capture_file([line.replace(b'"attributes":[', b'"attributes":[' + named) for line in lines])
    )
    prompt = seen["events"]["user_prompt"]["attributes"]
    assert prompt["user.email"] == {"presence": "always", "types": ["string"]}
    assert prompt["prompt"]["values"] == ["<REDACTED>"]
    assert "alice" not in str(seen)


@pytest.mark.parametrize("release", ["2.1.31", "2.1.332"])
def test_a_fleet_and_our_sessions_of_one_release_differ_by_sessions_only(
    capture_file: WriteLines, recorded: Recorded, of_sessions: Sessions, release: str
) -> None:
    """Ours open gates and sign in, and the fleet's do what ours may not: nothing is broken."""
    fleet = of_fleet(capture_file(lines_of(recorded(release, "working_day"))))
    found = differences(fleet, of_sessions(release))
    assert len(found) > 10
    assert bad(found) == []
    assert bad(differences(of_sessions(release), fleet)) == []


def test_what_the_release_changed_is_told(
    capture_file: WriteLines, recorded: Recorded, of_sessions: Sessions
) -> None:
    fleet = of_fleet(capture_file(lines_of(recorded("2.1.31", "working_day"))))
    told = bad(differences(fleet, of_sessions("2.1.332")))
    assert "attribute cost_usd: type" in told
    assert "attribute anthropic.provider: new" in told  # it splits every series


def test_two_fleets_are_compared(capture_file: WriteLines, recorded: Recorded) -> None:
    sides = [
        find_side(
            str(capture_file(lines_of(recorded(release, "working_day")), f"{release}.json")), print
        )
        for release in ("2.1.31", "2.1.332")
    ]
    assert [side.version for side in sides] == ["2.1.31", "2.1.332"]
    assert "attribute cost_usd: type" in bad(compare(*sides).differences)


def test_a_folder_is_a_side_without_what_is_cut_off(
    capture_file: WriteLines, recorded: Recorded, tmp_path: Path
) -> None:
    path = capture_file(lines_of(recorded("2.1.332", "working_day")))
    assert find_side(str(tmp_path), print).version == "2.1.332"
    whole = path.read_bytes()
    told: list[str] = []
    path.write_bytes(whole + whole[:100])  # as a rotation cuts a line
    assert find_side(str(tmp_path), told.append).version == "2.1.332"
    (cut,) = told
    assert cut.startswith(f"not read: {path} line {whole.count(10) + 1} (byte {len(whole)}): ")
    path.write_bytes(whole[:100])
    with pytest.raises(UsageError, match="no item of a release, 1 messages that cannot be read"):
        find_side(str(path), print)
    path.write_bytes(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}\n')
    with pytest.raises(UsageError, match="no item of a release"):
        find_side(str(path), print)
