"""What this theme adds to the conforming emitter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...reference.additions import AddedEvent, Logged
from ...reference.attributes import Attributes


def _mentions(logged: Logged) -> Iterator[Attributes]:
    for name in re.findall(r"@([\w./-]*\w)", logged.prompt):
        path = logged.folder / name
        if agent := re.fullmatch(r"agent-([\w-]+)", name):
            defined = (logged.folder / ".claude" / "agents" / f"{agent[1]}.md").is_file()
            yield {"mention_type": "agent", "success": "true" if defined else "false"}
            continue
        yield {
            "mention_type": "directory" if path.is_dir() else "file",
            "success": "true" if path.exists() else "false",
        }


EMITTED = (AddedEvent("at_mention", after="user_prompt", since="2.1.122", records=_mentions),)
