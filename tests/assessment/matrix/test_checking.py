"""The listed deviations, held to what was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.assessment.job import CLAUDE
from harness.assessment.matrix import checking
from harness.assessment.matrix.checking import Standing, check, told
from harness.assessment.matrix.folder import Entry
from harness.contract.versions import VersionRange
from harness.findings import Level
from harness.judging.expectations import Expectation

MakeEntry = Callable[..., Entry]
NAME = "events.user_prompt.exported"
ALL = tuple(run.label for run in CLAUDE.runs())


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace our list by one entry for a range of releases, or by none."""

    def make(*bounds: str | None, intermittent: bool = False) -> None:
        entries: tuple[Expectation, ...] = ()
        if bounds:
            keys = dict(zip(("since", "until"), bounds, strict=True))
            versions = VersionRange.of({key: value for key, value in keys.items() if value})
            entries = (Expectation(NAME, versions, "why", "how", intermittent),)
        monkeypatch.setattr(checking, "packaged_list", lambda: entries)

    return make


def releases(entry: MakeEntry, *verdicts: str, made: tuple[str, ...] = ALL) -> list[Entry]:
    return [entry(f"2.1.{n}", {NAME: each}, made=made) for n, each in enumerate(verdicts, 1)]


def test_a_range_that_is_confirmed(entry: MakeEntry, listed: Callable[..., None]) -> None:
    listed("2.1.2", "2.1.4")
    (found,) = check(releases(entry, "pass", "known", "known", "pass"))
    assert (found.standing, found.broken, found.problems) == (
        Standing.CONFIRMED,
        ("2.1.2", "2.1.3"),
        (),
    )


@pytest.mark.parametrize("made", [ALL, ("working_day over grpc",)])
def test_a_release_of_the_range_keeps_it(
    entry: MakeEntry, listed: Callable[..., None], made: tuple[str, ...]
) -> None:
    listed("2.1.1", None)
    (found,) = check(releases(entry, "known", "pass", made=made))
    if made == ALL:
        assert (found.standing, found.problems) == (
            Standing.WRONG,
            ("2.1.2 keeps it: 3 were looked at",),
        )
    else:
        assert found.standing is Standing.CONFIRMED, "another session might have shown it"


def test_a_release_outside_of_the_range_breaks_it(
    entry: MakeEntry, listed: Callable[..., None]
) -> None:
    listed("2.1.1", "2.1.2")
    fine, wrong = check(releases(entry, "known", "fail"))
    assert fine.standing is Standing.CONFIRMED
    assert (wrong.standing, wrong.listed, wrong.broken) == (Standing.WRONG, None, ("2.1.2",))
    assert wrong.problems == ('2.1.2 breaks it (MUST): "1" (string) (grpc · logs export 1)',)


@pytest.mark.parametrize(
    ("level", "standing"), [(Level.MUST, Standing.WRONG), (Level.SHOULD, Standing.UNLISTED)]
)
def test_what_is_listed_nowhere(
    entry: MakeEntry, listed: Callable[..., None], level: Level, standing: Standing
) -> None:
    listed()
    (found,) = check([entry("2.1.1", {NAME: "fail"}, level=level)])
    assert found.standing is standing


def test_what_was_not_seen(entry: MakeEntry, listed: Callable[..., None]) -> None:
    listed("2.1.1", "2.1.2")
    (found,) = check(releases(entry, "not exercised", "pass"))
    assert found.standing is Standing.UNSEEN


def test_a_race_need_not_show_itself(entry: MakeEntry, listed: Callable[..., None]) -> None:
    listed("2.1.1", None, intermittent=True)
    (found,) = check(releases(entry, "pass", "known", "pass"))
    assert found.standing is Standing.CONFIRMED


def test_what_is_wrong_is_told_first(entry: MakeEntry, listed: Callable[..., None]) -> None:
    listed("2.1.2", "2.1.5")
    lines = list(told(check(releases(entry, "fail", "known", "known", "known"))))
    assert lines[0] == "wrong: 1"
    assert lines[1] == f"  {NAME}: not listed there; broken on 2.1.1"
    assert "confirmed: 1" in lines
    assert (
        f"  {NAME}: listed from 2.1.2, before 2.1.5; broken on 3 releases, 2.1.2 to 2.1.4" in lines
    )


def test_our_own_list_can_be_checked(entry: MakeEntry) -> None:
    found = check([entry("2.1.31", {NAME: "pass"})])
    assert {each.standing for each in found} == {Standing.UNSEEN}
    assert len(found) > 50
