"""Releases of a matrix, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.assessment.matrix.folder import Entry
from harness.findings import Finding, Level, Verdict
from harness.judging.verdicts import Row

#: What the fixture ``entry`` gives, for tests to annotate it with.
MakeEntry = Callable[..., Entry]

EMPTY: Mapping[str, Any] = {
    "format": 1,
    "scenarios": {"working_day": ["grpc"]},
    "signals": {},
    "metrics": {},
    "events": {},
    "spans": {},
    "resources": {},
    "scopes": {},
    "transport": {},
    "secrets": {},
}


def row(name: str, verdict: str, *, silent: bool = False, level: Level = Level.MUST) -> Row:
    """A verdict, with a finding where the promise is broken."""
    broken = verdict in ("fail", "known")
    findings = (Finding("a number", '"1" (string)', "grpc · logs export 1"),) if broken else ()
    return Row(
        name,
        level,
        Verdict(verdict),
        f"{name} is as promised.",
        "a document, 2026-08-01",
        reason="" if verdict == "pass" else f"it is {verdict}",
        looked_at=3,
        findings=findings,
        silent=silent,
        url="https://docs.example/#x",
    )


@pytest.fixture
def entry() -> MakeEntry:
    """Make a release: its verdicts by its own contract and by the common one, and its events."""

    def make(
        version: str,
        own: Mapping[str, str],
        common: Mapping[str, str] | None = None,
        events: tuple[str, ...] = (),
        *,
        made: tuple[str, ...] = (),
        level: Level = Level.MUST,
    ) -> Entry:
        sent = {name: {"event_name": [name], "body": [name], "attributes": {}} for name in events}
        return Entry(
            version,
            f"npm:{version}",
            20.0,
            made=made,
            own=tuple(row(*each, level=level) for each in own.items()),
            common=tuple(
                row(*each, level=level) for each in (own if common is None else common).items()
            ),
            inventory={**EMPTY, "subject": {"version": version}, "events": sent},
        )

    return make


@pytest.fixture
def not_run() -> Callable[[str], Entry]:
    """Make a release that could not be run."""
    return lambda version: Entry(version, f"npm:{version}", 1.0, "npm knows no such release")
