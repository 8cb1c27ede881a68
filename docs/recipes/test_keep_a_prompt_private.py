"""Keep a prompt private: a word that occurs nowhere else must not occur in any byte."""

import pytest
from pytest_cc_otel import Say

WORD = "zygodactyl"


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
def test_a_prompt_stays_here(claude, protocol):
    session = claude(prompt=f"What is {WORD}?", script=[Say("A foot.")], protocol=protocol)
    prompt = session.event("user_prompt")
    assert prompt.attributes["prompt"] == "<REDACTED>"
    assert not [export for export in session.exports if WORD.encode() in export.body]
