"""The session that comes before a scenario's own."""

from __future__ import annotations

import pytest

from harness.errors import SubjectError
from harness.fakes.script import Fail, Say
from harness.otlp.model import Protocol
from harness.running.drive import drive
from harness.running.scenario import Earlier, Scenario
from harness.subject.binary import resolve
from harness.subject.process import ProcessGroups


def going_on(args: tuple[str, ...], *script: Say | Fail) -> Scenario:
    return Scenario(
        name="going_on",
        description="Goes on",
        prompt="And then?",
        script=(Say("Nothing."),),
        earlier=Earlier("What happened before all this?", script or (Say("A lot."),)),
        prepare=lambda stage: [arg.replace("ID", stage.earlier_session) for arg in args],
    )


def play(scenario: Scenario) -> tuple[set[object], tuple[str, ...], str]:
    """Return the session ids and kinds of start that were sent, and the ids that the API heard."""
    capture = drive(
        resolve("reference", progress=print), scenario, Protocol.HTTP_JSON, 300.0, ProcessGroups()
    )
    (point,) = capture.data_points("claude_code.session.count")
    heard = tuple({call.session_id for call in capture.run.truth.api_calls})
    assert capture.run.truth.prompts == ("And then?",)
    assert len(capture.events("user_prompt")) == 1
    assert "an_earlier_session" in capture.run.traits
    assert any("before all this" in secret.text for secret in capture.run.truth.secrets)
    return {point.attributes["session.id"]}, heard, str(point.attributes["start_type"])


def test_only_the_second_session_is_captured() -> None:
    sent, heard, started = play(going_on(("--resume", "ID")))
    assert sent == set(heard)
    assert started == "resume"


def test_an_earlier_session_that_fails_is_told() -> None:
    scenario = going_on((), Fail(400, "not today", times=None))
    with pytest.raises(SubjectError, match="the session before it ended with exit code 1"):
        play(scenario)
