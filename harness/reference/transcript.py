"""Keep the messages of a session on disk, in lines of JSON, so that events can join them."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path


class Transcript:
    """The transcript of one session: ``~/.claude/projects/FOLDER/SESSION.jsonl``.

    FOLDER is the path of the working directory, with a hyphen for all but letters and digits.
    """

    def __init__(self, home: Path, folder: Path, session_id: str) -> None:
        self._path = _project(home, folder) / f"{session_id}.jsonl"

    def keep(self, role: str, text: str) -> str:
        """Keep a message of the person (``user``) or of the model; return its UUID."""
        message_id = str(uuid.uuid4())
        entry = {
            "type": role,
            "message": {"role": role, "content": text},
            "uuid": message_id,
            "sessionId": self._path.stem,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return message_id


def newest_session(home: Path, folder: Path) -> str:
    """Return the id of the session that was last kept for ``folder``; empty if there is none."""
    kept = sorted(_project(home, folder).glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    return kept[-1].stem if kept else ""


def _project(home: Path, folder: Path) -> Path:
    return home / ".claude" / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(folder))
