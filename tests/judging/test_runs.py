"""The run as a whole: its time, its machine, its account, its prompts, its failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import Failure, GroundTruth, Host
from harness.findings import Judged, NotExercised, Outcome
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

Ask = Callable[..., Outcome]

SECOND_NS = 1_000_000_000
#: A run of two seconds.
TIMES = {"started_unix_nano": 10 * SECOND_NS, "ended_unix_nano": 12 * SECOND_NS}


def event(ns: int = 1, **attributes: Any) -> dict[str, Any]:
    return {"body": "claude_code.x", "time_unix_nano": ns, "attributes": attributes}


@pytest.fixture
def ask(judge: Judge, requirement: Require) -> Ask:
    """Judge the attribute ``n`` of events called x, unless ``params`` say otherwise."""

    def asked(check: str, view: CaptureView, **params: Any) -> Outcome:
        made = requirement(check, **{"name": "x", "path": ("attributes", "n"), **params})
        outcome: Outcome = judge.judge(made, [view]).outcome
        return outcome

    return asked


# --- times


@pytest.mark.parametrize(
    ("ns", "right"),
    [
        (11 * SECOND_NS, True),
        (9 * SECOND_NS, True),
        (9 * SECOND_NS - 1, False),
        (13 * SECOND_NS, True),
        (13 * SECOND_NS + 1, False),
        (1, False),
    ],
    ids=["in it", "first", "before", "last", "after", "1970"],
)
def test_within_the_run(ask: Ask, viewer: Viewer, findings: Findings, ns: int, right: bool) -> None:
    view = viewer(events=[event(11 * SECOND_NS), event(ns)], **TIMES)
    outcome = ask("within_the_run", view, path=("time_unix_nano",))
    assert findings(outcome) == ([] if right else [str(ns)])


def test_a_time_that_is_not_set_is_not_judged(ask: Ask, viewer: Viewer) -> None:
    outcome = ask("within_the_run", viewer(events=[event(0)], **TIMES), path=("time_unix_nano",))
    assert outcome == NotExercised("no event x carried time_unix_nano")


@pytest.mark.parametrize(
    ("took", "seen"),
    [(1999, []), (2000, []), (2001, ["2001"]), ("2000", []), ("2000.5", ["2000.5"])],
)
def test_shorter_than_the_run(
    ask: Ask, viewer: Viewer, findings: Findings, took: object, seen: list[str]
) -> None:
    view = viewer(events=[event(n=took), event(n=1), event(n="long"), event()], **TIMES)
    outcome = ask("shorter_than_the_run", view)
    assert findings(outcome) == seen
    assert isinstance(outcome, Judged)
    assert outcome.looked_at == 2


def test_a_length_that_no_event_gives(ask: Ask, viewer: Viewer) -> None:
    for wordy in (event(), event(n="long")):
        view = viewer(events=[wordy], **TIMES)
        assert isinstance(ask("shorter_than_the_run", view), NotExercised)


def active(seconds: float, kind: str = "user", temporality: str = "delta") -> Any:
    return "active", seconds, {"type": kind}, {"temporality": temporality}


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([active(2)], []),
        ([active(2.5)], ["2.5 s"]),
        ([active(1), active(1.5)], ["2.5 s"]),
        ([active(2), active(2, "cli")], []),
        ([active(2), active(1, "cli"), active(1.5, "cli")], ["2.5 s"]),
        ([active(1, temporality="cumulative"), active(2, temporality="cumulative")], []),
    ],
    ids=["all of it", "more", "more in all", "each stream", "one of two", "totals"],
)
def test_active_within_the_run(
    ask: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    view = viewer(points=points, **TIMES)
    outcome = ask("active_within_the_run", view, kind="metric", name="active")
    assert findings(outcome) == seen


# --- the machine and the account


@pytest.mark.parametrize(
    ("fact", "attributes", "seen"),
    [
        ("os_type", {"n": "linux"}, []),
        ("os_type", {"n": "darwin"}, ['"darwin" (string)']),
        ("os_type", {}, ["nothing"]),
        ("os_version", {"n": "6.1"}, []),
        ("os_version", {"n": 6.1}, ["6.1 (double)"]),
        ("arch", {"n": "amd64"}, []),
        ("wsl_version", {}, []),
        ("wsl_version", {"n": "2"}, ['"2" (string)']),
        ("wsl_version", {"n": ""}, ['"" (string)']),
    ],
)
def test_as_host(
    ask: Ask,
    viewer: Viewer,
    findings: Findings,
    fact: str,
    attributes: dict[str, object],
    seen: list[str],
) -> None:
    host = Host(os_type="linux", os_version="6.1", arch="amd64")
    view = viewer(events=[{}], resource=attributes, host=host)
    assert findings(ask("as_host", view, kind="resources", name="", fact=fact)) == seen


@pytest.mark.parametrize(
    ("attributes", "seen"), [({"n": "2"}, []), ({"n": "1"}, ['"1" (string)']), ({}, ["nothing"])]
)
def test_as_host_within_wsl(
    ask: Ask, viewer: Viewer, findings: Findings, attributes: dict[str, object], seen: list[str]
) -> None:
    view = viewer(events=[{}], resource=attributes, host=Host(wsl_version="2"))
    outcome = ask("as_host", view, kind="resources", name="", fact="wsl_version")
    assert findings(outcome) == seen


def test_what_the_machine_has_not_is_said(ask: Ask, viewer: Viewer) -> None:
    view = viewer(events=[{}], resource={"n": "2"})
    outcome = ask("as_host", view, kind="resources", name="", fact="wsl_version")
    assert isinstance(outcome, Judged)
    assert outcome.findings[0].expected == "no n here"


def test_as_signed_in(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = GroundTruth(account={"n": "me"})
    events = [event(n="me"), event(n="you"), event()]
    view = viewer(events=events, truth=truth)
    assert findings(ask("as_signed_in", view)) == ['"you" (string)', "nothing"]
    assert isinstance(ask("as_signed_in", viewer(truth=truth)), NotExercised)
    for account in ({}, {"other": "me"}):
        nobody = viewer(events=events, truth=GroundTruth(account=account))
        assert isinstance(ask("as_signed_in", nobody), NotExercised)


# --- prompts


@pytest.mark.parametrize(
    ("prompt", "lengths", "wrong"),
    [
        ("é", [1, "1"], [2, 0]),
        ("漢字", [2], [6, 4]),
        ("😀", [1, 2], [4, 3]),
        ("e\u0301", [2], [1, 3]),
        ("a\n", [2], [1]),
        ("hi", [2], ["two", None]),
    ],
)
def test_prompt_length(
    ask: Ask, viewer: Viewer, findings: Findings, prompt: str, lengths: list[Any], wrong: list[Any]
) -> None:
    def seen(length: object) -> list[str]:
        prompt_event = event() if length is None else event(n=length)
        view = viewer(events=[prompt_event], truth=GroundTruth(prompts=(prompt,)))
        found: list[str] = findings(ask("prompt_length", view))
        return found

    assert [seen(length) for length in lengths] == [[]] * len(lengths)
    assert all(seen(length) for length in wrong)


def test_prompts_are_told_in_the_order_of_their_times(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = GroundTruth(prompts=("one", "three"))
    right = viewer(events=[event(2, n="three"), event(1, n="one")], truth=truth)
    assert findings(ask("prompt_text", right)) == []
    swapped = viewer(events=[event(1, n="three"), event(2, n="one")], truth=truth)
    assert findings(ask("prompt_text", swapped)) == ['"three" (string)', '"one" (string)']
    assert findings(ask("prompt_length", swapped)) == [
        '"three" (string)',
        '"one" (string)',
    ]


@pytest.mark.parametrize(
    ("attributes", "right"),
    [({"n": "Hé 😀"}, True), ({"n": "He\u0301 😀"}, False), ({"n": "Hé 😀 "}, False), ({}, False)],
)
def test_prompt_text_is_word_for_word(
    ask: Ask, viewer: Viewer, findings: Findings, attributes: dict[str, str], right: bool
) -> None:
    made = event(1, **attributes)
    view = viewer(events=[made], truth=GroundTruth(prompts=("Hé 😀",)))
    assert (findings(ask("prompt_text", view)) == []) is right


def test_a_prompt_that_nobody_made_is_not_judged(ask: Ask, viewer: Viewer) -> None:
    for check in ("prompt_length", "prompt_text"):
        assert isinstance(ask(check, viewer(events=[event(n=1)])), NotExercised)


# --- failures

REFUSED = Failure(status=500, message="overloaded", attempts=3)
UNANSWERED = Failure(status=None, message="", attempts=0)
CUT = Failure(status=None, message="", attempts=2)


def failed(*failures: Failure) -> GroundTruth:
    return GroundTruth(failures=failures)


@pytest.mark.parametrize(
    ("fact", "failure", "value", "right"),
    [
        ("status", REFUSED, 500, True),
        ("status", REFUSED, "500", True),
        ("status", REFUSED, 529, False),
        ("status", REFUSED, None, False),
        ("no status", UNANSWERED, None, True),
        ("no status", UNANSWERED, 500, False),
        ("no status", UNANSWERED, "undefined", False),
        ("attempts", REFUSED, 3, True),
        ("attempts", REFUSED, "3", True),
        ("attempts", REFUSED, 1, False),
        ("message", REFUSED, "500 overloaded!", True),
        ("message", REFUSED, "500", False),
        ("message", REFUSED, 500, False),
        ("message", REFUSED, None, False),
    ],
)
def test_failures_told(
    ask: Ask,
    viewer: Viewer,
    findings: Findings,
    fact: str,
    failure: Failure,
    value: object,
    right: bool,
) -> None:
    failure_event = event() if value is None else event(n=value)
    view = viewer(events=[failure_event], truth=failed(failure))
    assert (findings(ask("failures_told", view, fact=fact)) == []) is right


def test_failures_are_told_in_the_order_of_their_times(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = failed(REFUSED, UNANSWERED, Failure(400, "bad", 1))
    right = viewer(events=[event(3, n=400), event(1, n=500), event(2)], truth=truth)
    assert findings(ask("failures_told", right, fact="status")) == []
    assert findings(ask("failures_told", right, fact="no status")) == []
    swapped = viewer(events=[event(1, n=400), event(3, n=500), event(2)], truth=truth)
    assert findings(ask("failures_told", swapped, fact="status")) == [
        "400 (integer)",
        "500 (integer)",
    ]


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        (None, ["9 (integer)", "9 (integer)"]),
        ([500], ["9 (integer)"]),
        ([0], ["9 (integer)"]),
        ([0, 500], ["9 (integer)", "9 (integer)"]),
        ([400], None),
    ],
)
def test_attempts_of_some_statuses(
    ask: Ask, viewer: Viewer, findings: Findings, statuses: list[int] | None, seen: list[str] | None
) -> None:
    view = viewer(
        events=[event(1, n=9), event(2, n=9), event(3, n=9)],
        truth=failed(REFUSED, CUT, UNANSWERED),
    )
    params = {} if statuses is None else {"statuses": statuses}
    outcome = ask("failures_told", view, fact="attempts", **params)
    if seen is None:
        assert outcome == NotExercised("no failure tells of attempts")
    else:
        assert findings(outcome) == seen


def test_where_nothing_listens_each_request_fails_alike(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    # A side call fails beside the prompt's own request, if the session has the time to make it.
    view = viewer(events=[event(), event(n="undefined"), event()], truth=failed(UNANSWERED))
    assert findings(ask("failures_told", view, fact="no status")) == ['"undefined" (string)']


def test_events_that_may_be_of_any_failure_tell_nothing(ask: Ask, viewer: Viewer) -> None:
    wrong = event(n=1)
    two = viewer(events=[wrong], truth=failed(REFUSED, REFUSED))
    assert ask("failures_told", two, fact="status") == NotExercised(
        "the events do not tell which failure each is about"
    )
    more = viewer(events=[wrong, wrong], truth=failed(REFUSED))
    assert isinstance(ask("failures_told", more, fact="status"), NotExercised)
    unseen = "the run saw no failed API request, or no event told of one"
    for view in (viewer(events=[wrong]), viewer(truth=failed(REFUSED))):
        assert ask("failures_told", view, fact="status") == NotExercised(unseen)
