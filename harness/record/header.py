"""The header of a record: what is known of the run as a whole."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ..capture.run import SubjectFacts
from ..judging.checks.canaries import Spot
from ..judging.checks.names import Undocumented
from .latency import Latency

#: What was judged: the CLI, or a collector that its telemetry passes through.
CLAUDE, COLLECTOR = "claude", "collector"


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine where the subject ran, e.g. ``Linux``, ``x86_64``, ``3.12.4``."""

    os: str
    arch: str
    python: str

    @classmethod
    def here(cls) -> Self:
        return cls(platform.system(), platform.machine(), platform.python_version())


#: The libraries on which a verdict may depend.
_LIBRARIES = ("grpcio", "hypothesis", "jsonschema", "opentelemetry-proto", "protobuf", "pytest")


def tool_version() -> str:
    """Return the installed version of pytest-cc-otel."""
    return importlib.metadata.version("pytest-cc-otel")


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that may influence a verdict, by their names."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


@dataclass(frozen=True, slots=True)
class Fuzz:
    """Statistics of the sessions with drawn input: how many, in how many seconds, by which profile.

    The ``seed``, as ``--hypothesis-seed`` takes it, draws the same again.
    """

    sessions: int
    seconds: float
    profile: str
    seed: str

    @property
    def per_second(self) -> float:
        return self.sessions / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class CanaryTable:
    """The table of the places where canaries were found.

    ``gates`` are the columns (sets of open gates that were run), ``spots`` the rows.
    """

    gates: tuple[str, ...] = ()
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """Telemetry that was sent to a collector: of so many sessions of a release, and from where.

    ``origin`` says who recorded it and when, or that the CLI ran meanwhile.
    """

    release: str
    sessions: int
    origin: str


@dataclass(frozen=True, slots=True)
class RelayFacts:
    """A collector under test: how it is reached or started, and what was sent to it.

    ``outlets`` are the places at which what comes out was looked for, ``changes`` the file that
    declares what it changes on purpose. Empty texts stand for what was not given.
    """

    urls: tuple[str, ...] = ()
    command: str = ""
    config: str = ""
    outlets: tuple[str, ...] = ()
    changes: str = ""
    sent: tuple[Sent, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """The first part of a record: the subject, all versions, and how long everything took.

    Times are Unix nanoseconds. ``recording_s`` is for how many seconds subjects ran, ``runs`` for
    how many each run took, ``unavoidable_s`` the longest wait that nothing can shorten: a default
    interval of metrics after the start of the subject. ``canaries`` is where canaries were found,
    ``fuzz`` describes the sessions with drawn input, if there were any, and ``undocumented`` are
    the names that no document knows.

    ``documents`` are the titles of the contract in force, ``exports`` counts the export requests
    of each protocol that was recorded, refused ones too; ``versions`` are those of the libraries
    that recorded and judged, by their names. ``job`` is ``claude`` or ``collector``; of a
    collector, ``relay`` tells more, and ``latencies`` are those of what passed through it.
    """

    subject: SubjectFacts
    documents: tuple[str, ...]
    exports: Mapping[str, int]
    started_unix_nano: int
    ended_unix_nano: int
    recording_s: float
    tool: str
    runs: Mapping[str, float] = field(default_factory=dict)
    unavoidable_s: float = 0.0
    fuzz: Fuzz | None = None
    canaries: CanaryTable = field(default_factory=CanaryTable)
    undocumented: tuple[Undocumented, ...] = ()
    machine: Machine = field(default_factory=Machine.here)
    versions: Mapping[str, str] = field(default_factory=dict)
    job: str = CLAUDE
    relay: RelayFacts | None = None
    latencies: tuple[Latency, ...] = ()

    @property
    def protocols(self) -> tuple[str, ...]:
        return tuple(self.exports)

    @property
    def critical_run(self) -> str:
        """The label of the longest run and its seconds; an empty string without runs."""
        if not self.runs:
            return ""
        label = max(self.runs, key=lambda run: self.runs[run])
        return f"{label} {self.runs[label]:.1f} s"

    @property
    def ratio(self) -> float | None:
        """The time of the whole run divided by the unavoidable wait; None if nothing was run."""
        return self.wall_s / self.unavoidable_s if self.unavoidable_s else None

    @property
    def wall_s(self) -> float:
        return (self.ended_unix_nano - self.started_unix_nano) / 1e9
