"""Log the bodies of API requests and responses, inline or by reference to files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .attributes import REDACTED, Attributes, compact_json, length, shortened
from .settings import IN_FILES, INLINE, Settings
from .versions import Promises


@dataclass(frozen=True, slots=True)
class Bodies:
    """What is logged of each attempt of a request, and of each answer.

    ``report`` takes an event and its attributes; a relative folder of files is below ``folder``.
    """

    settings: Settings
    promises: Promises
    report: Callable[[str, Attributes], None]
    query_source: str
    folder: Path

    @property
    def wanted(self) -> bool:
        in_files = self.settings.raw_bodies.startswith(IN_FILES)
        promised = self.promises.bodies_in_files if in_files else self.promises.bodies
        return promised and self.settings.raw_bodies != ""

    def request(self, body: bytes) -> None:
        """Log one attempt of a request, whose parameters are in ``body``."""
        if not self.wanted:
            return
        request = json.loads(body)
        self._log(
            "api_request_body", request, str(request["model"]), f"{uuid.uuid4()}.request.json", {}
        )

    def response(
        self,
        message: Mapping[str, Any],
        content: Sequence[Mapping[str, Any]],
        request_id: str,
    ) -> None:
        """Log an answer: ``message`` is all of it but its ``content``."""
        if not self.wanted:
            return
        more: Attributes = {"request_id": request_id} if request_id else {}
        name = f"{request_id or uuid.uuid4()}.response.json"
        body = {**message, "content": list(content)}
        self._log("api_response_body", body, str(message["model"]), name, more)

    def _log(
        self, event: str, body: Mapping[str, Any], model: str, name: str, more: Attributes
    ) -> None:
        text = compact_json(_without_thoughts(body))
        attributes: Attributes = {"model": model, "query_source": self.query_source, **more}
        if self.settings.raw_bodies.startswith(IN_FILES):
            folder = self.folder / self.settings.raw_bodies.removeprefix(IN_FILES)
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8")
            attributes |= {"body_ref": str(path), "body_length": len(text.encode())}
        elif self.settings.raw_bodies == INLINE:
            limit = self.settings.content_limit
            attributes |= {"body": shortened(text, limit), "body_length": length(text)}
            if length(text) > limit:
                attributes["body_truncated"] = "true"
        self.report(event, attributes)


def _without_thoughts(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_thoughts(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _without_thoughts(each) for key, each in value.items()}
    if plain.get("type") == "thinking":
        plain["thinking"] = REDACTED
    return plain
