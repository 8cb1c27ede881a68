"""Keep the prompts of a session on disk, as lines of JSON, so that events can be joined to them."""

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
        project = re.sub(r"[^A-Za-z0-9]", "-", str(folder))
        self._path = home / ".claude" / "projects" / project / f"{session_id}.jsonl"

    def prompt(self, text: str) -> str:
        """Keep a prompt of the person; return the UUID of its message."""
        message_id = str(uuid.uuid4())
        entry = {
            "type": "user",
            "message": {"role": "user", "content": text},
            "uuid": message_id,
            "sessionId": self._path.stem,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return message_id
