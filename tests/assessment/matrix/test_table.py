"""What a matrix shows: since when, until when, and what was never seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.matrix.folder import Entry, MatrixPlan
from harness.assessment.matrix.table import table
from harness.contract.files import read_json, schema_root
from harness.drift.difference import Difference
from harness.report import matrix as report

MakeEntry = Callable[..., Entry]
PLAN = MatrixPlan("2.1.4", ("working_day",))


def tabulated(*entries: Entry, **more: Any) -> dict[str, Any]:
    made = table(PLAN, entries, **more)
    schema = read_json(schema_root() / "matrix.schema.json")
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(made)]
    assert problems == []
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def named(rows: list[dict[str, Any]], key: str, name: str) -> dict[str, Any]:
    (row,) = (row for row in rows if row[key] == name)
    return row


@pytest.mark.parametrize(
    ("verdicts", "since", "until"),
    [
        (("pass", "pass", "pass", "pass"), None, None),
        (("known", "known", "pass", "pass"), "2.1.3", None),
        (("pass", "fail", "fail", "fail"), None, "2.1.2"),
        (("pass", "fail", "pass", "known"), "2.1.3", "2.1.4"),
        (("known", "not exercised", "not exercised", "pass"), "2.1.4", None),
        (("not exercised", "pass", "error", "pass"), None, None),
        (("fixed", "pass", "not exercised", "not exercised"), None, None),
    ],
)
def test_since_and_until(
    entry: MakeEntry, verdicts: tuple[str, ...], since: str | None, until: str | None
) -> None:
    entries = [entry(f"2.1.{n}", {"a.b": each}) for n, each in enumerate(verdicts, 1)]
    (row,) = tabulated(*entries)["requirements"]
    assert (row["since"], row["until"]) == (since, until)
    assert [cell["verdict"] for cell in row["cells"]] == list(verdicts)


def test_a_change_names_the_last_release_before(entry: MakeEntry) -> None:
    verdicts = ("known", "not exercised", "pass")
    entries = [entry(f"2.1.{n}", {"a.b": each}) for n, each in enumerate(verdicts, 1)]
    (row,) = tabulated(*entries)["requirements"]
    assert row["changes"] == [{"after": "2.1.1", "in": "2.1.3", "to": "kept"}]


def test_what_was_kept_before_it_was_promised(entry: MakeEntry) -> None:
    no = "not applicable"
    (row,) = tabulated(
        entry("2.1.1", {"a.b": no}, {"a.b": "not exercised"}),
        entry("2.1.2", {"a.b": no}, {"a.b": "fail"}),
        entry("2.1.3", {"a.b": no}, {"a.b": "pass"}),
        entry("2.1.4", {"a.b": "pass"}),
    )["requirements"]
    assert [cell["verdict"] for cell in row["cells"]] == [no, "absent", "early", "pass"]
    assert row["since"] == "2.1.3", "not the document's date"


def test_what_is_promised_no_more_is_told_by_its_own_contract(entry: MakeEntry) -> None:
    no = "not applicable"
    made = tabulated(
        entry("2.1.1", {"a.b": "pass", "a.c": "pass"}, {"a.b": no, "a.c": no}),
        entry("2.1.2", {"a.b": "fail", "a.c": no}, {"a.b": no, "a.c": no}),
    )
    assert named(made["requirements"], "requirement", "a.b")["until"] == "2.1.2"
    assert [each["subject"] for each in made["differences"]] == ["promise a.b"]


def test_evidence_is_kept_once(entry: MakeEntry, not_run: Callable[[str], Entry]) -> None:
    made = tabulated(
        entry("2.1.1", {"a.b": "fail"}), not_run("2.1.2"), entry("2.1.3", {"a.b": "fail"})
    )
    first, missing, last = made["requirements"][0]["cells"]
    assert first["evidence"] == last["evidence"]
    assert made["evidence"][first["evidence"]]["findings"][0]["seen"] == '"1" (string)'
    assert missing["verdict"] == "not run"
    assert made["evidence"][missing["evidence"]] == {"reason": "npm knows no such release"}


def differing(entry: MakeEntry) -> list[Entry]:
    return [
        entry("2.1.1", {"a.b": "pass"}),
        entry("2.1.2", {"a.b": "pass"}, events=("mention",)),
        entry("2.1.4", {"a.b": "fail"}),
    ]


def test_differences_between_neighbours(entry: MakeEntry, not_run: Callable[[str], Entry]) -> None:
    first, second, last = differing(entry)
    rows = tabulated(first, second, not_run("2.1.3"), last)["differences"]
    mention = named(rows, "subject", "event mention")
    assert (mention["since"], mention["until"]) == ("2.1.2", "2.1.4")
    assert [(each["old"], each["new"], each["impact"]) for each in mention["seen"]] == [
        ("2.1.1", "2.1.2", "additive"),
        ("2.1.2", "2.1.4", "breaking"),
    ]
    promise = named(rows, "subject", "promise a.b")
    assert (promise["until"], promise["seen"][0]["impact"]) == ("2.1.4", "breaking")
    assert {each["changelog"] for row in rows for each in row["seen"]} == {None}


def test_what_fell_silent_is_no_broken_promise(entry: MakeEntry) -> None:
    whole, silent = entry("2.1.1", {"a.b": "pass"}), entry("2.1.2", {"a.b": "fail"})
    rows = tuple(replace(row, silent=True) for row in silent.own)
    made = tabulated(whole, replace(silent, own=rows, common=rows))
    assert made["differences"] == []
    assert made["requirements"][0]["until"] is None


def in_changelog(each: Difference, old: str, new: str) -> str:
    return "Added `mention` <b>" if each.change == "new" else ""


def test_a_line_of_the_changelog(entry: MakeEntry) -> None:
    made = tabulated(*differing(entry), mention=in_changelog)
    text = report.markdown(made)
    assert "The changelog says nothing of 2 of them." in text
    assert "| `event mention` | new: mention | additive |  | Added `mention` &lt;b> |" in text
    assert "| `event mention` | gone: mention | breaking |  | **not in the changelog** |" in text


def test_markdown(entry: MakeEntry, not_run: Callable[[str], Entry]) -> None:
    first, second, last = differing(entry)
    more = replace(last, undriven={"toolbox over grpc": "exit code 3\nand more"})
    text = report.markdown(tabulated(first, second, not_run("2.1.3"), more))
    assert "3 releases were run: 2.1.1, 2.1.2, 2.1.4." in text
    assert "* 2.1.3 was not run: npm knows no such release" in text
    assert "* 2.1.4 could not be driven through toolbox over grpc: exit code 3 and more" in text
    assert "| `a.b` | MUST |  |  | 2.1.4 (not 2.1.2) | `✓✓?✗` |" in text
    assert "### 2.1.2 to 2.1.4" in text
    assert "The changelog says" not in text


def test_a_page_is_whole_and_everything_in_it_is_text(entry: MakeEntry) -> None:
    evil = "</script><script>alert(1)</script>"
    first, second, last = differing(entry)
    lying = replace(last, own=(replace(last.own[0], statement=evil, reason=evil),))
    made = tabulated(first, second, lying)
    text = report.html(made)
    assert "alert(1)</script>" not in text
    assert text.count("<script") == 2
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["requirements"][0]["cells"][2][0] == "fail"
    assert evil in str(data["evidence"])
    assert 'src="' not in text
    assert text.count('<td class="c ') == 3
    assert 'data-theme="a"' in text
    assert "2.1.2 to 2.1.4" in text


def test_the_listed_deviations_are_held_to_it(entry: MakeEntry) -> None:
    name = "transport.json.integers_as_strings"  # listed from 2.1.31 on
    made = tabulated(entry("2.1.31", {name: "known", "a.b": "fail"}))
    listed = named(made["listed"], "requirement", name)
    assert (listed["standing"], listed["broken"]) == ("confirmed", ["2.1.31"])
    text = report.markdown(made)
    assert f"* `{name}`: listed from 2.1.31; broken on 2.1.31" in text
    assert "### Wrong: 1" in text
    assert "* `a.b`: not listed there; broken on 2.1.31" in text


def test_an_empty_matrix() -> None:
    made: Mapping[str, Any] = tabulated()
    assert report.markdown(made)
    assert report.html(made)
