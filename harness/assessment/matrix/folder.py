"""Keep what was found on each release in a folder of its own, whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ...capture.serialization import from_plain, to_plain
from ...contract.versions import Version
from ...drift.inventory import FORMAT as INVENTORY_FORMAT
from ...errors import UsageError
from ...judging.verdicts import Row
from ...keeping import folders
from ...record.jsonl import row_from_plain, row_to_plain

#: The version of the folder's format.
FORMAT = 1

PLAN, RELEASES, ENTRY = "plan.json", "releases", "release.json.gz"

#: What a lock of a release, and of the plan, ends with.
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """What is done with each release of a matrix, so that all can be compared.

    Each is run through ``scenarios``, and judged by its own contract and by that of release
    ``by``.
    """

    by: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found on one release; without ``inventory``, it was not run, for a ``reason``.

    ``own`` are the verdicts by the contract of the release itself, ``common`` those by the
    contract that all releases of the matrix are judged by. ``made`` are the labels of the runs
    that were recorded, ``undriven`` those that could not be driven, with the reasons.
    """

    version: str
    spec: str
    seconds: float
    reason: str = ""
    made: tuple[str, ...] = ()
    undriven: Mapping[str, str] = field(default_factory=dict)
    own: tuple[Row, ...] = ()
    common: tuple[Row, ...] = ()
    inventory: Mapping[str, Any] | None = None

    @property
    def ran(self) -> bool:
        """Whether the release was run."""
        return self.inventory is not None

    @property
    def current(self) -> bool:
        """Whether it was run, and its inventory has today's format."""
        return self.inventory is not None and self.inventory.get("format") == INVENTORY_FORMAT


class MatrixFolder:
    """The folder of a matrix: its plan, and a folder for each release that is finished."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_for(self, plan: MatrixPlan) -> None:
        """Write the plan, or hold it to the one that is there.

        Raises UsageError for a matrix of other scenarios or another contract, and for a folder
        that cannot be written.
        """
        file = self.path / PLAN
        with _writing(self.path):
            (self.path / RELEASES).mkdir(parents=True, exist_ok=True)
            with FileLock(f"{file}{_LOCK}"):
                if not file.exists():
                    _write_text(file, _json({"format": FORMAT, **to_plain(plan)}))
                    return
        there = self.plan()
        if there != plan:
            raise UsageError(
                f"matrix {self.path}",
                seen=f"one of {_told(there)}",
                expected=f"one of {_told(plan)}, or a new folder",
            )

    def exists(self) -> bool:
        """Return whether a matrix was begun in the folder."""
        return (self.path / PLAN).exists()

    def plan(self) -> MatrixPlan:
        """Return the plan. Raises UsageError if the folder is none of a matrix."""
        data = _read(self.path / PLAN, "a folder that cc-harness matrix made")
        try:
            return from_plain(MatrixPlan, data)
        except ValueError as error:
            raise _broken(self.path / PLAN, error) from error

    def entries(self) -> list[Entry]:
        """Return what is finished, the oldest release first."""
        found = sorted((self.path / RELEASES).glob(f"[0-9]*/{ENTRY}"))
        entries = [self._entry(file) for file in found]
        return sorted(entries, key=lambda entry: Version.parse(entry.version))

    def finished(self, version: str) -> Entry | None:
        """Return what is there of one release."""
        file = self._of(version) / ENTRY
        return self._entry(file) if file.exists() else None

    @contextmanager
    def claimed(self, version: str) -> Iterator[bool]:
        """Hold a release for this process; false if another one has it."""
        with _writing(self.path):
            lock = FileLock(self.path / RELEASES / f".{version}{_LOCK}")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                yield False
                return
        try:
            yield True
        finally:
            lock.release()

    def is_claimed(self, version: str) -> bool:
        """Return whether a process is at work on this release."""
        with self.claimed(version) as ours:
            return not ours

    @contextmanager
    def scratch(self, version: str) -> Iterator[Path]:
        """Give a folder for what is not whole yet; it is gone afterwards, unless it was kept."""
        with ExitStack() as stack:
            with _writing(self.path):
                unfinished = folders.unfinished(f".{version}.part-", self.path / RELEASES)
                folder = stack.enter_context(unfinished)
            yield folder

    def keep(self, entry: Entry, scratch: Path) -> None:
        """Make the scratch folder, with this entry in it, the folder of its release."""
        with _writing(self.path):
            text = _json({"format": FORMAT, **_plain(entry)})
            (scratch / ENTRY).write_bytes(gzip.compress(text.encode()))
            scratch.chmod(0o755)
            place = self._of(entry.version)
            if place.exists():
                shutil.rmtree(place)
            os.replace(scratch, place)

    def take(self, other: MatrixFolder, entry: Entry) -> None:
        """Copy a release that another folder holds."""
        with self.scratch(entry.version) as scratch, _writing(self.path):
            shutil.copytree(other._of(entry.version), scratch, dirs_exist_ok=True)
            self.keep(entry, scratch)

    def _of(self, version: str) -> Path:
        return self.path / RELEASES / version

    def _entry(self, file: Path) -> Entry:
        data = _read(file, "a release of a matrix")
        try:
            own, common = (tuple(map(row_from_plain, data.pop(key))) for key in ("own", "common"))
            inventory = data.pop("inventory")
            plain = from_plain(Entry, {**data, "own": [], "common": [], "inventory": None})
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(file, error) from error
        return replace(plain, own=own, common=common, inventory=inventory)


def merge(folders: Sequence[MatrixFolder], into: MatrixFolder) -> None:
    """Gather the releases of several folders in one; what was run wins over what was not.

    Raises UsageError if they are not of one plan.
    """
    plans = {str(folder.path): folder.plan() for folder in folders}
    (first, plan), *others = plans.items()
    for name, other in others:
        if other != plan:
            raise UsageError(
                f"matrix {name}", seen=_told(other), expected=f"{_told(plan)}, as in {first}"
            )
    into.open_for(plan)
    for folder in folders:
        if folder.path.resolve() == into.path.resolve():
            continue
        for entry in folder.entries():
            there = into.finished(entry.version)
            if there is None or (entry.ran and not there.ran):
                into.take(folder, entry)


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "spec": entry.spec,
        "seconds": round(entry.seconds, 1),
        "reason": entry.reason,
        "made": list(entry.made),
        "undriven": dict(entry.undriven),
        "own": [row_to_plain(row) for row in entry.own],
        "common": [row_to_plain(row) for row in entry.common],
        "inventory": entry.inventory,
    }


def _told(plan: MatrixPlan) -> str:
    return f"{', '.join(plan.scenarios)}, judged by the contract of {plan.by}"


def _read(file: Path, expected: str) -> dict[str, Any]:
    try:
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        data = json.loads(text)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UsageError(f"file {file}", seen=str(error), expected=expected) from error
    written = data.pop("format", None) if isinstance(data, dict) else None
    if written != FORMAT:
        raise UsageError(f"file {file}", seen=f"format {written!r}", expected=f"format {FORMAT}")
    plain: dict[str, Any] = data
    return plain


def _broken(file: Path, error: Exception) -> UsageError:
    return UsageError(f"file {file}", seen=repr(error), expected="what cc-harness matrix wrote")


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def replace_text(file: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    with _writing(file.parent):
        _write_text(file, text)


def _write_text(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an error of the disk into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"folder {path}",
            seen=str(error),
            expected="one that can be written, on a disk with room; what is finished is kept",
        ) from error
