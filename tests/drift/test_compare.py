"""Each kind of difference, and the impact that it has."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from harness.drift.compare import differences
from harness.drift.difference import Difference, Impact, merged
from harness.drift.promises import promise_changes
from harness.findings import Finding, Level, Verdict
from harness.judging.verdicts import Row

TOKENS = "claude_code.token.usage"


def fact(*types: str, presence: Any = "always", **more: Any) -> dict[str, Any]:
    return {"types": list(types or ("string",)), "presence": presence, **more}


@pytest.fixture
def old() -> dict[str, Any]:
    return {
        "format": 2,
        "subject": {"version": "2.1.31"},
        "scenarios": {"working_day": ["grpc"], "toolbox": ["grpc"]},
        "partial": {"helper_fails": ["http/json"]},
        "signals": {"metrics": ["toolbox", "working_day"], "logs": ["working_day"]},
        "metrics": {
            TOKENS: {
                "presence": {"else": "always", "never": ["toolbox"]},
                "unit": ["tokens"],
                "description": ["Tokens"],
                "type": ["sum"],
                "temporality": ["delta"],
                "monotonic": [True],
                "exemplars": [False],
                "attributes": {
                    "type": fact(values=["input", "output"]),
                    "model": fact(values=["opus"]),
                },
            }
        },
        "events": {
            "tool_result": {
                "body": ["claude_code.tool_result"],
                "attributes": {
                    "use_id": fact(),
                    "duration_ms": fact("string"),
                    "prompt": fact(values=["<REDACTED>"]),
                    "tool_parameters": fact(keys=["a", "b"]),
                },
            }
        },
        "spans": {"claude_code.tool": {"kind": ["internal"], "attributes": {}}},
        "resources": {"metrics": {"service.name": fact(values=["claude-code"])}},
        "scopes": {"metrics": ["com.anthropic.claude_code (the release)"]},
        "transport": {"grpc": {"compression": ["none"], "user_agent": ["grpc 1"]}},
        "secrets": {"closed": {"folder": ["logs tool_result attributes.x"]}},
        "gates": {"details": {"event tool_result": ["tool_parameters: b"]}},
        "facts": {
            "accounting": {"input tokens": {"as it was": ["toolbox", "working_day"]}},
            "calls": {"side calls": {"model haiku": []}},
            "inherited": {"variables of a command": {"nothing": ["working_day"]}},
            "said": {"the helper on stderr": {"not spoken of": ["helper_fails"]}},
        },
    }


def attributes(side: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = side["metrics"][TOKENS]["attributes"]
    return found


def results(side: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = side["events"]["tool_result"]["attributes"]
    return found


def put(where: Callable[[dict[str, Any]], dict[str, Any]], **entries: Any) -> Callable[..., None]:
    return lambda new: where(new).update(entries)


def drop(where: Callable[[dict[str, Any]], dict[str, Any]], key: str) -> Callable[..., None]:
    def change(new: dict[str, Any]) -> None:
        del where(new)[key]

    return change


def rename(
    where: Callable[[dict[str, Any]], dict[str, Any]], before: str, after: str
) -> Callable[..., None]:
    def change(new: dict[str, Any]) -> None:
        where(new)[after] = where(new).pop(before)

    return change


def event_attributes(**entries: Any) -> Callable[..., None]:
    return put(results, **entries)


def fact_of(topic: str, about: str, **values: list[str]) -> Callable[..., None]:
    def change(new: dict[str, Any]) -> None:
        new["facts"].setdefault(topic, {})[about] = values

    return change


CHANGES: dict[str, tuple[Callable[..., None], str, str, Impact]] = {
    "a metric is gone": (
        drop(lambda new: new["metrics"], TOKENS),
        f"metric {TOKENS}",
        "gone",
        Impact.BREAKING,
    ),
    "a metric has another name": (
        rename(lambda new: new["metrics"], TOKENS, "claude_code.tokens"),
        f"metric {TOKENS}",
        "renamed",
        Impact.BREAKING,
    ),
    "an event is new": (
        put(lambda new: new["events"], at_mention={"body": ["x"], "attributes": {}}),
        "event at_mention",
        "new",
        Impact.ADDITIVE,
    ),
    "another unit": (
        put(lambda new: new["metrics"][TOKENS], unit=["1"]),
        f"metric {TOKENS}",
        "unit",
        Impact.BREAKING,
    ),
    "another temporality": (
        put(lambda new: new["metrics"][TOKENS], temporality=["cumulative"]),
        f"metric {TOKENS}",
        "temporality",
        Impact.BREAKING,
    ),
    "another description": (
        put(lambda new: new["metrics"][TOKENS], description=["All tokens"]),
        f"metric {TOKENS}",
        "description",
        Impact.INFORMATIONAL,
    ),
    "a new attribute of a metric": (
        put(attributes, effort=fact(values=["low"])),
        "attribute effort",
        "new",
        Impact.BREAKING,
    ),
    "a new attribute of an event": (
        event_attributes(success=fact(values=["true"])),
        "attribute success",
        "new",
        Impact.ADDITIVE,
    ),
    "a new attribute that tells who it is": (
        event_attributes(**{"user.email": fact()}),
        "attribute user.email",
        "new",
        Impact.PRIVACY,
    ),
    "an attribute is gone": (
        drop(attributes, "model"),
        "attribute model",
        "gone",
        Impact.BREAKING,
    ),
    "an attribute has another name": (
        rename(results, "use_id", "tool_use_id"),
        "attribute use_id",
        "renamed",
        Impact.BREAKING,
    ),
    "another type": (
        event_attributes(duration_ms=fact("int")),
        "attribute duration_ms",
        "type",
        Impact.BREAKING,
    ),
    "a value more": (
        put(attributes, type=fact(values=["cacheRead", "input", "output"])),
        "attribute type",
        "values",
        Impact.ADDITIVE,
    ),
    "a value is gone": (
        put(attributes, type=fact(values=["in", "output"])),
        "attribute type",
        "values",
        Impact.BREAKING,
    ),
    "a word has become texts that vary": (
        put(attributes, model=fact()),
        "attribute model",
        "values",
        Impact.BREAKING,
    ),
    "texts that varied are hidden": (
        event_attributes(use_id=fact(values=["<REDACTED>"])),
        "attribute use_id",
        "values",
        Impact.BREAKING,
    ),
    "texts that varied are words": (
        event_attributes(use_id=fact(values=["one"])),
        "attribute use_id",
        "values",
        Impact.BEHAVIOURAL,
    ),
    "a placeholder is gone": (
        event_attributes(prompt=fact()),
        "attribute prompt",
        "placeholder",
        Impact.PRIVACY,
    ),
    "a key of a JSON text is gone": (
        event_attributes(tool_parameters=fact(keys=["a", "c"])),
        "attribute tool_parameters",
        "keys",
        Impact.BREAKING,
    ),
    "one key more": (
        event_attributes(tool_parameters=fact(keys=["a", "b", "c"])),
        "attribute tool_parameters",
        "keys",
        Impact.ADDITIVE,
    ),
    "it is there less often": (
        event_attributes(use_id=fact(presence={"else": "always", "never": ["toolbox"]})),
        "attribute use_id",
        "presence",
        Impact.BREAKING,
    ),
    "a resource tells more": (
        put(lambda new: new["resources"]["metrics"], **{"host.name": fact()}),
        "attribute host.name",
        "new",
        Impact.PRIVACY,
    ),
    "a signal is not sent": (
        put(lambda new: new["signals"], logs=[]),
        "signal logs",
        "not sent",
        Impact.BREAKING,
    ),
    "a signal is new": (
        put(lambda new: new["signals"], traces=["toolbox"]),
        "signal traces",
        "sent",
        Impact.BEHAVIOURAL,
    ),
    "another scope": (
        put(lambda new: new["scopes"], metrics=["other"]),
        "scope of metrics",
        "changed",
        Impact.INFORMATIONAL,
    ),
    "requests are compressed": (
        put(lambda new: new["transport"]["grpc"], compression=["gzip"]),
        "requests",
        "compression",
        Impact.BEHAVIOURAL,
    ),
    "another user agent": (
        put(lambda new: new["transport"]["grpc"], user_agent=["grpc 2"]),
        "requests",
        "user agent",
        Impact.INFORMATIONAL,
    ),
    "a secret comes out elsewhere": (
        put(
            lambda new: new["secrets"]["closed"],
            folder=["logs tool_result attributes.x", "logs tool_result attributes.y"],
        ),
        "secret folder",
        "comes out",
        Impact.PRIVACY,
    ),
    "another secret comes out": (
        put(lambda new: new["secrets"]["closed"], api_key=["logs api_error attributes.error"]),
        "secret api key",
        "comes out",
        Impact.PRIVACY,
    ),
    "a metric is counted in less sessions": (
        put(lambda new: new["metrics"][TOKENS], presence="never"),
        f"metric {TOKENS}",
        "presence",
        Impact.BREAKING,
    ),
    "a metric is counted in more sessions": (
        put(lambda new: new["metrics"][TOKENS], presence="always"),
        f"metric {TOKENS}",
        "presence",
        Impact.ADDITIVE,
    ),
    "points have exemplars": (
        put(lambda new: new["metrics"][TOKENS], exemplars=[True]),
        f"metric {TOKENS}",
        "exemplars",
        Impact.INFORMATIONAL,
    ),
    "an attribute has come behind a gate": (
        put(
            lambda new: new["gates"]["details"],
            **{"event tool_result": ["tool_parameters: b", "use_id"]},
        ),
        "attribute use_id",
        "is gated",
        Impact.BREAKING,
    ),
    "a key has come from behind a gate": (
        put(lambda new: new["gates"]["details"], **{"event tool_result": []}),
        "attribute tool_parameters",
        "is not gated",
        Impact.PRIVACY,
    ),
    "more is counted than there was": (
        fact_of(
            "accounting", "input tokens", **{"as it was": ["working_day"], "more": ["toolbox"]}
        ),
        "accounting input tokens",
        "changed",
        Impact.BREAKING,
    ),
    "another model is asked beside the session": (
        fact_of("calls", "side calls", **{"model opus": []}),
        "calls side calls",
        "changed",
        Impact.BEHAVIOURAL,
    ),
    "sessions end in another way": (
        fact_of("ending", "session", **{"exit code 1": ["working_day"]}),
        "ending session",
        "changed",
        Impact.BEHAVIOURAL,
    ),
    "a command inherits more": (
        fact_of("inherited", "variables of a command", OTEL_EXPORTER_OTLP_HEADERS=["working_day"]),
        "inherited variables of a command",
        "changed",
        Impact.PRIVACY,
    ),
    "a refused request is sent again": (
        fact_of("delivery", "logs answered busy", **{"sent again": ["helper_fails"]}),
        "delivery logs answered busy",
        "changed",
        Impact.BEHAVIOURAL,
    ),
    "a signal leaves less often": (
        fact_of("interval", "logs", later=["working_day"]),
        "interval logs",
        "changed",
        Impact.BEHAVIOURAL,
    ),
    "odd input is lost": (
        fact_of("input", "a semicolon", **{"none of the sound pairs": ["working_day"]}),
        "input a semicolon",
        "changed",
        Impact.BREAKING,
    ),
    "a signal goes elsewhere": (
        fact_of("route", "logs", **{"to managed": ["working_day"]}),
        "route logs",
        "changed",
        Impact.BREAKING,
    ),
    "a session says more": (
        fact_of("said", "the helper on stderr", **{"spoken of": ["helper_fails"]}),
        "said the helper on stderr",
        "changed",
        Impact.BEHAVIOURAL,
    ),
    "a secret is hidden": (
        put(lambda new: new["secrets"]["closed"], folder=[]),
        "secret folder",
        "no longer comes out",
        Impact.BEHAVIOURAL,
    ),
}


def test_nothing_differs(old: dict[str, Any]) -> None:
    assert differences(old, copy.deepcopy(old)) == []


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_is_one_difference(old: dict[str, Any], name: str) -> None:
    change, subject, word, impact = CHANGES[name]
    new = copy.deepcopy(old)
    change(new)
    (found,) = differences(old, new)
    assert (found.subject, found.change, found.impact) == (subject, word, impact)
    assert found.reason
    assert found.old != found.new


def test_what_only_one_side_was_asked_is_not_compared(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    new["scenarios"]["mentions"] = ["grpc"]
    new["signals"]["logs"] = ["mentions", "working_day"]
    results(new)["use_id"] = fact(presence={"else": "always", "never": ["mentions"]})
    assert differences(old, new) == []


def test_less_that_is_inherited_is_no_matter_of_privacy(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    values = old["facts"]["inherited"]["variables of a command"]
    values["OTEL_RESOURCE_ATTRIBUTES"] = ["working_day"]
    (found,) = differences(old, new)
    assert (found.impact, found.old, found.new) == (
        Impact.BEHAVIOURAL,
        "OTEL_RESOURCE_ATTRIBUTES; nothing",
        "nothing",
    )
    del values["nothing"]
    (found,) = differences(old, new)
    assert (found.impact, found.old, found.new) == (
        Impact.BEHAVIOURAL,
        "OTEL_RESOURCE_ATTRIBUTES",
        "nothing",
    )


def test_facts_of_what_only_one_side_was_asked_are_not_compared(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    new["facts"]["ending"] = {"session": {"exit code 1": ["api_failures"]}}
    assert differences(old, new) == []


def test_where_it_counts_differently_is_told(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    new["facts"]["accounting"]["input tokens"] = {"as it was": ["working_day"], "more": ["toolbox"]}
    (found,) = differences(old, new)
    assert (found.old, found.new) == ("as it was in toolbox", "more in toolbox")


def test_attributes_are_compared_where_both_send_their_owner(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    presence = {"else": "always", "never": ["toolbox"]}  # where there are no such points
    attributes(new)["model"] = fact(presence=presence, values=["opus"])
    assert differences(old, new) == []


def test_what_is_new_is_not_told_again_of_the_gate(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    results(new)["error"] = fact()
    new["gates"]["details"]["event tool_result"].append("error")
    (found,) = differences(old, new)
    assert (found.subject, found.change) == ("attribute error", "new")


def test_two_new_names_alike_are_no_rename(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    found = new["metrics"].pop(TOKENS)
    new["metrics"] |= {"claude_code.a": found, "claude_code.b": copy.deepcopy(found)}
    assert [(each.subject, each.change) for each in differences(old, new)] == [
        (f"metric {TOKENS}", "gone"),
        ("metric claude_code.a", "new"),
        ("metric claude_code.b", "new"),
    ]


def test_the_same_in_several_places_is_one_difference_the_worst_first() -> None:
    more = Difference("attribute a", "new", "", "string", Impact.ADDITIVE, "why", ("event x",))
    worse = Difference("attribute b", "new", "", "string", Impact.PRIVACY, "why", ("event x",))
    also = Difference("attribute a", "new", "", "string", Impact.ADDITIVE, "why", ("event y",))
    first, second = merged([more, worse, also])
    assert first == worse
    assert second.of == ("event x", "event y")


def row(name: str, verdict: Verdict, level: Level = Level.MUST) -> Row:
    findings = (Finding("1", "2", "there"),) if verdict in (Verdict.FAIL, Verdict.KNOWN) else ()
    return Row(name, level, verdict, "It is so.", "a document", findings=findings)


@pytest.mark.parametrize(
    ("before", "after", "name", "level", "impact"),
    [
        (Verdict.PASS, Verdict.FAIL, "metrics.x", Level.MUST, Impact.BREAKING),
        (Verdict.PASS, Verdict.KNOWN, "metrics.x", Level.MUST, Impact.BREAKING),
        (Verdict.PASS, Verdict.FAIL, "metrics.x", Level.SHOULD, Impact.BEHAVIOURAL),
        (Verdict.PASS, Verdict.FAIL, "privacy.x", Level.SHOULD, Impact.PRIVACY),
        (Verdict.FAIL, Verdict.PASS, "privacy.x", Level.MUST, Impact.BEHAVIOURAL),
        (Verdict.KNOWN, Verdict.FIXED, "metrics.x", Level.MUST, Impact.BEHAVIOURAL),
        (Verdict.KNOWN, Verdict.FAIL, "metrics.x", Level.MUST, None),
        (Verdict.NOT_APPLICABLE, Verdict.PASS, "metrics.x", Level.MUST, None),
        (Verdict.NOT_EXERCISED, Verdict.FAIL, "metrics.x", Level.MUST, None),
        (Verdict.PASS, Verdict.ERROR, "metrics.x", Level.MUST, None),
    ],
)
def test_promises(
    before: Verdict, after: Verdict, name: str, level: Level, impact: Impact | None
) -> None:
    found = list(promise_changes([row(name, before, level)], [row(name, after, level)]))
    assert [each.impact for each in found] == ([impact] if impact else [])
    assert all(each.subject == f"promise {name}" for each in found)


def test_a_promise_of_one_side_alone_says_nothing() -> None:
    assert list(promise_changes([], [row("metrics.x", Verdict.FAIL)])) == []


def test_what_was_not_there_to_be_counted_counts_no_differently(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    # A side call raced with the end of the session, and was made in one of them only.
    old["facts"]["accounting"]["input tokens of side calls"] = {"counted": []}
    assert differences(old, new) == []
    new["facts"]["accounting"]["input tokens of side calls"] = {"not counted": []}
    (found,) = differences(old, new)
    assert (found.old, found.new, found.impact) == ("counted", "not counted", Impact.BREAKING)


def test_a_new_event_is_not_told_again_of_its_count(old: dict[str, Any]) -> None:
    about = "mentions of type file"
    old["facts"]["accounting"][about] = {"fewer": ["working_day"]}
    new = copy.deepcopy(old)
    new["facts"]["accounting"][about] = {"as it was": ["working_day"]}
    new["events"]["at_mention"] = {"body": ["claude_code.at_mention"], "attributes": {}}
    (found,) = differences(old, new)
    assert (found.subject, found.change) == ("event at_mention", "new")
    old["events"]["at_mention"] = new["events"]["at_mention"]
    (found,) = differences(old, new)
    assert (found.subject, found.of) == (f"accounting {about}", ("event at_mention",))


def test_what_the_pace_of_a_session_decides_is_no_alarm(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    old["events"]["retention_sweep"] = {"body": ["x"], "attributes": {}}
    for before, after, change in ((old, new, "gone"), (new, old, "new")):
        (found,) = differences(before, after)
        assert (found.change, found.impact) == (change, Impact.INFORMATIONAL)
