from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.run import SubjectFacts
from harness.findings import Finding, Level, RunName, Verdict
from harness.judging.decision import NOTHING_EXERCISED, decision
from harness.judging.power import Doubt, Exempt, Power
from harness.judging.verdicts import Row
from harness.otlp.model import Protocol
from harness.record.header import COLLECTOR, Fuzz, Header, RelayFacts, Sent
from harness.report.failure import failure
from harness.report.line import Line, Style
from harness.report.rerun import rerun
from harness.report.summary import SHOWN_FAILURES, Summary
from harness.report.terminal import render, theme

Rows = Callable[..., Row]
Show = Callable[..., list[Line]]


@pytest.fixture
def show(header: Header) -> Show:
    """Render rows; all of them were selected unless ``selected`` says otherwise."""

    def make(rows: Sequence[Row], **changes: Any) -> list[Line]:
        values: dict[str, Any] = {"selected": len(rows), "header": header, **changes}
        return render(Summary(rows=rows, rerun=lambda row: f"again {row.requirement}", **values))

    return make


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]


def test_the_head_says_what_was_run(show: Show, row: Rows) -> None:
    shown = texts(show([row("a.b"), row("a.c", Verdict.KNOWN)]))
    assert shown[:5] == [
        "subject    npm:2.1.31 · claude 2.1.31 · /cache/claude",
        "contract   A document (2026-02)",
        "           Another (2026-08)",
        "exports    grpc 3, http/json 4 · subjects ran 5.2 s · 7.5 s in all",
        "verdicts   1 pass · 1 known",
    ]


def test_the_head_says_how_to_draw_the_same_again(show: Show, row: Rows, header: Header) -> None:
    drawn = replace(header, fuzz=Fuzz(60, 15.0, "quick", "42"))
    assert (
        "fuzz       60 sessions with drawn input in 15.0 s (4.0 a second) · profile quick · "
        "--hypothesis-seed=42"
    ) in texts(show([row("a.b")], header=drawn))


def test_a_finding_of_drawn_input_can_be_seen_by_hand(show: Show, row: Rows) -> None:
    finding = Finding("1", "2", "here", by_hand="A=1 claude -p Go.")
    shown = texts(show([row("a.b", Verdict.FAIL, findings=(finding,))]))
    assert "      by hand   A=1 claude -p Go." in shown


def test_a_path_is_said_once(show: Show, row: Rows, header: Header) -> None:
    subject = replace(header.subject, spec="/cache/claude")
    shown = texts(show([row("a.b")], header=replace(header, subject=subject, exports={})))
    assert shown[0] == "subject    /cache/claude · claude 2.1.31"
    assert shown[3].startswith("exports    none")


def test_themes_are_counted(show: Show, row: Rows) -> None:
    rows = [
        *(row(f"events.user_prompt.{n}") for n in range(4)),
        row("events.user_prompt.z", Verdict.FAIL),
        row("transport.accepted"),
        row("events.lonely.one"),
        row("events.other.one", Verdict.KNOWN),
        row("tls.unseen", Verdict.NOT_EXERCISED),
    ]
    shown = show(rows)
    start = next(n for n, line in enumerate(shown) if line.text.startswith("theme"))
    assert [line.text.split() for line in shown[start : start + 5]] == [
        ["theme", "pass", "fail", "known", "not", "exercised"],
        ["events.user_prompt", "4", "1", "·", "·"],
        ["events", "1", "·", "1", "·"],
        ["transport", "1", "·", "·", "·"],
        [],
    ]
    assert shown[start + 1].style is Style.BAD
    assert shown[start + 3].style is Style.PLAIN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("metrics.token_usage.type.value", "metrics.token_usage"),
        ("events.sequence", "events"),
        ("transport.json.integers_as_strings", "transport"),
    ],
)
def test_theme(name: str, expected: str) -> None:
    assert theme(name) == expected


def test_each_failure_tells_all(show: Show, row: Rows) -> None:
    shown = texts(show([row("a.b", Verdict.FAIL), row("a.c")]))
    start = shown.index("failures (1)")
    assert shown[start + 1 : start + 9] == [
        "  FAIL a.b",
        "    What a.b says. [MUST]",
        "      expected  1 (integer)",
        '      seen      "1" (string)',
        "      where     grpc · a.b",
        "      source    A document (2026-02), section “One”",
        "      link      https://example.org/document#one",
        "      rerun     again a.b",
    ]
    assert shown[-1] == "FAILED: 1 of 2 requirements fail the run"


def test_many_failures_are_cut_short(show: Show, row: Rows) -> None:
    shown = texts(show([row(f"a.b{n}", Verdict.FAIL) for n in range(SHOWN_FAILURES + 3)]))
    assert f"failures ({SHOWN_FAILURES + 3})" in shown
    assert "  and 3 more, each shown above" in shown
    assert f"  FAIL a.b{SHOWN_FAILURES}" not in shown


def test_a_should_that_fails_is_shown_and_does_not_fail(show: Show, row: Rows) -> None:
    shown = show([row("a.b", Verdict.FAIL, level=Level.SHOULD)])
    found = texts(shown)
    assert "  a.b [SHOULD]" in found
    assert '    expected 1 (integer), seen "1" (string), at grpc · a.b' in found
    assert not any(text.startswith("failures") for text in found)
    assert shown[-1] == Line("OK: no MUST is broken, listed deviations aside", Style.GOOD)


def test_known_deviations_are_grouped_by_reason(show: Show, row: Rows) -> None:
    rows = [
        row("a.b", Verdict.KNOWN, reason="No unit."),
        row("a.c", Verdict.KNOWN, reason="Not there."),
        row("a.d", Verdict.KNOWN, reason="No unit."),
    ]
    shown = texts(show(rows))
    start = shown.index("known deviations, listed and seen again (3)")
    assert shown[start + 1 : start + 6] == [
        "  No unit.",
        "    a.b",
        "    a.d",
        "  Not there.",
        "    a.c",
    ]


def test_what_was_not_exercised_takes_few_lines(show: Show, row: Rows) -> None:
    rows = [
        row("a.b", Verdict.NOT_EXERCISED, reason="rare"),
        *(row(f"a.c{n}", Verdict.NOT_EXERCISED, reason="needs more") for n in range(60)),
        *(row(f"a.d{n}", Verdict.NOT_APPLICABLE) for n in range(5)),
        row("a.e"),
    ]
    shown = texts(show(rows))
    start = shown.index("not exercised (61)")
    assert shown[start + 1 : start + 4] == [
        "    60  needs more",
        "     1  rare",
        "not applicable (5): promised for other versions only",
    ]
    assert shown[-1] == "OK: no deviation was seen"


def test_nothing_exercised_is_said_with_the_reason(show: Show, row: Rows) -> None:
    rows = [row("a.b", Verdict.NOT_EXERCISED), row("a.c", Verdict.NOT_APPLICABLE)]
    shown = show(rows, problem="claude hung\nlast output:\nwaiting")
    assert Line("claude hung", Style.BAD) in shown
    assert Line("waiting", Style.BAD) in shown
    assert shown[-1] == Line(f"FAILED: {NOTHING_EXERCISED}", Style.BAD)


def test_a_run_that_was_broken_off_is_not_called_ok(show: Show, row: Rows) -> None:
    shown = texts(show([row("a.b")], selected=9, written=["record  somewhere"]))
    assert shown[-2:] == ["record  somewhere", "broken off: 1 of 9 requirements were judged"]


def test_fixed_and_error_rows_say_what_to_do(row: Rows) -> None:
    fixed = failure(row("a.b", Verdict.FIXED, evidence="measured"), "again")
    assert fixed[1] == (
        "  fixed     the deviation that schemas/expectations.json lists was not seen"
    )
    assert "  listed    why fixed" in fixed
    assert "  evidence  measured" in fixed
    error = failure(row("a.b", Verdict.ERROR, reason="a broken file"), "again")
    assert error[1] == "  error     a broken file"


def test_many_findings_are_counted(row: Rows) -> None:
    findings = tuple(Finding(f"e{n}", f"s{n}", f"w{n}") for n in range(5))
    protocols = {Protocol.GRPC: Verdict.FAIL, Protocol.HTTP_JSON: Verdict.PASS}
    lines = failure(
        row("a.b", Verdict.FAIL, findings=findings, looked_at=9, by_protocol=protocols), "again"
    )
    assert lines == [
        "What a.b says. [MUST]",
        *(
            text
            for n in range(3)
            for text in (f"  expected  e{n}", f"  seen      s{n}", f"  where     w{n}")
        ),
        "            and 2 more, of 9 looked at",
        "  over      grpc: fail, http/json: pass",
        "  source    A document (2026-02), section “One”",
        "  link      https://example.org/document#one",
        "  rerun     again",
    ]


def test_what_was_measured_here_has_no_link(row: Rows) -> None:
    lines = failure(row("a.b", Verdict.FAIL, url=""), "again")
    assert [line.split()[0] for line in lines[-2:]] == ["source", "rerun"]


def test_a_rerun_can_be_pasted(row: Rows) -> None:
    assert rerun(["--cc-binary=/a b/claude"], row("a.b")) == "pytest '--cc-binary=/a b/claude' a.b"


def found_in(row: Rows, *runs: RunName) -> Row:
    """A row whose first finding was seen in these runs."""
    first = Finding("1", "2", "there", runs=runs)
    return row("a.b", Verdict.FAIL, findings=(first, Finding("1", "2", "elsewhere")))


@pytest.mark.parametrize(
    ("runs", "options"),
    [
        ([("day", "grpc")], "--cc-scenarios=day --cc-protocols=grpc"),
        (
            [("day", "http/json"), ("night", "grpc")],
            "--cc-scenarios=day,night --cc-protocols=grpc,http/json",
        ),
        ([("day", over) for over in Protocol], "--cc-scenarios=day"),
    ],
)
def test_a_rerun_names_the_runs_of_the_first_finding(
    row: Rows, runs: list[tuple[str, str]], options: str
) -> None:
    failed = found_in(row, *(RunName(*run) for run in runs))
    asked = ["--cc-binary=claude", "--cc-scenarios=day,night,noon", "--cc-slow"]
    assert rerun(asked, failed) == f"pytest --cc-binary=claude --cc-slow {options} a.b"


def test_a_rerun_runs_the_cli_in_front_of_a_collector_only_where_it_is_of_use(row: Rows) -> None:
    asked = ["--cc-collector=http://a:1", "--cc-binary=claude", "--cc-deadline=7"]
    sent = found_in(row, RunName("passing", "grpc"))
    assert rerun(asked, sent) == (
        "pytest --cc-collector=http://a:1 --cc-scenarios=passing --cc-protocols=grpc a.b"
    )
    live = found_in(row, RunName("live_working_day", "grpc"), RunName("passing", "grpc"))
    assert rerun(asked, live) == (
        "pytest --cc-collector=http://a:1 --cc-binary=claude --cc-deadline=7 "
        "--cc-scenarios=live_working_day,passing --cc-protocols=grpc a.b"
    )
    assert rerun(asked, row("a.b")) == f"pytest {' '.join(asked)} a.b"


def test_a_rerun_of_drawn_input_draws_the_same_again(row: Rows) -> None:
    failed = found_in(row, RunName("fuzz", "grpc", drawn=True))
    asked = ["--cc-binary=claude", "--cc-protocols=grpc,http/json"]
    assert rerun(asked, failed, Fuzz(30, 9.5, "ci", "4711")) == (
        "pytest --cc-binary=claude --cc-protocols=grpc,http/json --cc-scenarios=fuzz "
        "--hypothesis-profile=ci --hypothesis-seed=4711 a.b"
    )
    assert rerun(asked[:1], failed) == "pytest --cc-binary=claude --cc-scenarios=fuzz a.b"


@pytest.mark.parametrize(
    ("verdicts", "failed", "why"),
    [
        ([], True, NOTHING_EXERCISED),
        ([Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE], True, NOTHING_EXERCISED),
        ([Verdict.KNOWN], False, "no MUST is broken"),
        ([Verdict.PASS, Verdict.NOT_EXERCISED], False, "no MUST is broken"),
        ([Verdict.PASS, Verdict.FIXED], True, "1 of 2 requirements fail"),
        ([Verdict.ERROR], True, f"{NOTHING_EXERCISED}; 1 of 1 requirements fail"),
    ],
)
def test_decision(row: Rows, verdicts: list[Verdict], failed: bool, why: str) -> None:
    decided = decision([row(f"a.b{n}", each) for n, each in enumerate(verdicts)])
    assert decided.failed is failed
    assert decided.why.startswith(why)


def test_the_head_names_a_collector_and_what_was_sent_to_it(
    show: Show, row: Rows, header: Header
) -> None:
    facts = RelayFacts(
        command="otelcol --config {config}",
        config="/etc/otelcol.yaml",
        outlets=("grpc", "scrape"),
        changes="/etc/changes.toml",
        sent=(Sent("2.1.332", 8, "recorded 2026-11-27"), Sent("2.1.333", 1, "run meanwhile")),
    )
    subject = SubjectFacts("otelcol --config {config}", "otelcol", "0.0.0")
    of_one = replace(header, job=COLLECTOR, subject=subject, relay=facts)
    shown = texts(show([row("a.b")], header=of_one))
    assert shown[:5] == [
        "collector  otelcol --config {config} · configuration /etc/otelcol.yaml",
        "sent       8 sessions of claude 2.1.332, recorded 2026-11-27",
        "           1 session of claude 2.1.333, run meanwhile",
        "seen at    grpc, scrape",
        "declared   /etc/changes.toml",
    ]
    assert "0.0.0" not in "\n".join(shown)
    url = SubjectFacts("http://127.0.0.1:4318", "http://127.0.0.1:4318", "0.0.0")
    alone = replace(of_one, subject=url, relay=RelayFacts(urls=("http://127.0.0.1:4318",)))
    assert texts(show([row("a.b")], header=alone))[:2] == [
        "collector  http://127.0.0.1:4318",
        "seen at    no place: the receiving side only",
    ]
    unknown = replace(of_one, subject=url, relay=None)
    assert texts(show([row("a.b")], header=unknown))[0] == "collector  http://127.0.0.1:4318"


def test_a_deviation_of_ones_own_list_is_told_apart(show: Show, row: Rows) -> None:
    own = row("a.b", Verdict.KNOWN, listed_in="own.json")
    shown = texts(show([own, row("a.c", Verdict.KNOWN)]))
    assert "    a.b (listed in own.json)" in shown
    assert "    a.c" in shown
    gone = "\n".join(failure(replace(own, verdict=Verdict.FIXED), "again"))
    assert "the deviation that own.json lists was not seen" in gone
    ours = "\n".join(failure(row("a.c", Verdict.FIXED), "again"))
    assert "the deviation that schemas/expectations.json lists was not seen" in ours


def test_an_error_of_everything_is_told_once(show: Show, row: Rows) -> None:
    rows = [row(f"a.c{number}", Verdict.ERROR, reason="it died") for number in range(20)]
    shown = texts(show([row("b.c", Verdict.FAIL), *rows, row("b.d", Verdict.ERROR)]))
    failures = shown[shown.index("failures (22)") :]
    assert [line for line in failures if line.startswith("  ERROR")] == [
        "  ERROR b.d",
        "  ERROR a.c0",
    ]
    assert "    and 19 more for the same reason" in failures


def test_each_promise_that_lies_got_past_is_told(show: Show, row: Rows) -> None:
    doubted = (Exempt("a.c", Doubt.UNTOLD, "none"), Exempt("a.b", Doubt.BLIND, "missed: a.b~1"))
    shown = show([row("a.b")], power=Power(3, 1, 5, 0.1, doubted))
    told = "power      of 3 promises kept, 1 would have failed a lie about this run (5 lies, 0.1 s)"
    start = texts(shown).index(told)
    assert texts(shown)[start + 1 : start + 5] == [
        "  every lie was missed (1)",
        "    a.b: missed: a.b~1",
        "  no lie can be told about this run (1)",
        "    a.c: none",
    ]
    assert shown[start + 1].style is Style.BAD
