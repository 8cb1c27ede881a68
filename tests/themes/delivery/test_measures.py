"""What is measured of deliveries, and requirements that look at some of them only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.export import Export
from harness.findings import Judged, NotExercised
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.otlp.model import Protocol
from harness.themes.delivery.measures import deliveries, framing

if TYPE_CHECKING:
    from tests.conftest import Exporter, Require, Viewer

SECOND = 1_000_000_000

#: A moment after the start of the session, what came, and what it was answered with.
Sent = tuple[float, str, str]

Session = Callable[..., CaptureView]


@pytest.fixture
def session(exporter: Exporter, viewer: Viewer) -> Session:
    """A session of ten seconds in which these requests came; whatever has a name was refused,
    unless it begins with ``took``."""

    def make(*sent: Sent, **fields: Any) -> CaptureView:
        exports = [
            exporter(
                events=[{"body": body}],
                sequence=number,
                arrived_unix_nano=round(moment * SECOND),
                answered=answered,
                rejected="" if not answered or answered.startswith("took") else "scripted",
                **fields,
            )
            for number, (moment, body, answered) in enumerate(sent, start=1)
        ]
        return viewer(exports=exports, ended_unix_nano=10 * SECOND)

    return make


def measured(view: CaptureView) -> list[dict[str, Any]]:
    return [dict(item.view) for item in deliveries(view.capture)]


def test_attempts_are_counted_and_the_pauses_between_them_measured(session: Session) -> None:
    view = session((1, "a", "busy"), (1.5, "b", ""), (2, "a", "busy"), (4, "a", ""))
    first, second = measured(view)
    assert first == {
        "signal": "logs",
        "sequence": 1,
        "first": "busy",
        "items": 1,
        "attempts": 3,
        "resent": True,
        "taken": 1,
        "after_taken": 0,
        "watched_s": 9.0,
        "first_wait_s": 1.0,
        "growth": 2.0,
    }
    assert (second["first"], second["resent"], second["taken"]) == ("", False, 1)
    assert "first_wait_s" not in second
    assert "growth" not in second


def test_a_first_pause_that_a_busy_machine_prolonged_does_not_hide_that_pauses_grow(
    session: Session,
) -> None:
    late = session(
        (1, "a", "busy"), (2, "a", ""), (3, "b", "busy"), (5.5, "b", "busy"), (7.5, "b", "")
    )
    assert [each.get("growth") for each in measured(late)] == [None, 2.0]


def test_what_comes_after_it_was_taken_is_counted(session: Session) -> None:
    view = session((1, "a", "busy"), (2, "a", "took part"), (3, "a", ""), (4, "a", ""))
    assert [(each["taken"], each["after_taken"]) for each in measured(view)] == [(3, 2)]


def test_what_the_client_gave_up_was_not_taken(session: Session) -> None:
    view = session((1, "a", "took long"), given_up_unix_nano=round(2.5 * SECOND))
    assert [(each["taken"], each["given_up_s"]) for each in measured(view)] == [(0, 1.5)]


def test_what_cannot_be_read_is_no_delivery(session: Session) -> None:
    assert measured(session((1, "a", "broken"), body=b"{")) == []


def test_a_requirement_may_look_at_those_only_that_were_watched_for_long_enough(
    session: Session, judge: Judge, requirement: Require
) -> None:
    not_resent = requirement(
        "present_and_valid",
        kind="measured",
        name="deliveries",
        path=("resent",),
        schema={"const": False},
        where={"first": "bad", "watched_s": {"minimum": 2}},
    )

    def outcome(*sent: Sent) -> object:
        return judge.judge(not_resent, [session(*sent)]).outcome

    assert outcome((1, "a", "bad")) == Judged(1)
    assert isinstance(outcome((9, "a", "bad")), NotExercised)
    assert isinstance(outcome((1, "a", "")), NotExercised)
    resent = outcome((1, "a", "bad"), (2, "a", ""))
    assert isinstance(resent, Judged)
    assert [finding.where for finding in resent.findings] == [
        "working_day over http/json · logs export 1 (bad) · resent"
    ]


@pytest.mark.parametrize(
    ("headers", "declared", "chunked"),
    [
        ((("Content-Length", "12"),), 12, False),
        ((("transfer-encoding", "Chunked"),), None, True),
        ((), None, False),
    ],
    ids=["declared", "chunked", "neither"],
)
def test_framing_is_read_from_the_headers(
    exporter: Callable[..., Export],
    viewer: Callable[..., CaptureView],
    headers: tuple[tuple[str, str], ...],
    declared: int | None,
    chunked: bool,
) -> None:
    over_http = exporter(events=[{"body": "x"}], headers=headers)
    over_grpc = exporter(events=[{"body": "x"}], headers=headers, protocol=Protocol.GRPC)
    (item,) = framing(viewer(exports=[over_http, over_grpc]).capture)
    assert item.view == {"declared": declared, "chunked": chunked}
