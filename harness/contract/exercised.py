"""Read what the runs of measured releases exercised: ``schemas/exercised.json``.

The file is made by ``python docs/exercised.py DIR...`` from recordings. It says for each
requirement in which scenarios every recording of a release exercised it, and for each event in
which scenarios every recording held it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from jsonschema import Draft202012Validator

from ..errors import HarnessError
from .files import JsonObject, read_json, schema_root
from .validated import is_validated
from .versions import Version

FILE_NAME = "exercised.json"
SCHEMA = "exercised.schema.json"

#: What writes the file anew.
COMMAND = "python docs/exercised.py DIR..."

#: The two kinds of subjects that are measured: releases of the CLI, and the conforming emitter.
CLI, REFERENCE = "cli", "reference"

#: The parts of a kind's table, and what their rows name.
PARTS: Mapping[str, str] = {"exercised": "requirements", "sent": "events"}


@dataclass(frozen=True, slots=True)
class Measured:
    """The releases on which something was seen in every recording: the first and the last one.

    ``open``: the last one is the newest that was measured, so that later ones are like it.
    """

    since: Version
    last: Version
    open: bool

    def __contains__(self, version: Version) -> bool:
        return self.since <= version and (self.open or version <= self.last)

    def __str__(self) -> str:
        if self.since == self.last:
            return f"on {self.since}"
        return f"on every release measured from {self.since} to {self.last}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: ``names`` were seen in ``scenarios`` on the releases of ``measured``.

    Empty ``protocols`` stand for every protocol of the scenarios.
    """

    names: tuple[str, ...]
    scenarios: tuple[str, ...]
    measured: Measured
    protocols: tuple[str, ...] = ()


class Table:
    """Rows by name and scenario."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._by_run: dict[str, dict[str, list[Row]]] = defaultdict(dict)
        for row in rows:
            for scenario in row.scenarios:
                for name in row.names:
                    self._by_run[scenario].setdefault(name, []).append(row)

    def measured(
        self, name: str, scenario: str, protocol: str, version: Version
    ) -> Measured | None:
        """Return where ``name`` was always seen in such a run; None if it need not be there."""
        for row in self._by_run.get(scenario, {}).get(name, ()):
            if version in row.measured and (not row.protocols or protocol in row.protocols):
                return row.measured
        return None

    def names(self, scenario: str, protocol: str, version: Version) -> dict[str, Measured]:
        """Return every name that was always seen in such a run."""
        found = {
            name: self.measured(name, scenario, protocol, version)
            for name in self._by_run.get(scenario, {})
        }
        return {name: measured for name, measured in found.items() if measured is not None}


@dataclass(frozen=True, slots=True)
class Exercised:
    """What runs of one kind of subject exercise and send, by the measured releases."""

    exercised: Table = field(default_factory=Table)
    sent: Table = field(default_factory=Table)


#: Knows of no run: nothing is expected of it.
NOTHING_MEASURED = Exercised()


def kind_of(spec: str) -> str:
    """Return the kind of the subject that ``--cc-binary`` names."""
    return REFERENCE if spec.partition(":")[0] == "reference" else CLI


@cache
def exercised_by(kind: str) -> Exercised:
    """Return what the measured releases of this kind of subject exercise and send."""
    data = read_exercised()
    tables = {part: Table(rows_of(data[kind], part)) for part in PARTS}
    return Exercised(tables["exercised"], tables["sent"])


def rows_of(data: JsonObject, part: str) -> list[Row]:
    """Return the rows of a part of a kind's table."""
    newest = max(map(Version.parse, data["measured"]), default=Version(0, 0, 0))
    return [
        Row(
            tuple(row[PARTS[part]]),
            tuple(row["scenarios"]),
            Measured(
                Version.parse(row["since"]),
                Version.parse(row["last"]) if "last" in row else newest,
                "last" not in row,
            ),
            tuple(row.get("protocols", ())),
        )
        for row in data[part]
    ]


@cache
def read_exercised() -> JsonObject:
    """Read the file, validated against its schema unless it is known to have been."""
    root = schema_root()
    data = read_json(root / FILE_NAME)
    if not is_validated(root, root / FILE_NAME, SCHEMA):
        validate(data)
    return data


def validate(data: JsonObject) -> None:
    """Hold the file's content to its schema; raise HarnessError that names it."""
    for error in Draft202012Validator(read_json(schema_root() / SCHEMA)).iter_errors(data):
        raise HarnessError(f"{FILE_NAME}: at {error.json_path}: {error.message}")
