from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.capture.run import SubjectFacts
from harness.findings import Finding, Level, Verdict
from harness.judging.verdicts import Row
from harness.otlp.model import Protocol
from harness.record.header import Header, Machine

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
