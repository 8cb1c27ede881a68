"""What measures tell of relays that lose, repeat, merge and leak."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.judging.items.item import Item
from harness.otlp.messages import Request
from harness.otlp.model import Protocol, Signal
from harness.relay_themes.passing.measures import declared_changes, duties, passed, unchanged

MakeCapture = Callable[..., Capture]
Telemetry = Callable[[], tuple[Request, ...]]

NO_MAIL = '[[must_not_come_out]]\nattribute = "user.email"\nreason = "not theirs"\n'
NO_PROMPT = '[[must_not_come_out]]\ncontent = "prompt"\nreason = "not theirs"\n'


def one(items: Iterable[Item], **fields: object) -> Item:
    (item,) = (
        each for each in items if all(each.view[name] == value for name, value in fields.items())
    )
    return item


def changed(capture: Capture) -> dict[tuple[str, str], int]:
    return {
        (item.view["name"], item.view["kind"]): item.view["changed"]
        for item in unchanged(capture)
        if item.view["changed"]
    }


def numbers(capture: Capture) -> dict[str, int]:
    words = ("sent", "expected", "arrived", "turned_away", "lost", "repeated", "made_up", "refused")
    return {word: sum(item.view[word] for item in passed(capture)) for word in words}


def logs_of(telemetry: Telemetry) -> Any:
    return telemetry()[1]


def records(request: Any) -> list[Any]:
    return [
        record
        for group in request.resource_logs
        for block in group.scope_logs
        for record in block.log_records
    ]


def put(record: Any, key: str, value: str | int) -> None:
    for pair in record.attributes:
        if pair.key == key:
            pair.value.Clear()
            if isinstance(value, int):
                pair.value.int_value = value
            else:
                pair.value.string_value = value
            return
    record.attributes.add(key=key).value.string_value = str(value)


def test_a_change_reads_as_one(make: MakeCapture, telemetry: Telemetry) -> None:
    came = logs_of(telemetry)
    put(records(came)[4], "duration_ms", 13)
    capture = make([logs_of(telemetry)], {"file": [came]})
    item = one(unchanged(capture), name="tool_result", kind="attributes_retyped")
    assert item.where == (
        "pass_on over grpc -> file · event tool_result · 1 of 2: attributes.duration_ms was "
        '"13" (string), came out as 13 (int); the first: session session-2, sequence 1, '
        "time 2026-11-26T23:54:13.839Z"
    )
    assert item.view == {
        "outlet": "file",
        "signal": "logs",
        "name": "tool_result",
        "kind": "attributes_retyped",
        "compared": 2,
        "changed": 1,
    }


def test_a_loss_tells_the_first_that_is_lost(make: MakeCapture, telemetry: Telemetry) -> None:
    capture = make([logs_of(telemetry)], {"file": []})
    item = one(passed(capture), name="api_request")
    assert item.where.endswith(
        "-> file · event api_request · 2 of 2 lost; the first: session session-1, sequence 2, "
        "time 2026-11-26T23:54:13.830Z"
    )


def test_a_shifted_time_tells_by_how_much(make: MakeCapture, telemetry: Telemetry) -> None:
    came = logs_of(telemetry)
    records(came)[0].time_unix_nano += 1_000_000
    item = one(
        unchanged(make([logs_of(telemetry)], {"file": [came]})), name="user_prompt", kind="times"
    )
    assert ", 1000000 ns later; the first: session session-1" in item.where


def test_sessions_that_become_one_are_a_change(make: MakeCapture, telemetry: Telemetry) -> None:
    """The records of both have the same numbers: still none is lost, and none is repeated."""
    came = logs_of(telemetry)
    for record in records(came):
        put(record, "session.id", "session-1")
    capture = make([logs_of(telemetry)], {"grpc": [came]})
    counts = numbers(capture)
    assert [counts.pop(word) for word in ("sent", "expected", "arrived")] == [6, 6, 6]
    assert set(counts.values()) == {0}
    assert changed(capture) == {
        (name, "attributes_changed"): 1 for name in ("user_prompt", "tool_result", "api_request")
    }


def test_what_comes_twice_and_changed_is_repeated(make: MakeCapture, telemetry: Telemetry) -> None:
    came, again = logs_of(telemetry), logs_of(telemetry)
    del again.resource_logs[0]
    for record in records(again):
        record.severity_number = 9
    capture = make([logs_of(telemetry)], {"grpc": [came, again]})
    assert numbers(capture)["repeated"] == 3
    assert numbers(capture)["made_up"] == numbers(capture)["lost"] == 0
    assert changed(capture) == {}


def test_what_was_refused_may_come_out_and_need_not(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    requests = telemetry()
    for came, arrived in ((requests, 3), (requests[1:], 3), (requests[:1], 0)):
        capture = make(requests, {"grpc": came})
        exports = [
            replace(each, rejected="busy", status=14)
            if each.collector == "sent" and each.signal is Signal.TRACES
            else each
            for each in capture.exports
        ]
        refused = replace(capture, exports=tuple(exports))
        counts = numbers(refused)
        assert counts["refused"] == 2 * arrived
        assert counts["made_up"] == counts["repeated"] == 0
        assert one(passed(refused), name="claude_code.edits").view["lost"] == (
            0 if requests[0] in came else 2
        )


def test_a_signal_that_is_never_accepted_is_turned_away_unless_that_is_declared(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    """Nothing was accepted, so nothing is lost: but nobody has the events."""
    requests = telemetry()
    declared = '[[change]]\nkind = "dropped"\nsignals = ["logs"]\nreason = "no such pipeline"\n'
    for text, away, use in (("", 6, []), (declared, 0, [True])):
        capture = make(requests, {"grpc": (requests[0], requests[2])}, text)
        exports = [
            replace(each, rejected="no such path", status=404)
            if each.collector == "sent" and each.signal is Signal.LOGS
            else each
            for each in capture.exports
        ]
        refused = replace(capture, exports=tuple(exports))
        assert numbers(refused)["turned_away"] == away
        assert numbers(refused)["lost"] == 0
        assert [item.view["used"] for item in declared_changes(refused)] == use


def test_what_is_accepted_when_it_is_sent_again_is_not_turned_away(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    requests = telemetry()
    capture = make((*requests, *requests), {"grpc": requests})
    exports = [
        replace(each, rejected="busy", status=14) if number < len(requests) else each
        for number, each in enumerate(capture.exports)
    ]
    assert numbers(replace(capture, exports=tuple(exports)))["turned_away"] == 0


def test_a_sampler_may_write_into_the_trace_state(make: MakeCapture, telemetry: Telemetry) -> None:
    declared = '[[change]]\nkind = "sampled"\nspans = ["*"]\nby = "item"\nreason = "so it is"\n'
    requests = telemetry()
    sampled: Any = telemetry()[2]
    for group in sampled.resource_spans:
        for span in group.scope_spans[0].spans:
            span.trace_state = "ot=rv:bef4094150d042;th:8"
        del group.scope_spans[0].spans[0]
    came = (*requests[:2], sampled)
    assert changed(make(requests, {"grpc": came}, declared)) == {}
    assert changed(make(requests, {"grpc": came})) == {("claude_code.tool", "trace_state"): 4}


def test_outlets_are_told_apart(make: MakeCapture, telemetry: Telemetry) -> None:
    requests = telemetry()
    capture = make(requests, {"grpc": requests, "http": requests[:1], "file": ()})
    lost = {
        outlet: sum(i.view["lost"] for i in passed(capture) if i.view["outlet"] == outlet)
        for outlet in ("grpc", "http", "file")
    }
    assert lost == {"grpc": 0, "http": 12, "file": 18}


def test_a_run_that_let_nothing_pass_through_has_no_item(faithful: Capture) -> None:
    other = replace(faithful, run=replace(faithful.run, observed={}))
    for measure in (passed, unchanged, declared_changes, duties):
        assert measure(other) == []


def test_sums_that_become_cumulative_are_not_compared(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    text = '[[change]]\nkind = "cumulative"\nreason = "for the backend"\n'
    requests = telemetry()
    capture = make(requests, {"grpc": requests[1:]}, text)
    assert {item.view["signal"] for item in passed(capture)} == {"logs", "traces"}


def test_a_hash_of_sessions_that_are_alike_is_told_apart(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    """Clones of one session differ in nothing but their session."""
    text = '[[change]]\nkind = "attribute_hashed"\nattribute = "session.id"\nreason = "so it is"\n'

    def clones(name: str) -> list[Request]:
        made = []
        for number in range(5):
            request = logs_of(telemetry)
            del request.resource_logs[1]
            for record in records(request):
                put(record, "session.id", f"{name}-{number}")
            made.append(request)
        return made

    capture = make(clones("session"), {"grpc": clones("digest")}, text)
    assert changed(capture) == {}
    assert numbers(capture)["lost"] == 0
    assert [item.view["used"] for item in declared_changes(capture)] == [True]


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: f"about: {text}, and so on",
    ],
    ids=["raw", "base64", "hex", "within"],
)
def test_a_value_is_found_in_any_form(
    make: MakeCapture, telemetry: Telemetry, form: Callable[[str], str]
) -> None:
    came = logs_of(telemetry)
    for record in records(came):
        for number in reversed(range(len(record.attributes))):
            if record.attributes[number].key in ("user.email", "prompt"):
                del record.attributes[number]
    capture = make([logs_of(telemetry)], {"grpc": [came]}, NO_MAIL + NO_PROMPT)
    assert {item.view["seen"] for item in duties(capture)} == {0}
    assert {item.view["kept"] for item in duties(capture)} == {0}
    assert all(item.view["sent"] for item in duties(capture))

    records(came)[0].body.string_value = form("ada@relay.example")
    leaking = make([logs_of(telemetry)], {"grpc": [came]}, NO_MAIL + NO_PROMPT)
    mail = one(duties(leaking), what="user.email")
    assert mail.view["seen"] == 1
    assert "grpc: logs" in mail.where
    assert one(duties(leaking), what="prompt").view["seen"] == 0

    records(came)[0].body.string_value = form("rename the blue walrus")
    leaking = make([logs_of(telemetry)], {"grpc": [came]}, NO_MAIL + NO_PROMPT)
    assert one(duties(leaking), what="prompt").view["seen"] == 1
    assert one(duties(leaking), what="user.email").view["seen"] == 0


def test_every_outlet_is_searched_even_where_nothing_is_compared(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    requests = telemetry()
    capture = make(requests, {"grpc": ()}, NO_MAIL)
    shown = replace(
        capture.exports[0], collector="scrape", protocol=Protocol.HTTP_JSON, body=b"{}",
        headers=(("x-note", "ada@relay.example"),),
    )  # fmt: skip
    leaking = replace(capture, exports=(*capture.exports, shown))
    assert one(duties(capture), what="user.email").view["seen"] == 0
    assert one(duties(leaking), what="user.email").view["seen"] == 1


def test_a_declared_digest_is_no_leak_and_its_value_is(
    make: MakeCapture, telemetry: Telemetry
) -> None:
    text = '[[change]]\nkind = "attribute_hashed"\nattribute = "user.email"\nreason = "so it is"\n'
    came = logs_of(telemetry)
    for number, record in enumerate(records(came)):
        mail = ("ada", "bob")[number // 3] + "@relay.example"
        put(record, "user.email", hashlib.sha256(mail.encode()).hexdigest())
    hashed = make([logs_of(telemetry)], {"grpc": [came]}, text + NO_MAIL)
    assert one(duties(hashed), what="user.email").view["seen"] == 0
    assert one(duties(hashed), what="user.email").view["kept"] == 0
    undeclared = make([logs_of(telemetry)], {"grpc": [came]}, NO_MAIL)
    assert one(duties(undeclared), what="user.email").view["seen"] == 3
    assert one(duties(undeclared), what="user.email").view["kept"] == 6


def test_a_short_value_is_found_only_as_a_whole(make: MakeCapture, telemetry: Telemetry) -> None:
    text = '[[must_not_come_out]]\nattribute = "tool_name"\nreason = "not theirs"\n'
    came = logs_of(telemetry)
    for record in records(came):
        put(record, "tool_name", "Bashful")
    capture = make([logs_of(telemetry)], {"grpc": [came]}, text)
    assert one(duties(capture), what="tool_name").view["seen"] == 0
    put(records(came)[0], "speed", "Bash")
    capture = make([logs_of(telemetry)], {"grpc": [came]}, text)
    assert one(duties(capture), what="tool_name").view["seen"] == 1


def test_what_was_never_sent_is_not_proven(make: MakeCapture, telemetry: Telemetry) -> None:
    text = NO_PROMPT.replace("prompt", "api_key")
    capture = make([logs_of(telemetry)], {"grpc": [logs_of(telemetry)]}, text)
    item = one(duties(capture), what="api_key")
    assert (item.view["looked_for"], item.view["sent"], item.view["seen"]) == (0, 0, 0)
