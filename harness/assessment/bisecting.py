"""Find the release in which a promise or a difference changed, in few steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..contract.versions import Version
from ..errors import HarnessError, UsageError

#: What one look at a release says: it is as the good one, as the bad one, or cannot be told.
GOOD, BAD, SKIP = "good", "bad", "skip"


@dataclass(frozen=True, slots=True)
class Look:
    """What was found on one release: its ``state``, and the ``evidence`` for it."""

    version: str
    state: str
    evidence: str


#: Looks at one release.
Inspect = Callable[[str], Look]


@dataclass(frozen=True, slots=True)
class Found:
    """The two neighbours between which something changed.

    ``skipped`` are releases between them of which nothing could be told.
    """

    good: Look
    bad: Look
    skipped: tuple[Look, ...] = ()


class Log:
    """The looks so far, in a file of JSON lines, so that an interrupted search goes on.

    ``search`` is what was searched for: a file of another search is refused.
    """

    def __init__(self, path: Path | None, search: str) -> None:
        self._path = path
        self._search = search
        self.looks: dict[str, Look] = {}
        if path is None:
            return
        try:
            if path.exists():
                self._read(path)
            else:
                self._append({"search": search})
        except OSError as error:
            raise UsageError(
                f"--log {path}", seen=str(error), expected="a file that can be read and written"
            ) from error

    def add(self, look: Look) -> None:
        """Note one look."""
        self.looks[look.version] = look
        self._append(asdict(look))

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        # A search that was killed may have left half a line.
        whole = text[: text.rfind("\n") + 1]
        try:
            head, *rest = map(json.loads, whole.splitlines())
            search = head["search"]
            looks = [Look(**each) for each in rest]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"--log {path}",
                seen=f"a line that is none of a search ({error})",
                expected="the log of a search with these arguments, or no such file",
            ) from error
        if search != self._search:
            raise UsageError(
                f"--log {path}", seen=f"the log of {search!r}", expected=f"that of {self._search!r}"
            )
        self.looks = {look.version: look for look in looks}
        if whole != text:
            path.write_text(whole, encoding="utf-8")

    def _append(self, entry: object) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def releases_between(good: str, bad: str, published: Sequence[str]) -> list[str]:
    """Return the releases from ``good`` to ``bad``, both included, in that order.

    Raises UsageError for one that was not published.
    """
    for option, version in (("--good", good), ("--bad", bad)):
        if version not in published:
            raise UsageError(
                f"{option}={version}", seen="no such release", expected="a published version"
            )
    if good == bad:
        raise UsageError(f"--bad={bad}", seen="the same as --good", expected="another release")
    ends = sorted(map(Version.parse, (good, bad)))
    chosen = sorted(
        (version for version in published if ends[0] <= Version.parse(version) <= ends[1]),
        key=Version.parse,
    )
    return chosen if chosen[0] == good else chosen[::-1]


def bisect(
    releases: Sequence[str], inspect: Inspect, log: Log, progress: Callable[[str], None]
) -> Found:
    """Return the neighbours between which the state changes from good to bad.

    The first of ``releases`` must be good, and the last one bad; both are looked at.
    """

    def look(version: str) -> Look:
        if version not in log.looks:
            log.add(inspect(version))
        found = log.looks[version]
        progress(f"{version} is {found.state}: {found.evidence}")
        return found

    for version, state in ((releases[0], GOOD), (releases[-1], BAD)):
        seen = look(version)
        if seen.state != state:
            raise HarnessError(f"{version} was to be {state}, and is {seen.state}: {seen.evidence}")
    low, high = 0, len(releases) - 1
    while True:
        open_ones = [
            n
            for n in range(low + 1, high)
            if releases[n] not in log.looks or log.looks[releases[n]].state != SKIP
        ]
        if not open_ones:
            break
        progress(f"{len(open_ones)} releases left, about {len(open_ones).bit_length()} steps")
        middle = min(open_ones, key=lambda n: abs(2 * n - low - high))
        state = look(releases[middle]).state
        if state == GOOD:
            low = middle
        elif state == BAD:
            high = middle
    skipped = tuple(log.looks[releases[n]] for n in range(low + 1, high))
    return Found(log.looks[releases[low]], log.looks[releases[high]], skipped)
