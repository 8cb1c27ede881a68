"""Find what one side of a comparison names: an inventory, a kept recording, or a release."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ..capture import files
from ..capture.run import SubjectFacts
from ..contract.files import read_json, schema_root
from ..drift.inventory import FORMAT
from ..errors import HarnessError, UsageError
from ..judging.verdicts import Row
from ..record import jsonl
from ..running.scenario import Scenario
from ..subject.binary import Binary, resolve
from ..themes.catalogue import SCENARIOS
from .assessment import Assessment
from .fleet import is_capture, take_stock
from .kept import load_recording
from .recording import Recording, RecordingPlan, record_once
from .stocktaking import stock_of

#: How long one run of a release may take, beside its waits.
DEADLINE_S = 60.0

#: The sessions that show most of what a release sends and end soon.
SOON = (
    "api_failures",
    "identity",
    "mentions",
    "terminal_day",
    "toolbox",
    "toolbox_details",
    "working_day",
)

#: What a quick comparison is made of: beside these, what opens all gates.
QUICK = (*SOON, "toolbox_open")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its ``name``, as it was asked for, and its inventory.

    ``recording`` is None for a side of which only the inventory is there: it cannot be judged.
    """

    name: str
    version: str
    inventory: Mapping[str, Any]
    subject: SubjectFacts | None = None
    recording: Recording | None = None

    @property
    def label(self) -> str:
        """Its name, with its release if that does not say it."""
        return self.name if self.version in self.name else f"{self.name} ({self.version})"

    def rows(self, version: str, only: Collection[str] | None = None) -> list[Row]:
        """Judge the recording by the contract of a release: all its requirements, or some."""
        if self.recording is None or self.subject is None:
            return []
        recording = self.recording
        assessment = Assessment(self.subject.spec, version, lambda: recording)
        return [
            assessment.row(requirement)
            for requirement in assessment.contract.requirements
            if only is None or requirement.name in only
        ]


def find_side(name: str, progress: Callable[[str], None], *, quick: bool = False) -> Side:
    """Return the side that ``name`` stands for; a release is run for it.

    ``name`` is a file that ``cc-harness inventory`` wrote (``*.json``), a folder that
    ``--cc-captures`` made, a capture of production data (a file, or a folder of files, of a
    Collector's file exporter), or what ``--cc-binary`` takes. ``quick`` leaves out
    most scenarios. Raises UsageError for what is none of these.
    """
    return kept_side(name, progress) or record_side(name, usual_scenarios(quick=quick), progress)


def kept_side(name: str, progress: Callable[[str], None]) -> Side | None:
    """Return the side that a file or a folder holds; None for what has to be run.

    What is cut off in it is told to ``progress``.
    """
    path = Path(name)
    if is_capture(path):
        stock = take_stock(path, "capture", progress)
        return Side(name, stock["subject"]["version"], stock)
    if path.suffix == ".json":
        return _of_file(name, path)
    if path.is_dir() and ((path / jsonl.FILE_NAME).exists() or (path / files.SIDECAR).exists()):
        _, subject, recording = load_recording(path)
        return side_of(name, subject, recording)
    return None


def usual_scenarios(*, quick: bool = False) -> tuple[Scenario, ...]:
    """Return the scenarios that releases are compared by.

    If ``quick``, only those that show most of what is sent (:data:`QUICK`); none of them waits.
    """
    usual = tuple(each for each in SCENARIOS.values() if not (each.slow or each.drawn))
    return tuple(each for each in usual if each.name in QUICK) if quick else usual


def left_out_if_quick() -> str:
    """Say what a quick comparison leaves out."""
    kept, all_ = usual_scenarios(quick=True), usual_scenarios()
    return (
        f"left out, to be quick: {len(all_) - len(kept)} of {len(all_)} kinds of sessions, among "
        "them all that wait (how often telemetry is exported, retries) and all about endpoints, "
        "settings, headers, certificates, exporters, models, commits, permissions and resumed "
        f"sessions; compared by {', '.join(each.name for each in kept)}"
    )


def record_side(name: str, scenarios: Sequence[Scenario], progress: Callable[[str], None]) -> Side:
    """Run a release through these scenarios, and return it as a side.

    Raises HarnessError if it cannot be driven through one of them.
    """
    binary = resolve(name, progress=progress)
    recording = record_once(RecordingPlan(binary, tuple(scenarios), DEADLINE_S, None), progress)
    return recorded_side(name, binary, recording)


def recorded_side(name: str, binary: Binary, recording: Recording) -> Side:
    """Return the side of a binary that was recorded. Raises HarnessError if it could not be."""
    summary = recording.summary
    if summary.harness_fault:
        raise HarnessError(summary.harness_fault)
    if summary.undriven:
        raise HarnessError("; ".join(f"{run.label}: {run.reason}" for run in summary.undriven))
    return side_of(name, SubjectFacts(binary.spec, binary.path, binary.version), recording)


def side_of(name: str, subject: SubjectFacts, recording: Recording) -> Side:
    """Return the side of a recording."""
    stock = stock_of(subject, recording.captures)
    return Side(name, subject.version, stock, subject, recording)


def _of_file(name: str, path: Path) -> Side:
    try:
        stock = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"inventory {name}", seen=str(error), expected="a file of cc-harness inventory"
        ) from error
    written = stock.get("format") if isinstance(stock, dict) else None
    if written != FORMAT:
        raise UsageError(
            f"inventory {name}",
            seen=f"format {written!r}",
            expected=f"format {FORMAT}: take it again with cc-harness inventory",
        )
    schema = read_json(schema_root() / "inventory.schema.json")
    problem = best_match(Draft202012Validator(schema).iter_errors(stock))
    if problem is not None:
        raise UsageError(
            f"inventory {name}",
            seen=f"{problem.message} at {problem.json_path}",
            expected="a file as cc-harness inventory writes it",
        )
    return Side(name, stock["subject"]["version"], stock)
