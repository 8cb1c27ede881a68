"""Judge a capture of production data, from its files to the rows of each release."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..contract.versions import Version
from ..drift.inventory import RECORDED
from ..errors import UsageError
from ..fleet.files import Broken, Message, find, looks_written, messages
from ..fleet.release import Release
from ..fleet.rules import Fleet
from ..fleet.stock import Stocktaking
from ..fleet.stream import Stream
from ..fleet.summary import Checked, ReleaseRows
from ..judging.listing import NO_LISTING, Listing
from .job import CLAUDE

#: The oldest release that a document describes.
OLDEST = Version(2, 1, 31)


def declared(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Return the variables that were declared as ``NAME=VALUE``.

    Raises UsageError for what is no such pair.
    """
    environment = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"{option} {pair}",
                seen=repr(pair),
                expected="NAME=VALUE, such as OTEL_LOG_USER_PROMPTS=1",
            )
        environment[name] = value
    return environment


def check(
    names: Sequence[Path],
    option: str,
    environment: Mapping[str, str],
    own: Listing = NO_LISTING,
) -> Checked:
    """Judge the capture in these files and folders; it is read once, as a stream.

    ``environment`` is what is known of the variables of the sessions. Raises UsageError for a
    file that cannot be read.
    """
    paths = find(names, option)
    return check_messages(messages(paths), tuple(map(str, paths)), environment, own)


def check_messages(
    given: Iterable[Message | Broken],
    files: tuple[str, ...],
    environment: Mapping[str, str],
    own: Listing = NO_LISTING,
) -> Checked:
    """Judge these messages, as :func:`check` does; ``files`` say where they are from."""
    stream = Stream(CLAUDE.contract, Fleet(environment))
    with _few_collections():
        stream.feed(given)
    stream.end()
    today = datetime.now(UTC).date()
    ordered = sorted(stream.releases.values(), key=lambda release: release.contract.version)
    return Checked(
        files=files,
        messages=stream.messages,
        releases=tuple(_rows(release, own, today) for release in ordered),
        broken=tuple(stream.broken),
        number_broken=stream.number_broken,
        unreleased=stream.unreleased,
        foreign=stream.foreign,
        environment=environment,
        forgotten=sum(release.sessions.forgotten for release in ordered),
    )


def _rows(release: Release, own: Listing, today: date) -> ReleaseRows:
    rows = tuple(release.rows(CLAUDE.expectations(RECORDED, release.contract, own, today)))
    more = {
        row.requirement: number
        for row in rows
        if (number := release.number_broken(row.requirement)) > len(row.findings)
    }
    note = ""
    if release.contract.version < OLDEST:
        note = (
            f"no document speaks of this release: the oldest that one describes is {OLDEST}, "
            "by whose document it was judged"
        )
    return ReleaseRows(release.version, rows, dict(release.items), more, note)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage less often: nearly all that a stream makes is freed without it."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def take_stock(name: Path, option: str, progress: Callable[[str], None]) -> dict[str, Any]:
    """Return the inventory of a capture; it is read once, as a stream.

    What a rotation has cut off is told to ``progress``, and the rest is looked at. Raises
    UsageError for a capture that cannot be read, and for one without whole items of the CLI.
    """
    taking = Stocktaking()
    with _few_collections():
        taking.feed(messages(find([name], option)))
    for broken in taking.broken:
        progress(f"not read: {broken.where}: {broken.why}")
    if not taking.releases:
        cut = f", {taking.number_broken} messages that cannot be read" * bool(taking.number_broken)
        raise UsageError(
            f"{option} {name}",
            seen=f"no item of a release{cut}",
            expected="telemetry of the claude CLI",
        )
    return taking.inventory()


#: In so many bytes of a file, a whole line begins after one that a rotation cut.
_BEGINNING = 1 << 20


def is_capture(path: Path) -> bool:
    """Say whether a file, or the first file of a folder, is a capture of production data."""
    try:
        if path.is_dir():
            return any(map(_begins_as_one, find([path], "")[:1]))
        return path.is_file() and _begins_as_one(path)
    except UsageError:
        return False


def _begins_as_one(path: Path) -> bool:
    with path.open("rb") as file:
        return looks_written(file.read(_BEGINNING))
