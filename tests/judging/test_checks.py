"""Each check at its edges; that each can fail at all is shown by the mutants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import GroundTruth
from harness.findings import Judged, NotExercised
from harness.judging.checks.truth import OCCASIONS
from harness.judging.items.describe import expected, shown
from harness.judging.judge import CHECKS, Judge
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Exporter, Findings, Require, Viewer


def prompt(**attributes: Any) -> dict[str, Any]:
    return {"body": "claude_code.user_prompt", "attributes": attributes}


def numbered(number: object, *, ms: int, session: str = "s") -> dict[str, Any]:
    event = prompt(**{"event.sequence": number, "session.id": session})
    return event | {"time_unix_nano": ms * 1_000_000}


LENGTH = ("attributes", "prompt_length")


def test_nothing_seen_is_never_a_pass(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    """Each check, on a run that left nothing."""
    params: dict[str, Any] = {
        "calls": "all",
        "canary": "prompt",
        "fact": "status",
        "factor": 2,
        "language": "known",
        "place": "*",
        "source": "config",
        "tolerance": 0.01,
        "tolerance_ms": 1,
        "tool": "Bash",
        "tools": ["Bash"],
        "values": ["1"],
        "when": "a prompt",
    }
    facts = {"as_host": "os_type", "of_its_tool": "name", "told_to_the_api": "session_id"}
    for check in sorted(CHECKS):
        fact = facts.get(check, params["fact"])
        asked = requirement(check, path=LENGTH, **{**params, "fact": fact})
        outcome = judge.judge(asked, [viewer()]).outcome
        assert isinstance(outcome, NotExercised), check
        assert outcome.reason


def test_a_field_that_no_item_has_is_not_exercised(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    view = viewer(events=[prompt(prompt="x")])
    for check in ("valid_if_present", "json_text", "constant", "subject_version", "increasing"):
        outcome = judge.judge(requirement(check, path=LENGTH), [view]).outcome
        assert outcome == NotExercised("no event user_prompt carried attributes.prompt_length")


def test_value_judges_every_item_and_keeps_int_and_string_apart(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=[prompt(prompt_length=5), prompt(prompt_length="5"), prompt()])
    outcome = judge.judge(
        requirement("valid_if_present", path=LENGTH, schema={"type": "integer"}), [view]
    ).outcome
    assert isinstance(outcome, Judged)
    assert outcome.looked_at == 2
    assert findings(outcome) == ['"5" (string)']
    (finding,) = outcome.findings
    assert finding.expected == "an integer"
    assert finding.where == (
        "working_day over http/json · logs export 1 · user_prompt · record 2"
        " · attributes.prompt_length"
    )


def test_value_honours_where(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=[prompt(kind="a", n="bad"), prompt(kind="b", n=1)])
    asked = requirement(
        "valid_if_present",
        path=("attributes", "n"),
        schema={"type": "integer"},
        where={"attributes/kind": "b"},
    )
    assert findings(judge.judge(asked, [view]).outcome) == []
    asked = requirement("present", path=("attributes", "n"), where={"attributes/kind": "c"})
    assert judge.judge(asked, [view]).outcome == NotExercised(
        'no event user_prompt with {"attributes/kind": "c"} was exported'
    )


def test_json_text_must_be_json(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=[prompt(p='{"a": 1}'), prompt(p="{"), prompt(p=7)])
    asked = requirement(
        "json_text", path=("attributes", "p"), schema={"type": "object", "required": ["a"]}
    )
    assert findings(judge.judge(asked, [view]).outcome) == ['"{" (string)', "7 (integer)"]


def test_present_and_absent_are_opposites(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=[prompt(prompt_length=5), prompt(other=1)])
    assert findings(judge.judge(requirement("present", path=LENGTH), [view]).outcome) == [
        "only other"
    ]
    assert findings(judge.judge(requirement("absent", path=LENGTH), [view]).outcome) == [
        "5 (integer)"
    ]


def test_covers_asks_for_every_value(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=[prompt(kind="a"), prompt(kind="b")])
    asked = requirement("covers", path=("attributes", "kind"), values=["a", "b", "c"])
    outcome = judge.judge(asked, [view]).outcome
    assert findings(outcome) == ["only a, b"]


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ([numbered(0, ms=1), numbered(1, ms=1), numbered(5, ms=2)], []),
        ([numbered(5, ms=2), numbered(0, ms=1)], []),  # the order of arrival does not matter
        ([numbered(0, ms=1), numbered(0, ms=2)], ["0 twice"]),
        ([numbered(0, ms=2), numbered(1, ms=1)], ["1 is earlier than 0"]),
        ([numbered(0, ms=1, session="a"), numbered(0, ms=2, session="b")], []),
    ],
    ids=["rising", "shuffled", "repeated", "against time", "two sessions"],
)
def test_increasing(
    judge: Judge,
    viewer: Viewer,
    events: list[dict[str, Any]],
    wrong: list[str],
    requirement: Require,
    findings: Findings,
) -> None:
    asked = requirement("increasing", kind="events", path=("attributes", "event.sequence"))
    assert findings(judge.judge(asked, [viewer(events=events)]).outcome) == wrong


@pytest.mark.parametrize(
    ("timestamp", "right"),
    [
        ("1970-01-01T00:00:05.000Z", True),
        ("1970-01-01T01:00:05+01:00", True),
        ("1970-01-01T00:00:06.001Z", False),
    ],
)
def test_same_instant(
    judge: Judge,
    viewer: Viewer,
    timestamp: str,
    right: bool,
    requirement: Require,
    findings: Findings,
) -> None:
    event = prompt(**{"event.timestamp": timestamp}) | {"time_unix_nano": 5_000_000_000}
    asked = requirement("same_instant", path=("attributes", "event.timestamp"), tolerance_ms=1000)
    outcome = judge.judge(asked, [viewer(events=[event])]).outcome
    assert (findings(outcome) == []) is right


def test_what_happened_must_have_left_something(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("exported", when="a prompt")
    happened = GroundTruth(prompts=("hello",))
    missing = judge.judge(asked, [viewer(truth=happened)]).outcome
    assert findings(missing) == ["no event user_prompt in 0 exports"]
    assert findings(judge.judge(asked, [viewer(truth=happened, events=[prompt()])]).outcome) == []
    assert judge.judge(asked, [viewer(events=[prompt()])]).outcome == NotExercised(
        "the run saw no prompt"
    )


def test_every_occasion_starts_at_nothing() -> None:
    assert {count(GroundTruth()) for count in OCCASIONS.values()} == {0}


def test_an_event_is_known_by_either_of_its_names(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    view = viewer(
        events=[
            {"body": "claude_code.user_prompt", "attributes": {"event.name": "other", "n": 1}},
            {"body": "something", "attributes": {"event.name": "user_prompt", "n": 2}},
        ]
    )
    outcome = judge.judge(requirement("present", path=("attributes", "n")), [view]).outcome
    assert isinstance(outcome, Judged)
    assert outcome.looked_at == 2


def test_one_protocol_does_not_make_good_for_another(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    seen = viewer(events=[prompt(prompt_length=1)], protocol=Protocol.GRPC)
    unseen = viewer(protocol=Protocol.HTTP_JSON)
    judgement = judge.judge(requirement("present", path=LENGTH), [seen, unseen])
    assert judgement.outcome == NotExercised("http/json: no event user_prompt was exported")
    assert judgement.by_protocol[Protocol.GRPC] == Judged(1)

    wrong = viewer(events=[prompt()], protocol=Protocol.GRPC)
    judgement = judge.judge(requirement("present", path=LENGTH), [wrong, unseen])
    assert findings(judgement.outcome) == ["only "]


def test_a_requirement_of_one_protocol_looks_at_that_one_only(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    view = viewer(events=[prompt(prompt_length=1)], protocol=Protocol.GRPC)
    asked = requirement("present", path=LENGTH, protocols=("http/json",))
    assert isinstance(judge.judge(asked, [view]).outcome, NotExercised)


def test_another_scenario_is_not_looked_at(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    view = viewer(events=[prompt(prompt_length=1)], scenario="holiday")
    assert judge.judge(requirement("present", path=LENGTH), [view]).outcome == NotExercised(
        "there was none of: runs of working_day"
    )


def test_the_protocols_must_say_the_same(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("same_everywhere", kind="metrics", name="")
    both = [
        viewer(points=[("a", 1.0, {"x": "1"})], protocol=Protocol.GRPC),
        viewer(points=[("a", 2.0, {"x": "2"})], protocol=Protocol.HTTP_JSON),
    ]
    assert findings(judge.judge(asked, both).outcome) == []
    differing = [both[0], viewer(points=[("a", 1.0, {"y": "1"})], protocol=Protocol.HTTP_JSON)]
    assert findings(judge.judge(asked, differing).outcome) == [
        "not over grpc",
        "not over http/json",
    ]
    assert judge.judge(asked, both[:1]).outcome == NotExercised("only one protocol was run")


def test_a_refused_export_shows_in_what_is_missing(
    judge: Judge, viewer: Viewer, exporter: Exporter, requirement: Require, findings: Findings
) -> None:
    refused = exporter(points=[("a", 1.0, {})], rejected="no such path")
    view = viewer(exports=[refused], truth=GroundTruth(prompts=("hello",)))
    outcome = judge.judge(requirement("exported", when="a prompt"), [view]).outcome
    assert findings(outcome) == [
        "no event user_prompt in 1 exports, of which 1 were refused "
        "(first: POST /v1/metrics: no such path)"
    ]


def test_judged_needs_something_looked_at() -> None:
    with pytest.raises(ValueError, match="looked at nothing"):
        Judged(0)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"title": "a UUID", "type": "string"}, "a UUID"),
        ({"const": "sum"}, '"sum" (string)'),
        ({"enum": ["a", "b"]}, 'one of "a", "b"'),
        ({"type": "integer", "minimum": 1}, "an integer, at least 1"),
        ({"type": ["string", "null"]}, "a string or a null"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "an integer or a string"),
        ({"not": {"const": 1}}, "not 1 (integer)"),
        (True, "anything"),
        ({}, "anything"),
    ],
)
def test_expectations_in_words(schema: object, words: str) -> None:
    assert expected(schema) == words


def test_values_in_words() -> None:
    assert shown("x" * 500).endswith("… (string)")
    assert shown(1.5) == "1.5 (double)"
    assert shown(True) == "true (boolean)"
    assert shown(None) == "null (empty)"
    assert shown({"a": 1}) == '{"a": 1} (object)'
