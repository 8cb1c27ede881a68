from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.contract.files import read_json, schema_root
from harness.drift.accepted import AcceptedDifference, Sorted
from harness.drift.comparison import Comparison
from harness.drift.difference import Difference, Impact, Mention
from harness.drift.impact import Hit, Query
from harness.errors import UsageError
from harness.findings import Finding, Level, Verdict
from harness.judging.entries import EntryState, EntryTold
from harness.judging.listing import Listing
from harness.judging.power import Doubt, Exempt, Power
from harness.judging.verdicts import Row
from harness.record import jsonl as record
from harness.record.header import COLLECTOR, Fuzz, Header, RelayFacts, Sent
from harness.record.jsonl import Footer, RunRecord
from harness.record.latency import Distribution, Latency
from harness.record.summary import Plan, RecordingSummary, RunOutcome, RunSummary

FOOTER = Footer(selected=8, deselected=2, failed=True, why="two fail", exit_code=1)


def put(path: Path, header: Header, rows: list[Row], footer: Footer | None) -> None:
    """Write a record without runs."""
    record.write(path, RunRecord(header, rows=tuple(rows), footer=footer))


@pytest.fixture
def rows(row: Callable[..., Row]) -> list[Row]:
    """One of each verdict, and a line separator that JSON leaves alone."""
    made = [row(f"theme.case_{number}", each) for number, each in enumerate(Verdict)]
    return [*made, row("theme.odd", statement="A \u2028 line\nand “quotes”", level=Level.MAY)]


@pytest.fixture
def path(tmp_path: Path, header: Header, rows: list[Row]) -> Path:
    path = tmp_path / record.FILE_NAME
    put(path, header, rows, FOOTER)
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().removesuffix("\n").split("\n")]


def test_what_was_written_is_read_back(path: Path, header: Header, rows: list[Row]) -> None:
    found = record.read(path)
    assert found.header == header
    assert list(found.rows) == rows
    assert found.footer == FOOTER


def test_drawn_input_is_told_of_where_there_was_some(tmp_path: Path, header: Header) -> None:
    with_fuzz = replace(header, fuzz=Fuzz(57, 15.25, "quick", "42"))
    path = tmp_path / record.FILE_NAME
    for each in (header, with_fuzz):
        put(path, each, [], replace(FOOTER, selected=0))
        assert record.read(path).header == each
    assert lines(path)[0]["fuzz"] == {
        "sessions": 57,
        "seconds": 15.25,
        "profile": "quick",
        "seed": "42",
    }


def test_latencies_are_told_of_where_there_were_some(tmp_path: Path, header: Header) -> None:
    measured = Distribution()
    for seconds in (0.002, 0.0021, 0.4):
        measured.add(seconds)
    latency = Latency.of("passing -> grpc", "logs", measured)
    path = tmp_path / record.FILE_NAME
    put(path, replace(header, latencies=(latency,)), [], replace(FOOTER, selected=0))
    assert record.read(path).header.latencies == (latency,)
    assert lines(path)[0]["latencies"] == [
        {
            "where": "passing -> grpc",
            "signal": "logs",
            "items": 3,
            "p50_ms": 2.113,
            "p90_ms": 400.0,
            "p99_ms": 400.0,
            "max_ms": 400.0,
            "histogram": [
                {"up_to_ms": 2.511886, "items": 2},
                {"up_to_ms": 501.187234, "items": 1},
            ],
        }
    ]
    put(path, header, [], replace(FOOTER, selected=0))
    assert "latencies" not in lines(path)[0]


def test_what_was_planned_and_recorded_is_kept(
    tmp_path: Path, header: Header, rows: list[Row]
) -> None:
    plan = Plan(("day over grpc", "night over grpc"), ("fuzz",), ("a.b",), ("--cc-binary=x",))
    recording = RecordingSummary(
        5.25,
        (
            RunSummary("day over grpc", RunOutcome.RECORDED, 2.5, folder="day-grpc", forgotten=3),
            RunSummary("night over grpc", RunOutcome.UNDRIVEN, reason="hung\nlast screen: \u2028"),
            RunSummary("dusk over grpc", RunOutcome.SKIPPED, reason="no port"),
        ),
        {"grpc": 7},
        "",
        60.5,
        Fuzz(57, 15.25, "quick", "42"),
    )
    made = RunRecord(
        replace(header, versions={"pytest": "9"}), plan, recording, tuple(rows), FOOTER
    )
    path = tmp_path / record.FILE_NAME
    record.write(path, made)
    assert record.read(path) == made
    kinds = [each["kind"] for each in lines(path)]
    assert kinds == ["header", *["run"] * 3, "recording", *["requirement"] * len(rows), "footer"]
    schema = Draft202012Validator(read_json(schema_root() / "record.schema.json"))
    for document in lines(path):
        schema.validate(document)


def test_what_became_of_lies_is_kept(tmp_path: Path, header: Header) -> None:
    doubted = tuple(Exempt(f"a.{each.name}", each, "missed: a~1") for each in Doubt)
    made = RunRecord(
        header, footer=replace(FOOTER, selected=0), power=Power(9, 5, 20, 0.5, doubted)
    )
    path = tmp_path / record.FILE_NAME
    record.write(path, made)
    assert record.read(path) == made
    assert [each["kind"] for each in lines(path)] == ["header", "power", "footer"]


def test_a_recording_that_goes_on_is_not_taken_for_a_whole_one(
    tmp_path: Path, header: Header
) -> None:
    path = tmp_path / record.FILE_NAME
    record.write(path, RunRecord(header, Plan(("day over grpc",))))
    assert record.read_part(path).recording is None
    with pytest.raises(UsageError, match="broken off"):
        record.read(path)


def test_a_line_for_doing_it_by_hand_is_kept(
    tmp_path: Path, header: Header, row: Callable[..., Row]
) -> None:
    finding = Finding("1", "2", "here", by_hand="A=1 claude -p Go.")
    made = row("a.b", Verdict.FAIL, findings=(finding,))
    path = tmp_path / record.FILE_NAME
    put(path, header, [made], replace(FOOTER, selected=1))
    assert list(record.read(path).rows) == [made]


def test_a_row_without_a_link_has_none_in_its_line(
    tmp_path: Path, header: Header, row: Callable[..., Row]
) -> None:
    made = row("a.b", url="")
    path = tmp_path / record.FILE_NAME
    put(path, header, [made], replace(FOOTER, selected=1))
    assert "url" not in lines(path)[1]
    assert list(record.read(path).rows) == [made]


def test_each_line_is_as_the_schema_says(path: Path, rows: list[Row]) -> None:
    schema = read_json(schema_root() / "record.schema.json")
    Draft202012Validator.check_schema(schema)
    documents = lines(path)
    for document in documents:
        Draft202012Validator(schema).validate(document)
    assert [each["kind"] for each in documents] == [
        "header",
        *["requirement"] * len(rows),
        "footer",
    ]
    assert documents[0]["started"] == "2026-09-21T14:13:20.123456Z"
    assert documents[0]["protocols"] == ["grpc", "http/json"]
    assert documents[-1]["total"] == 8
    assert documents[-1]["counts"] == {
        **{verdict.value: 1 for verdict in Verdict},
        "pass": 2,
    }


def test_others_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in path.parent.iterdir()] == [record.FILE_NAME]


def test_without_a_footer_it_is_refused(tmp_path: Path, header: Header, rows: list[Row]) -> None:
    path = tmp_path / "record.jsonl"
    put(path, header, rows, None)
    with pytest.raises(UsageError, match=r"no footer: the run that wrote it was broken off"):
        record.read(path)


def _drop(number: int) -> Callable[[list[str]], None]:
    def change(found: list[str]) -> None:
        del found[number]

    return change


def _repeat(found: list[str]) -> None:
    """The last row, in the place of the first that has the same verdict."""
    found[1] = found[-2]


def _other(old: str, new: str) -> Callable[[list[str]], None]:
    def change(found: list[str]) -> None:
        text = "\n".join(found)
        assert old in text
        found[:] = text.replace(old, new, 1).split("\n")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop(0), r"line 1: expected a header, saw a line of the kind 'requirement'"),
        (_drop(1), r"as the footer says, saw 7 requirements: "),
        (_repeat, r"saw more than one line for theme\.odd"),
        (_other('"pass": 2', '"pass": 3'), r"expected 8: \{'pass': 3"),
        (
            _other('{"kind": "requirement"', '"kind"'),
            r"line 2: expected a JSON object, saw no JSON",
        ),
        (_other('"verdict": "fail"', '"verdict": "bad"'), r"line 3: .*a line of a record"),
        (_other('"kind": "requirement"', '"kind": "more"'), r"line 2: .*a line of a record"),
        (lambda found: found.insert(1, found[0]), r"line 2: .* saw a second header"),
        (lambda found: found.clear(), r"line 1: expected a JSON object, saw no JSON"),
    ],
)
def test_what_is_wrong_is_named(
    path: Path, change: Callable[[list[str]], None], message: str
) -> None:
    found = path.read_text().removesuffix("\n").split("\n")
    change(found)
    path.write_text("".join(f"{line}\n" for line in found))
    with pytest.raises(UsageError, match=message):
        record.read(path)


def test_a_folder_that_cannot_be_written(tmp_path: Path, header: Header) -> None:
    with pytest.raises(UsageError, match="expected a file that we can write"):
        put(tmp_path / "missing" / "record.jsonl", header, [], None)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a readable file"):
        record.read(tmp_path / "record.jsonl")


def test_a_failed_write_leaves_the_old_record(
    path: Path, header: Header, row: Callable[..., Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(before: str, after: Path) -> None:
        raise OSError(28, "No space left on device", str(after))

    before = path.read_bytes()
    monkeypatch.setattr("os.replace", no_room)
    with pytest.raises(UsageError, match=r"report file .*No space left on device"):
        put(path, header, [row("theme.other")], None)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [record.FILE_NAME]


def test_a_path_that_is_no_utf_8_is_kept(
    path: Path, header: Header, row: Callable[..., Row]
) -> None:
    rows = [row("theme.surrogate", statement="caf\udce9")]
    put(path, header, rows, None)
    assert [each.statement for each in record.read_part(path).rows] == ["caf\udce9"]


COLLECTOR_FACTS = RelayFacts(
    command="otelcol --config {config}",
    config="/etc/otelcol.yaml",
    outlets=("grpc", "scrape"),
    sent=(Sent("2.1.332", 8, "recorded 2026-11-27"), Sent("2.1.333", 3, "run meanwhile (claude)")),
)


def test_a_collector_is_told_of_where_one_was_judged(tmp_path: Path, header: Header) -> None:
    of_one = replace(header, job=COLLECTOR, relay=COLLECTOR_FACTS)
    path = tmp_path / record.FILE_NAME
    put(path, of_one, [], replace(FOOTER, selected=0))
    assert record.read(path).header == of_one
    assert lines(path)[0]["collector"]["sent"][1] == {
        "release": "2.1.333",
        "sessions": 3,
        "origin": "run meanwhile (claude)",
    }
    put(path, header, [], replace(FOOTER, selected=0))
    assert "collector" not in lines(path)[0]


COMPARED = Comparison(
    "npm:1",
    "npm:2",
    "2.1.332",
    (
        Difference("event e", "new", "", "e", Impact.PRIVACY, "it tells", ("signal logs",)),
        Difference(
            "metric m", "gone", "m", "", Impact.BREAKING, "none is sent", (), Mention((), "2.1.240")
        ),
    ),
    (Hit(Query("d.json", "Panel", "sum(m)"), (), ("n is sent by neither",)),),
    "privacy",
    ("left out: fuzz",),
)


LISTED = Sorted(
    COMPARED.differences,
    (AcceptedDifference(Difference("a", "new", "", "b", Impact.ADDITIVE, "so"), "We know."),),
    (EntryTold("a: new", EntryState.SEEN, "We know."), EntryTold("b: new", EntryState.GONE, "")),
    "own.json",
)


def test_a_comparison_is_kept(tmp_path: Path, header: Header) -> None:
    path = tmp_path / record.FILE_NAME
    second = COMPARED.differences[1]
    hit = Hit(Query("d.json", "Other", "m"), (second,))
    assert COMPARED.hits is not None
    for each in (
        COMPARED,
        replace(COMPARED, hits=(*COMPARED.hits, hit)),
        replace(COMPARED, hits=None, differences=()),
        replace(COMPARED, listed=LISTED),
        Comparison("a", "b", problem="no licence", fail_on="any"),
    ):
        record.write(path, RunRecord(header, comparison=each, footer=replace(FOOTER, selected=0)))
        assert record.read(path).comparison == each


@pytest.mark.parametrize(
    ("drop", "seen"),
    [
        ("comparison", "differences or queries without it"),
        ("difference", "{'differences': 0, 'queries': 1}"),
        ("query", "{'differences': 2, 'queries': 0}"),
    ],
)
def test_a_comparison_of_which_a_part_is_lost_is_refused(
    tmp_path: Path, header: Header, drop: str, seen: str
) -> None:
    path = tmp_path / record.FILE_NAME
    record.write(path, RunRecord(header, comparison=COMPARED, footer=replace(FOOTER, selected=0)))
    kept = [line for line in lines(path) if line["kind"] != drop]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        record.read(path)
    assert raised.value.seen == seen


def test_a_list_of_ones_own_is_kept_with_what_it_names(
    tmp_path: Path, header: Header, row: Callable[..., Row]
) -> None:
    known = row("a.b", Verdict.KNOWN, listed_in="own.json")
    entry = {"requirements": ["a.b"], "reason": "It is so.", "evidence": "It was seen."}
    plan = Plan(expectations=Listing("own.json", (entry,)))
    path = tmp_path / record.FILE_NAME
    record.write(path, RunRecord(header, plan, rows=(known,), footer=replace(FOOTER, selected=1)))
    found = record.read(path)
    assert found.plan == plan
    assert found.rows == (known,)
    put(path, header, [row("a.b")], replace(FOOTER, selected=1))
    assert "expectations" not in lines(path)[0]["plan"]
    assert "listed_in" not in lines(path)[1]
