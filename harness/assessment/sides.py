"""Find what one side of a comparison names: an inventory, a kept recording, or a release."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from harness.assessment.assessment import Assessment
from harness.assessment.kept import load_recording
from harness.assessment.recording import Recording, RecordingPlan, record_once
from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.run import SubjectFacts
from harness.contract.files import read_json, schema_root
from harness.contract.requirement import DRAWN, Requirement
from harness.contract.versions import Version
from harness.drift.compare import differences
from harness.drift.difference import Difference, merged
from harness.drift.inventory import FORMAT, inventory_of
from harness.drift.promises import promise_changes
from harness.errors import HarnessError, UsageError
from harness.judging.verdicts import Row
from harness.record import jsonl
from harness.running.scenario import Scenario
from harness.subject.binary import resolve
from harness.themes.catalogue import FACTS, SCENARIOS

#: How long one run of a release may take, beside its waits.
_DEADLINE_S = 60.0


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

    def rows(self, version: str, only: Sequence[Requirement] | None = None) -> list[Row]:
        """Judge the recording by the contract of a release: all its requirements, or some."""
        if self.recording is None or self.subject is None:
            return []
        recording = self.recording
        assessment = Assessment(self.subject.spec, version, lambda: recording)
        chosen = assessment.contract.requirements if only is None else only
        return [assessment.row(requirement) for requirement in chosen]


def find_side(name: str, progress: Callable[[str], None], *, quick: bool = False) -> Side:
    """Return the side that ``name`` stands for; a release is run for it.

    ``name`` is a file that ``cc-harness inventory`` wrote (``*.json``), a folder that
    ``--cc-captures`` made, or what ``--cc-binary`` takes. ``quick`` leaves out the scenarios that
    wait. Raises UsageError for what is none of these.
    """
    path = Path(name)
    if path.suffix == ".json":
        return _of_file(name, path)
    if path.is_dir() and ((path / jsonl.FILE_NAME).exists() or (path / files.SIDECAR).exists()):
        _, subject, recording = load_recording(path)
        return _of_recording(name, subject, recording)
    scenarios = tuple(
        scenario
        for scenario in SCENARIOS.values()
        if not (scenario.slow or scenario.drawn or (quick and scenario.waits_s))
    )
    return record_side(name, scenarios, progress)


def record_side(name: str, scenarios: Sequence[Scenario], progress: Callable[[str], None]) -> Side:
    """Run a release through these scenarios, and return it as a side.

    Raises HarnessError if it cannot be driven through one of them.
    """
    binary = resolve(name, progress=progress)
    recording = record_once(RecordingPlan(binary, tuple(scenarios), _DEADLINE_S, None), progress)
    summary = recording.summary
    if summary.harness_fault:
        raise HarnessError(summary.harness_fault)
    if summary.undriven:
        raise HarnessError("; ".join(f"{run.label}: {run.reason}" for run in summary.undriven))
    facts = SubjectFacts(binary.spec, binary.path, binary.version)
    return _of_recording(name, facts, recording)


def _of_recording(name: str, subject: SubjectFacts, recording: Recording) -> Side:
    stock = inventory_of(subject, _the_same_each_time(recording.captures), FACTS)
    return Side(name, subject.version, stock, subject, recording)


def _the_same_each_time(captures: Iterable[Capture]) -> list[Capture]:
    """Return the captures without drawn ones whose input is not always tried.

    What else was drawn differs from recording to recording, and so does what it shows.
    """
    drawn = [capture for capture in captures if DRAWN in capture.run.traits]
    if not drawn:
        return list(captures)
    from harness.fuzzing.inputs import first  # Hypothesis is not for those who draw nothing

    tried = {frozenset(given.environment.items()) for given in first()}
    variables = {name for given in tried for name, _ in given}
    return [
        capture
        for capture in captures
        if DRAWN not in capture.run.traits
        or frozenset(
            (name, text)
            for name, text in capture.run.environment.items()
            if name in variables and text
        )
        in tried
    ]


def compare(old: Side, new: Side) -> list[Difference]:
    """Return all that differs between two sides, the worst first.

    Both are judged by the contract of the newer one, as far as there are recordings.
    """
    by = str(max(Version.parse(old.version), Version.parse(new.version)))
    promises = promise_changes(old.rows(by), new.rows(by))
    return merged([*differences(old.inventory, new.inventory), *promises])


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
