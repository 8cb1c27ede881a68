"""Whatever of ours comes late: no promise is broken by it, and none kept that was not seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli
from harness.assessment.recording import RecordingPlan, record_once
from harness.capture.waits import LATE_S, Waits
from harness.otlp.model import Protocol
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS
from tests.late_fakes import LATE

#: The scenario in which each of them is needed, and over which protocol.
NEEDED_IN = {
    "messages_api": ("working_day", Protocol.HTTP_JSON),
    "collector_http": ("working_day", Protocol.HTTP_JSON),
    "collector_grpc": ("working_day", Protocol.GRPC),
    "proxy": ("working_day", Protocol.GRPC),
    "mcp": ("commits", Protocol.HTTP_JSON),
    "helper": ("helper_spaced", Protocol.HTTP_JSON),
}
#: Who waits for these waits as long as it takes.
WAITED_FOR = {"messages_api", "mcp"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LATE)
def test_nobody_is_blamed_for_what_came_late(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, protocol = NEEDED_IN[name]
    LATE[name](monkeypatch.setattr, LATE_S + 1)
    made = record_once(
        RecordingPlan(
            resolve("reference", progress=print),
            (SCENARIOS[scenario],),
            300.0,
            tmp_path,
            protocols=(protocol,),
        ),
        print,
    )
    if name in WAITED_FOR:
        assert (made.summary.problem, made.summary.again) == ("", {})
        assert cli.main(["judge", str(tmp_path)]) == cli.OK
    else:
        assert "ours came too late" in made.summary.problem
        assert "ours came too late" in made.summary.again[f"{scenario} over {protocol}"]
        assert not made.captures


def test_who_still_waits_counts_too() -> None:
    waits = Waits()
    assert waits.longest_s == 0.0
    with waits.clocked():
        first = waits.longest_s
        assert 0.0 <= first <= waits.longest_s
        with waits.clocked():
            pass
        assert waits.longest_s >= first
    assert waits.longest_s == waits.longest_s > 0.0
