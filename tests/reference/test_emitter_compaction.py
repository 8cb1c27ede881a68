"""The compactions of the conforming emitter."""

from __future__ import annotations

from typing import Any

import pytest

from harness.contract.versions import Version
from harness.reference.client import ApiError, Exchange, ModelReply, Usage
from harness.reference.compaction import Compaction
from harness.reference.versions import Promises

EXCHANGE = Exchange("m", 5, "req_1", ("one",))
MESSAGES = [{"role": "user", "content": [{"type": "text", "text": "Hello."}]}]


class _Client:
    """Answers every request with a word, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def ask(self, *_: object) -> ModelReply:
        if self.fails:
            raise ApiError("Overloaded", 529, EXCHANGE)
        text = {"type": "text", "text": "Hello."}
        return ModelReply(EXCHANGE, [text], Usage(1, 20, 0, 0), "end_turn", 1)


class _Reporter:
    """Keeps the events of compactions."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def happened(self, event: str, attributes: Any) -> None:
        self.told.append({"event": event, **attributes})

    def answered(self, *_: object) -> None: ...

    def failed(self, *_: object) -> None: ...


def compaction(
    version: str = "2.1.240", *, window: str = "", fails: bool = False
) -> tuple[Compaction, _Reporter]:
    client: Any = _Client(fails=fails)
    reporter: Any = _Reporter()
    promises = Promises.of(Version.parse(version))
    environ = {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": window}
    return Compaction("m", client, reporter, promises, environ), reporter


@pytest.mark.parametrize(
    ("window", "due"), [("", False), ("many", False), ("1111", True), ("1112", False)]
)
def test_it_is_due_when_the_context_is_full(window: str, due: bool) -> None:
    made, _ = compaction(window=window)
    made.note(Usage(1, 10, 100, 1000))
    assert made.due is due


def test_a_full_context_is_compacted() -> None:
    made, reporter = compaction()
    made.note(Usage(1, 10, 100, 1000))
    assert made.automatic(MESSAGES) != MESSAGES
    (told,) = reporter.told
    assert (told["trigger"], told["success"]) == ("auto", "true")
    assert (told["pre_tokens"], told["post_tokens"]) == ("1111", "20")
    assert "precompute_reuse" not in told


@pytest.mark.parametrize(
    ("version", "instructions", "reuse"),
    [
        ("2.1.152", "", None),
        ("2.1.153", "", "miss_not_ready"),
        ("2.1.153", "Keep it.", "miss_custom_instructions"),
    ],
)
def test_a_command_says_why_no_prepared_summary_was_reused(
    version: str, instructions: str, reuse: str | None
) -> None:
    made, reporter = compaction(version)
    made.command(MESSAGES, instructions)
    assert reporter.told[0].get("precompute_reuse") == reuse


def test_one_that_fails_leaves_the_conversation_as_it_was() -> None:
    made, reporter = compaction(fails=True)
    assert made.automatic(MESSAGES) == MESSAGES
    (told,) = reporter.told
    assert (told["success"], told["error"]) == ("false", "Overloaded")
    assert "post_tokens" not in told


def test_older_releases_log_nothing() -> None:
    made, reporter = compaction("2.1.104")
    made.automatic(MESSAGES)
    assert reporter.told == []
