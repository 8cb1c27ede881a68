"""Test what only some releases do: the marker skips the test on all others, and says why."""

import pytest
from pytest_cc_otel import Say


@pytest.mark.claude(version=">=2.1.122")
def test_on_newer_releases(claude):
    session = claude(script=[Say("Hello.")])
    assert session.completed.subject.version
    assert session.event("user_prompt").attributes["prompt_length"]


@pytest.mark.claude(version=">=2.1.31, <2.1.32")
def test_on_an_old_one(claude):
    assert claude(script=[Say("Hello.")]).completed.subject.version == "2.1.31"
