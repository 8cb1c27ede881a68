"""What neighbouring releases changed, on the releases themselves: all of it is told, and no more.

``pairs.yaml`` holds what is known of each pair. ``tox -e history`` runs them all; those that are
marked there are part of the ordinary suite.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.assessment.bisecting import Log, bisect
from harness.assessment.comparing import compare
from harness.assessment.looking import at_difference
from harness.contract.versions import Version
from harness.drift.changelog import known
from harness.drift.difference import Difference, Impact
from harness.subject.binary import Binary
from tests.history.recordings import Recordings, session

PAIRS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "pairs.yaml").read_text(encoding="utf-8")
)

#: What somebody loses data by: of these, all are listed.
GRAVE = (Impact.PRIVACY, Impact.BREAKING)

#: Where recordings are kept for the next run; without it they are made anew.
FOLDER = "CC_OTEL_HISTORY"


def name(pair: dict[str, Any]) -> str:
    return f"{pair['old']}-{pair['new']}"


CASES = [
    pytest.param(
        pair, id=name(pair), marks=pytest.mark.history(in_suite=pair.get("in_suite", False))
    )
    for pair in PAIRS
]


@pytest.fixture(scope="session")
def recordings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    release: Callable[[str], Binary],
) -> Recordings:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    folder = Path(os.environ.get(FOLDER) or shared / "history")
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[dict[str, Any]] = [
        item.callspec.params["pair"]  # type: ignore[misc]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "pair" in item.fixturenames
    ]

    def wanted(version: str) -> list[str]:
        pairs = [pair for pair in chosen if version in (pair["old"], pair["new"])]
        return list(dict.fromkeys(each for pair in pairs for each in pair["sessions"]))

    return Recordings(folder, release, wanted)


def test_the_list_says_what_can_be() -> None:
    assert len({name(pair) for pair in PAIRS}) == len(PAIRS) >= 30
    assert sum("in_suite" in pair for pair in PAIRS) == 5
    for pair in PAIRS:
        old, new = Version.parse(pair["old"]), Version.parse(pair["new"])
        assert old < new, name(pair)
        assert pair["told"], name(pair)
        assert all(map(session, pair["sessions"])), name(pair)
        for listed in pair["told"]:
            assert Impact(listed["class"]), name(pair)
            told = listed["changelog"]
            if told == "not known":
                assert new > known().complete_to, name(pair)
            elif told != "silent":
                assert all(_says(each, old, new) for each in told.split()), name(pair)


def _says(release: str, old: Version, new: Version) -> bool:
    return any(
        old < each.brought_by <= new for each in known().entries if str(each.release) == release
    )


@pytest.mark.parametrize("pair", CASES)
def test_what_a_release_changed_is_told(pair: dict[str, Any], recordings: Recordings) -> None:
    old, new = (recordings.side(pair[side], pair["sessions"]) for side in ("old", "new"))
    found = compare(old, new).differences
    missed = [listed for listed in pair["told"] if not any(is_as(listed, each) for each in found)]
    assert not missed, f"not told; told was:\n{lines(found)}"
    grave = [each for each in found if each.impact in GRAVE]
    raced = pair.get("raced", ())
    known_of = [*pair["told"], *raced]
    unknown = [each for each in grave if not any(is_as(listed, each) for listed in known_of)]
    assert not unknown, f"told, and not known of:\n{lines(unknown)}"


@pytest.mark.history(in_suite=False)
@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("attribute query_source", ("2.1.114", "2.1.116")),  # its changelog is silent
        ("attribute effort", ("2.1.116", "2.1.117")),
    ],
)
def test_the_release_that_brought_it_is_found(
    subject: str, found: tuple[str, str], release: Callable[[str], Binary]
) -> None:
    versions = [f"2.1.{number}" for number in (109, 110, 114, 116, 117, 118, 119, 120, 121)]
    for version in versions:
        release(version)
    inspect = at_difference(subject, versions[0], ["identity"], print)
    ended = bisect(versions, inspect, Log(None, subject), print)
    assert (ended.good.version, ended.bad.version) == found
    assert ended.bad.evidence.startswith(f"{subject}: new")


def is_as(listed: dict[str, Any], found: Difference) -> bool:
    """Say whether a difference is the one that is listed: all that the list says of it holds."""
    return (
        f"{found.subject}: {found.change}" == listed["what"]
        and found.impact.value == listed["class"]
        and set(listed.get("of", ())) <= set(found.of)
        and fnmatchcase(found.old, listed.get("from", "*"))
        and fnmatchcase(found.new, listed.get("to", "*"))
        and told_by(found) == listed["changelog"]
    )


def told_by(found: Difference) -> str:
    """Return the releases whose changelog tells of it, ``silent``, or ``not known``."""
    assert found.changelog is not None
    if found.changelog.lines:
        return " ".join(dict.fromkeys(line.partition(":")[0] for line in found.changelog.lines))
    return "not known" if found.changelog.complete_to else "silent"


def lines(found: list[Difference] | tuple[Difference, ...]) -> str:
    return "\n".join(
        f"{each.impact} {each.subject}: {each.change} ({each.old} -> {each.new}) of"
        f" {', '.join(each.of)} [{told_by(each)}]"
        for each in found
    )
