"""Compare two releases: find or record both sides, judge them alike, tell what differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..capture.capture import Capture
from ..contract.requirement import DRAWN
from ..contract.versions import Version
from ..drift.accepted import sort_out
from ..drift.changelog import annotated
from ..drift.compare import differences
from ..drift.comparison import Comparison
from ..drift.difference import merged
from ..drift.impact import Query, hits
from ..drift.promises import promise_changes
from ..errors import HarnessError, SubjectError, UsageError
from ..judging.listing import NO_LISTING, Listing
from ..judging.verdicts import Row
from ..record.summary import RunOutcome
from ..running.scenario import Scenario
from ..subject.binary import Binary, resolve
from .recording import Recording, RecordingPlan, record_together
from .sides import (
    DEADLINE_S,
    Side,
    kept_side,
    recorded_side,
    side_of,
    usual_scenarios,
)

#: Of many sessions only so many are named.
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """One side as it was asked for: there already (``side``), or a ``binary`` to be recorded."""

    name: str
    side: Side | None = None
    binary: Binary | None = None


def ask(name: str, progress: Callable[[str], None], option: str = "release ") -> Asked:
    """Find what ``name`` stands for; a release is installed, and not run yet.

    Raises HarnessError for what cannot be used; it says ``option`` and the name.
    """
    side = kept_side(name, progress)
    if side is not None:
        return Asked(name, side)
    try:
        return Asked(name, binary=resolve(name, progress=progress))
    except UsageError as error:
        change = error.change.replace("--cc-binary=", option)
        raise UsageError(change, seen=error.seen, expected=error.expected) from error
    except SubjectError as error:
        raise HarnessError(f"{option}{name}: {error}") from error


def make_sides(
    old: Asked, new: Asked, progress: Callable[[str], None], *, quick: bool = False
) -> tuple[Side, Side]:
    """Return both sides; what has to be recorded is, both side by side.

    What is there already says which sessions are needed; ``quick`` leaves out many.
    Raises HarnessError if a release cannot be driven through one of them.
    """
    chosen = _scenarios([each.side for each in (old, new) if each.side is not None], quick)
    plans = [
        RecordingPlan(each.binary, chosen, DEADLINE_S, None)
        for each in (old, new)
        if each.binary is not None
    ]
    made = iter(record_together(plans, progress) if plans else ())
    return _side(old, made), _side(new, made)


def _side(asked: Asked, made: Iterator[Recording]) -> Side:
    """Return the side, which is the next of those that were recorded if it was not there."""
    if asked.side is not None:
        return asked.side
    assert asked.binary is not None
    return recorded_side(asked.name, asked.binary, next(made))


def _scenarios(there: Iterable[Side], quick: bool) -> tuple[Scenario, ...]:
    chosen = usual_scenarios(quick=quick)
    for side in there:
        known = side.inventory["scenarios"].keys() | side.inventory["partial"].keys()
        if side.recording is not None:
            known |= {capture.run.scenario for capture in side.recording.captures}
        same = tuple(scenario for scenario in chosen if scenario.name in known)
        chosen = same or chosen
    return chosen


def compare(
    old: Side,
    new: Side,
    *,
    queries: Sequence[Query] = (),
    fail_on: str = "none",
    rows: Sequence[Row] | None = None,
    left_out: Sequence[str] = (),
    own: Listing = NO_LISTING,
) -> Comparison:
    """Return all that differs between two sides, the worst first.

    Both are judged by the contract of the newer one, as far as there are recordings, and by the
    sessions that both were run through. ``rows`` are the verdicts on the new side, if it was
    judged already: by its own contract, and on the promises that are to be compared. ``own`` is a
    list of differences that are accepted today.
    """
    whole = new
    old, new, notes = _aligned(old, new)
    if new is not whole:
        rows = None  # they speak of more sessions
    versions = (Version.parse(old.version), Version.parse(new.version))
    by = str(max(versions))
    promises = promise_changes(*_rows(old, new, by, rows))
    found = merged([*differences(old.inventory, new.inventory), *promises])
    found = annotated(found, old.version, new.version)
    listed = sort_out(found, own, *versions, datetime.now(UTC).date())
    concerned = hits(queries, listed.unlisted, old.inventory, new.inventory)
    return Comparison(
        old.label,
        new.label,
        by,
        listed.unlisted,
        tuple(concerned) if queries else None,
        fail_on,
        (*left_out, *notes),
        listed=listed if own.file else None,
    )


def _rows(
    old: Side, new: Side, by: str, rows: Sequence[Row] | None
) -> tuple[Sequence[Row], Sequence[Row]]:
    if old.recording is None or new.recording is None:
        return (), ()
    if rows is None:
        return old.rows(by), new.rows(by)
    wanted = {row.requirement for row in rows}
    same = by == str(Version.parse(new.version))
    return old.rows(by, wanted), rows if same else new.rows(by, wanted)


def _aligned(old: Side, new: Side) -> tuple[Side, Side, list[str]]:
    """Reduce two sides to the sessions that both were run through, and say what is left out."""
    runs = [_runs(side) for side in (old, new)]
    common = runs[0] & runs[1]
    if not common:
        return old, new, ["no session is in both: each side is taken as a whole"]
    notes = []
    aligned = []
    for side, own in ((old, runs[0]), (new, runs[1])):
        extra = own - common
        if extra and side.recording is not None:
            notes.append(f"left out, for {side.name} alone was run through it: {_named(extra)}")
            side = _reduced(side, side.recording, common)
        elif extra:
            notes.append(
                f"in the inventory {side.name} alone, so that what it alone has may be theirs: "
                f"{_named(extra)}"
            )
        aligned.append(side)
    return aligned[0], aligned[1], notes


#: A scenario and a protocol; the protocol of what is drawn is drawn, too.
_Run = tuple[str, str]


def _runs(side: Side) -> set[_Run]:
    if side.recording is not None:
        return {_run(capture) for capture in side.recording.captures}
    return {
        (scenario, protocol)
        for part in ("scenarios", "partial")
        for scenario, protocols in side.inventory[part].items()
        for protocol in protocols
    }


def _run(capture: Capture) -> _Run:
    run = capture.run
    return run.scenario, "" if DRAWN in run.traits else run.protocol.value


def _reduced(side: Side, recording: Recording, common: Collection[_Run]) -> Side:
    assert side.subject is not None
    summary = recording.summary
    pairs = [
        (run, capture)
        for run, capture in zip(summary.recorded, recording.captures, strict=True)
        if _run(capture) in common
    ]
    others = [run for run in summary.runs if run.outcome is not RunOutcome.RECORDED]
    runs = (*(run for run, _ in pairs), *others)
    captures = tuple(capture for _, capture in pairs)
    fewer = replace(recording, summary=replace(summary, runs=runs), captures=captures)
    return side_of(side.name, side.subject, fewer)


def _named(runs: Iterable[_Run]) -> str:
    names = sorted({scenario for scenario, _ in runs})
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def baseline_folder(keep: Path) -> Path:
    """Return the folder beside the subject's captures in which those of a baseline are kept."""
    return keep / "baseline"
