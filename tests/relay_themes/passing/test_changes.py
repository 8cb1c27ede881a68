"""Declared changes: done as declared, done undeclared, declared and not done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.files import load, save
from harness.capture.observed import observed
from harness.contract.files import read_json, schema_root
from harness.errors import UsageError
from harness.otlp.messages import Request
from harness.relay_themes.passing.applying import KINDS_OF_CHANGE
from harness.relay_themes.passing.changes import parse, read
from harness.relay_themes.passing.measures import declared_changes, passed, unchanged
from harness.relay_themes.passing.observed import Passing

MakeCapture = Callable[..., Capture]


def groups(request: Any) -> list[Any]:
    names = ("resource_metrics", "resource_logs", "resource_spans")
    return [group for name in names for group in getattr(request, name, ())]


def blocks(request: Any) -> Iterator[Any]:
    for group in groups(request):
        for name in ("scope_metrics", "scope_logs", "scope_spans"):
            yield from getattr(group, name, ())


def metrics(request: Any) -> Iterator[Any]:
    for block in blocks(request):
        yield from getattr(block, "metrics", ())


def records(request: Any, *kinds: str) -> Iterator[Any]:
    """Every data point, log record and span, or those of the kinds that are named."""
    for metric in metrics(request) if not kinds or "points" in kinds else ():
        yield from metric.sum.data_points
    for block in blocks(request):
        for name in kinds or ("log_records", "spans"):
            yield from getattr(block, name, ())


def called(request: Any, name: str) -> Iterator[Any]:
    """The events of a name."""
    for record in records(request, "log_records"):
        if record.body.string_value == f"claude_code.{name}":
            yield record


def attribute(attributes: Any, key: str) -> Any:
    return next((pair.value for pair in attributes if pair.key == key), None)


def drop(attributes: Any, *keys: str) -> None:
    for number in reversed(range(len(attributes))):
        if attributes[number].key in keys:
            del attributes[number]


def keep(siblings: Any, wanted: Callable[[int, Any], bool]) -> None:
    kept = [
        type(each).FromString(each.SerializeToString())
        for n, each in enumerate(siblings)
        if wanted(n, each)
    ]
    del siblings[:]
    siblings.extend(kept)


def add_everywhere(request: Any) -> None:
    for number, record in enumerate(records(request)):
        record.attributes.add(key="collector.note").value.string_value = str(number)


def add_to_resources(request: Any) -> None:
    for group in groups(request):
        group.resource.attributes.add(key="env").value.string_value = "production"


def set_service(request: Any) -> None:
    for group in groups(request):
        attribute(group.resource.attributes, "service.name").string_value = "cc"


def drop_mail(request: Any) -> None:
    for record in records(request):
        drop(record.attributes, "user.email", "user.id")


def keep_three(request: Any) -> None:
    for record in called(request, "tool_result"):
        others = [p.key for p in record.attributes if p.key not in ("session.id", "event.name")]
        drop(record.attributes, *(key for key in others if key != "event.sequence"))


def rename_session(request: Any) -> None:
    for record in records(request):
        for pair in record.attributes:
            if pair.key == "session.id":
                pair.key = "session"


def hash_user(request: Any) -> None:
    for record in records(request):
        value = attribute(record.attributes, "user.id")
        value.string_value = hashlib.sha256(value.string_value.encode()).hexdigest()[:12]


def move_session(request: Any) -> None:
    for group in groups(request):
        for name in ("scope_metrics", "scope_logs", "scope_spans"):
            for block in getattr(group, name, ()):
                for record in _of_block(block):
                    found = attribute(record.attributes, "session.id")
                    drop(group.resource.attributes, "session.id")
                    group.resource.attributes.add(key="session.id").value.CopyFrom(found)
                    drop(record.attributes, "session.id")


def _of_block(block: Any) -> Iterator[Any]:
    for metric in getattr(block, "metrics", ()):
        yield from metric.sum.data_points
    yield from getattr(block, "log_records", ())
    yield from getattr(block, "spans", ())


def duration_to_int(request: Any) -> None:
    for record in called(request, "tool_result"):
        value = attribute(record.attributes, "duration_ms")
        value.int_value = int(value.string_value)


def cost_to_text(request: Any) -> None:
    for record in called(request, "api_request"):
        value = attribute(record.attributes, "cost_usd")
        value.string_value = f"{value.double_value:.6f}"


def rename_tokens(request: Any) -> None:
    for metric in metrics(request):
        if metric.name == "claude_code.token.usage":
            metric.name = "acme.token.usage"


def rename_prompts(request: Any) -> None:
    for record in called(request, "user_prompt"):
        attribute(record.attributes, "event.name").string_value = "prompted"
        record.body.string_value = "prompted"


def drop_edits(request: Any) -> None:
    for block in blocks(request):
        if hasattr(block, "metrics"):
            keep(block.metrics, lambda _, metric: metric.name != "claude_code.edits")


def drop_traces(request: Any) -> None:
    if hasattr(request, "resource_spans"):
        request.Clear()


def to_thousands(request: Any) -> None:
    for metric in metrics(request):
        if metric.unit == "tokens":
            metric.unit = "kilotokens"
            for point in metric.sum.data_points:
                point.as_double *= 0.001


def to_cumulative(request: Any) -> None:
    for metric in metrics(request):
        metric.sum.aggregation_temporality = 2
        for point in metric.sum.data_points:
            point.time_unix_nano += 1


def sample_by_trace(request: Any) -> None:
    for block in blocks(request):
        if hasattr(block, "spans"):
            keep(block.spans, lambda _, span: span.trace_id == b"\x01" * 16)


def forget_types(request: Any) -> None:
    """Leave `type` out of token usage, and add up what becomes equal, in two requests' order."""
    for metric in metrics(request):
        if metric.name == "claude_code.token.usage":
            points = metric.sum.data_points
            for point in points:
                drop(point.attributes, "type")
            points[0].as_double = points[1].as_double + points[0].as_double
            keep(points, lambda number, _: number == 0)


def entry(kind: str, **fields: Any) -> str:
    lines = [f'kind = "{kind}"', 'reason = "it is meant"']
    lines += [f"{key.rstrip('_')} = {_toml(value)}" for key, value in fields.items()]
    return "[[change]]\n" + "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


#: What is declared, what does it, and what is found if it is done undeclared.
CASES: dict[str, tuple[str, Callable[[Any], None], set[str]]] = {
    "added": (entry("attribute_added", attribute="collector.note"), add_everywhere,
              {"attributes_added"}),
    "added to resources": (
        entry("attribute_added", attribute="env", value="production", on="resource"),
        add_to_resources, {"resource_added"}),
    "set": (entry("attribute_set", attribute="service.name", value="cc", on="resource"),
            set_service, {"resource_changed"}),
    "dropped": (entry("attribute_dropped", attribute="user.*"), drop_mail, {"attributes_lost"}),
    "all but three dropped": (
        entry("attribute_dropped", attribute="*", events=["tool_result"],
              except_=["session.id", "event.*"]),
        keep_three, {"attributes_lost"}),
    "renamed": (entry("attribute_renamed", attribute="session.id", to="session"), rename_session,
                {"attributes_added", "attributes_lost"}),
    "hashed": (entry("attribute_hashed", attribute="user.id"), hash_user, {"attributes_changed"}),
    "moved": (entry("attribute_moved", attribute="session.id", to="resource"), move_session,
              {"attributes_lost", "resource_added"}),
    "converted to int": (
        entry("attribute_converted", attribute="duration_ms", to="int", events=["tool_result"]),
        duration_to_int, {"attributes_retyped"}),
    "converted to text": (entry("attribute_converted", attribute="cost_usd", to="string"),
                          cost_to_text, {"attributes_retyped"}),
    "metric renamed": (
        entry("renamed", metrics=["claude_code.token.usage"], to="acme.token.usage"),
        rename_tokens, {"name"}),
    "event renamed": (entry("renamed", events=["user_prompt"], to="prompted"), rename_prompts,
                      {"attributes_changed", "body"}),
    "metric dropped": (entry("dropped", metrics=["claude_code.edits"]), drop_edits, {"lost"}),
    "signal dropped": (entry("dropped", signals=["traces"]), drop_traces, {"lost"}),
    "unit": (entry("unit", metrics=["claude_code.token.usage"], to="kilotokens", factor=0.001),
             to_thousands, {"unit", "value"}),
    "cumulative": (entry("cumulative"), to_cumulative, {"temporality", "times"}),
    "sampled": (entry("sampled", signals=["traces"], by="trace"), sample_by_trace, {"lost"}),
    "aggregated": (
        entry("attribute_dropped", attribute="type", metrics=["claude_code.token.usage"])
        + entry("aggregated", metrics=["claude_code.token.usage"]),
        forget_types, {"attributes_lost", "lost", "value"}),
}  # fmt: skip


def relayed(requests: tuple[Request, ...], change: Callable[[Any], None]) -> list[Request]:
    made = []
    for request in requests:
        copied: Any = type(request)()
        copied.CopyFrom(request)
        change(copied)
        made.append(copied)
    return made


def found(capture: Capture) -> set[str]:
    words = {
        word
        for item in passed(capture)
        for word in ("lost", "repeated", "made_up")
        if item.view[word]
    }
    return words | {item.view["kind"] for item in unchanged(capture) if item.view["changed"]}


def used(capture: Capture) -> list[bool]:
    return [item.view["used"] for item in declared_changes(capture)]


@pytest.mark.parametrize("case", CASES)
def test_what_is_done_as_declared_is_no_finding(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]], case: str
) -> None:
    declarations, change, _ = CASES[case]
    requests = telemetry()
    capture = make(requests, {"file": relayed(requests, change)}, declarations)
    told = [item.where for item in (*passed(capture), *unchanged(capture))]
    assert found(capture) == set(), told
    assert set(used(capture)) == {True}
    assert all(item.view["problems"] == [] for item in declared_changes(capture))


@pytest.mark.parametrize("case", CASES)
def test_what_is_done_undeclared_is_found(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]], case: str
) -> None:
    _, change, kinds = CASES[case]
    requests = telemetry()
    assert found(make(requests, {"file": relayed(requests, change)})) == kinds


@pytest.mark.parametrize("case", CASES)
def test_what_is_declared_and_not_done_is_unused(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]], case: str
) -> None:
    declarations, _, _ = CASES[case]
    requests = telemetry()
    capture = make(requests, {"file": requests}, declarations)
    assert not any(used(capture))


@pytest.mark.parametrize("case", CASES)
def test_what_speaks_of_another_outlet_changes_nothing_here(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]], case: str
) -> None:
    """One outlet gets what is changed, the other what was sent."""
    declarations, change, _ = CASES[case]
    requests = telemetry()
    only_here = declarations.replace("reason =", 'outlets = ["http"]\nreason =')
    capture = make(requests, {"http": relayed(requests, change), "file": requests}, only_here)
    assert found(capture) == set()
    assert set(used(capture)) == {True}


def test_every_kind_is_tried_and_has_rules() -> None:
    assert {
        change.kind for text, _, _ in CASES.values() for change in parse(text, "x").changes
    } == KINDS_OF_CHANGE
    schema = read_json(schema_root() / "collector_changes.schema.json")
    assert set(schema["$defs"]["change"]["properties"]["kind"]["enum"]) == KINDS_OF_CHANGE


@pytest.mark.parametrize(
    ("digest", "fine"),
    [
        (lambda value: hashlib.md5(value.encode()).hexdigest(), True),
        (lambda value: value, False),
        (lambda value: f"hash of {value}", False),
        (lambda value: "****", False),
        (lambda value: "", False),
    ],
    ids=["md5", "itself", "contains it", "one for all", "nothing"],
)
def test_a_digest_differs_for_each_and_hides_its_value(
    make: MakeCapture,
    telemetry: Callable[[], tuple[Request, ...]],
    digest: Callable[[str], str],
    fine: bool,
) -> None:
    def change(request: Any) -> None:
        for record in records(request):
            value = attribute(record.attributes, "user.id")
            value.string_value = digest(value.string_value)

    requests = telemetry()
    declarations = entry("attribute_hashed", attribute="user.id")
    capture = make(requests, {"grpc": relayed(requests, change)}, declarations)
    assert (found(capture) == set()) is fine
    if not fine:
        assert found(capture) == {"attributes_changed"}


def test_a_digest_is_the_same_for_the_same(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]]
) -> None:
    def salted(request: Any) -> None:
        for number, record in enumerate(records(request)):
            attribute(record.attributes, "user.id").string_value = f"salted {number}"

    requests = telemetry()
    declarations = entry("attribute_hashed", attribute="user.id")
    capture = make(requests, {"grpc": relayed(requests, salted)}, declarations)
    assert found(capture) == {"attributes_changed"}


def test_sampling_keeps_traces_whole(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]]
) -> None:
    def half_a_trace(request: Any) -> None:
        for block in blocks(request):
            if hasattr(block, "spans"):
                keep(block.spans, lambda number, span: number == 0)

    requests = telemetry()
    declarations = entry("sampled", signals=["traces"], by="trace")
    capture = make(requests, {"grpc": relayed(requests, half_a_trace)}, declarations)
    assert found(capture) == {"lost"}
    (item,) = (each for each in passed(capture) if each.view["lost"])
    assert item.view["lost"] == 4


def test_declarations_travel_with_the_capture(
    make: MakeCapture, telemetry: Callable[[], tuple[Request, ...]], tmp_path: Path
) -> None:
    text = "".join(declarations for declarations, _, _ in CASES.values())
    requests = telemetry()
    capture = make(requests, {"file": requests}, text)
    save(capture, tmp_path / "kept")
    loaded = load(tmp_path / "kept")
    passing = observed(loaded.run, Passing)
    assert passing == observed(capture.run, Passing)
    assert passing is not None
    assert passing.changes == parse(text, "again").changes
    assert declared_changes(loaded) == declared_changes(capture)


BROKEN = {
    "no TOML": ("change = [", "broken.toml", "a TOML file"),
    "unknown table": ("[[changes]]\n", "broken.toml", "nothing but change, must_not_come_out"),
    "no reason": (
        '[[change]]\nkind = "dropped"\nsignals = ["logs"]\n',
        "broken.toml: [[change]] 1 (dropped)",
        "reason as well",
    ),
    "unknown kind": (
        entry("dropped", signals=["logs"]) + entry("mangled"),
        "broken.toml: [[change]] 2 (mangled).kind",
        'one of "attribute_added"',
    ),
    "a field of another kind": (
        entry("attribute_hashed", attribute="user.id", value="x"),
        "broken.toml: [[change]] 1 (attribute_hashed)",
        "nothing but attribute, events, kind,",
    ),
    "a wrong type": (
        entry("attribute_converted", attribute="x", to="integer"),
        "broken.toml: [[change]] 1 (attribute_converted).to",
        'one of "string", "int", "double", "bool"',
    ),
    "no selector": (
        entry("dropped"),
        "broken.toml: [[change]] 1 (dropped)",
        "signals as well",
    ),
    "an impossible share": (
        entry("sampled", signals=["traces"], by="item", ratio=1.5),
        "broken.toml: [[change]] 1 (sampled).ratio",
        "1",
    ),
    "a duty about nothing": (
        '[[must_not_come_out]]\nreason = "it is so"\n',
        "broken.toml: [[must_not_come_out]] 1",
        "attribute as well",
    ),
    "a duty about two things": (
        '[[must_not_come_out]]\nreason = "so"\nattribute = "a"\ncontent = "prompt"\n'
        .replace('"so"', '"so it is"'),
        "broken.toml: [[must_not_come_out]] 1",
        "an attribute or a kind of content, and a reason",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_told_by_entry_seen_and_expected(case: str, tmp_path: Path) -> None:
    text, change, wanted = BROKEN[case]
    path = tmp_path / "broken.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert caught.value.change == str(tmp_path / change)
    assert wanted in str(caught.value).partition(": expected ")[2]
    assert ", saw " in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.toml")
