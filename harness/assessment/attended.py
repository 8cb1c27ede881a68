"""Run any command against a collector of ours, and judge what a capture alone can show."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..capture.export import Export
from ..collector.collector import Collector
from ..errors import UsageError
from ..fleet.files import Broken, Message
from ..fleet.summary import Checked
from ..judging.listing import Listing
from ..keeping.attended import Ended, attend
from ..otlp.model import Protocol
from ..watching.variables import environment
from ..watching.watching import as_line
from .fleet import check_messages

#: What the capture is called where it is not kept.
_NOT_KEPT = "what arrived"

#: Variables that say how a session was set up, and those among them that may hold a credential.
_OF_SESSIONS = re.compile(r"(OTEL|CLAUDE_CODE|DISABLE|ENABLE)_[A-Z0-9_]*")
_PRIVATE = re.compile(r"HEADERS|TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH|CERT")


@dataclass(frozen=True, slots=True)
class Attended:
    """What came of a command: how it ended, and what was captured of it.

    ``requests`` arrived in all, ``refused`` among them were not taken.
    """

    argv: tuple[str, ...]
    ended: Ended
    requests: int
    refused: int
    checked: Checked

    @property
    def how_it_ended(self) -> str:
        """Its end, in words."""
        code = self.ended.code
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        left = self.ended.left
        many = "1 process" if left == 1 else f"{left} processes"
        rest = f"; left behind and ended by us: {many}" if left else ""
        return f"ended with {how} after {self.ended.seconds:.1f} s{rest}"

    def as_json(self) -> dict[str, Any]:
        """Return what is not in the judgement as JSON's values."""
        code = self.ended.code
        return {
            "subject": {
                "argv": list(self.argv),
                "exit_code": code if code >= 0 else None,
                "signal": -code if code < 0 else None,
                "seconds": round(self.ended.seconds, 3),
                "left_behind": self.ended.left,
            },
            "requests": self.requests,
            "refused": self.refused,
        }


def run(
    argv: Sequence[str],
    protocol: Protocol,
    own: Listing,
    *,
    keep: Path | None = None,
    to_stderr: bool = False,
) -> Attended:
    """Run a command until it ends, and judge its telemetry by what a capture alone can show.

    It gets our own environment, with the variables that lead its telemetry here. ``keep`` is a
    new file for what was taken, as a Collector's file exporter writes it. ``to_stderr``: its
    standard output goes to standard error. Raises UsageError for a command that cannot be started
    and a file that cannot be made, KeyboardInterrupt if we are told to end.
    """
    if keep is not None:
        _write(keep, b"", "xb")
    with Collector() as collector:
        env = environment(os.environ, collector, protocol)
        try:
            ended = attend(argv, env, to_stderr=to_stderr)
        except OSError as error:
            raise UsageError(
                f"CMD {argv[0]!r}",
                seen=error.strerror or str(error),
                expected="a program that can be started",
            ) from error
    exports, forgotten = collector.store.snapshot()
    lines = {export.sequence: as_line(export) for export in exports}
    if keep is not None:
        _write(keep, b"".join(filter(None, lines.values())), "wb")
    name = _NOT_KEPT if keep is None else str(keep)
    declared = _declared(env)
    checked = check_messages(_messages(name, exports, lines, forgotten), (name,), declared, own)
    refused = sum(bool(export.rejected) for export in exports)
    return Attended(tuple(argv), ended, len(exports) + forgotten, refused, checked)


def _messages(
    name: str, exports: Sequence[Export], lines: Mapping[int, bytes | None], forgotten: int
) -> Iterator[Message | Broken]:
    """Yield what was taken, and what was not as something that cannot be read."""
    if forgotten:
        yield Broken(f"the first {forgotten} requests", "there was no memory left for them")
    number, byte = 1, 0
    for export in exports:
        line = lines[export.sequence]
        if line is None:
            said = f"request {export.sequence}: {export.method} {export.path.partition('?')[0]}"
            refused = f"refused with {export.status}: {export.rejected}"
            yield Broken(said, refused if export.rejected else str(export.decode_error))
            continue
        yield Message(name, number, byte, line)
        number += 1
        byte += len(line)


def _declared(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say how the sessions were set up, without credentials."""
    return {
        name: value
        for name, value in sorted(env.items())
        if _OF_SESSIONS.fullmatch(name) and not _PRIVATE.search(name)
    }


def _write(path: Path, content: bytes, mode: str) -> None:
    try:
        with path.open(mode) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(
            f"--output {path}", seen=str(error), expected="a new file that can be written"
        ) from error
