"""The messages that a session kept on disk."""

from __future__ import annotations

import json
from pathlib import Path

from harness.capture.run import KeptMessage
from harness.subject.transcript import kept_messages


def test_messages_are_read_in_order_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / ".claude" / "projects" / "-work"
    folder.mkdir(parents=True)
    entries = [
        {"type": "queue-operation", "operation": "enqueue"},
        {"type": "user", "uuid": "u1", "message": {"content": "Hello"}},
        {"type": "assistant", "uuid": "a1"},
        ["no", "object"],
    ]
    lines = [json.dumps(entry) for entry in entries]
    (folder / "session.jsonl").write_text("\n".join([*lines, "{cut off", ""]), encoding="utf-8")
    below = folder / "session" / "subagents"
    below.mkdir(parents=True)
    (below / "agent-1.jsonl").write_text(json.dumps({"type": "assistant", "uuid": "a2"}))
    assert kept_messages(tmp_path) == (
        KeptMessage("assistant", "a2", "agent-1.jsonl"),
        KeptMessage("user", "u1", "session.jsonl"),
        KeptMessage("assistant", "a1", "session.jsonl"),
    )


def test_a_session_without_a_transcript_kept_nothing(tmp_path: Path) -> None:
    assert kept_messages(tmp_path) == ()
