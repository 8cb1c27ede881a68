"""Read what a session kept of its messages on disk, in ``~/.claude/projects``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..capture.run import KeptMessage


def kept_messages(home: Path) -> tuple[KeptMessage, ...]:
    """Return every message in the transcripts below ``home``, in the order of each file.

    Those of subagents are in folders of their sessions.
    A line that is no JSON object with a type and a UUID tells of no message. The format is the
    CLI's own and may change, so that nothing is returned for what is not understood.
    """
    return tuple(
        message
        for path in sorted((home / ".claude" / "projects").rglob("*.jsonl"))
        for message in _messages(path)
    )


def _messages(path: Path) -> Iterator[KeptMessage]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "uuid" in entry and "type" in entry:
            yield KeptMessage(str(entry["type"]), str(entry["uuid"]), path.name)
