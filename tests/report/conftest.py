from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.run import SubjectFacts
from harness.findings import Finding, Impact, Level, RunName, Verdict
from harness.judging.checks.canaries import Spot
from harness.judging.checks.names import Undocumented
from harness.judging.power import Doubt, Exempt, Power
from harness.judging.verdicts import Row
from harness.otlp.model import Protocol
from harness.record.header import CanaryTable, Fuzz, Header, Machine
from harness.record.moments import Moment
from harness.record.run_record import Footer, RunRecord
from harness.record.summary import Plan, RecordingSummary, RunOutcome, RunSummary

Rows = Callable[..., Row]


@pytest.fixture
def row() -> Rows:
    """Make a row: ``row("a.b", Verdict.FAIL, level=Level.SHOULD)``."""

    def make(name: str, verdict: Verdict = Verdict.PASS, **changes: Any) -> Row:
        fails = verdict in (Verdict.FAIL, Verdict.KNOWN)
        values: dict[str, Any] = {
            "level": Level.MUST,
            "statement": f"What {name} says.",
            "source": "A document (2026-02), section “One”",
            "url": "https://example.org/document#one",
            "reason": "" if verdict in (Verdict.PASS, Verdict.FAIL) else f"why {verdict}",
            "evidence": "how it is known" if verdict is Verdict.KNOWN else "",
            "looked_at": 4,
            "findings": (Finding("1 (integer)", '"1" (string)', f"grpc · {name}"),) * fails,
            "by_protocol": dict.fromkeys(Protocol, Verdict.FAIL if fails else Verdict.PASS),
        }
        return Row(name, verdict=verdict, **{**values, **changes})

    return make


@pytest.fixture
def header() -> Header:
    return Header(
        subject=SubjectFacts("npm:2.1.31", "/cache/claude", "2.1.31"),
        documents=("A document (2026-02)", "Another (2026-08)"),
        exports={"grpc": 3, "http/json": 4},
        started_unix_nano=1_790_000_000_123_456_000,
        ended_unix_nano=1_790_000_007_623_456_000,
        recording_s=5.25,
        tool="0.1.0",
        machine=Machine("Linux", "x86_64", "3.12.4"),
    )


@pytest.fixture
def stored(row: Rows, header: Header) -> RunRecord:
    """A small record with something of everything that a page shows, some of it hostile."""
    evil = "<script>alert(1)</script> \x1b[31m \u202e \"'`</pre>"
    finding = Finding(
        "no trace of it",
        evil,
        "toolbox over grpc · logs export 1 · user_prompt · record 2",
        runs=(RunName("toolbox", "grpc"),),
        around={"session.id": '"abc" (string)', evil: evil},
    )
    drawn = replace(finding, by_hand="A='<b>' claude -p Go.", runs=(RunName("free", "grpc", True),))
    rows = (
        row("privacy.prompt", Verdict.FAIL, impact=Impact.PRIVACY, findings=(finding,)),
        row("events.user_prompt.exported", impact=Impact.LOSS),
        row(
            "commits.said.not_counted",
            Verdict.KNOWN,
            impact=Impact.NUMBERS,
            reason=f"Counted, {evil}",
            advice="Leave it off.",
            findings=(drawn,),
            level=Level.SHOULD,
            url="",
        ),
        row("tls.unseen", Verdict.NOT_EXERCISED, impact=Impact.SETUP, by_protocol={}),
    )
    moments = (
        Moment("model", 0.5, 0.7, "request to the model: status 529", False),
        Moment("tools", 1.0, 1.4, "Bash"),
        Moment("logs", 2.0, 2.0, f"grpc, 120 bytes, {evil}"),
        Moment("metrics", 3.0, 3.0, "grpc, 90 bytes, refused: 503", False),
    )
    runs = (
        RunSummary("toolbox over grpc", RunOutcome.RECORDED, 4.0, folder="a", moments=moments),
        RunSummary("odd over grpc", RunOutcome.UNDRIVEN, reason=f"hung\n{evil}"),
    )
    header = replace(
        header,
        fuzz=Fuzz(60, 15.0, "quick", "42"),
        canaries=CanaryTable(
            ("closed", "prompts"),
            (Spot("prompt", f"logs {evil}", {"closed": False, "prompts": True}),),
        ),
        undocumented=(Undocumented(evil, ("event x",), ("toolbox",), ""),),
        versions={"grpcio": "1.80"},
    )
    return RunRecord(
        header,
        Plan(("toolbox over grpc",), options=("--cc-binary=npm:2.1.31",)),
        RecordingSummary(5.25, runs, {"grpc": 3}),
        rows,
        Footer.of(header, rows, 1, catalogue=len(rows), exit_code=1),
        power=Power(1, 0, 2, 0.5, (Exempt(rows[1].requirement, Doubt.BLIND, f"missed: {evil}"),)),
    )
