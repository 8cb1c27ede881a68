"""Record releases through few sessions, each once, in a folder that an interrupted run left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from harness.assessment.recording import Recording, RecordingPlan, record_once, recorded
from harness.assessment.sides import DEADLINE_S, Side, recorded_side
from harness.capture import files
from harness.errors import HarnessError
from harness.otlp.model import Protocol
from harness.running.scenario import Scenario
from harness.subject.binary import Binary
from harness.themes.catalogue import SCENARIOS

#: Names the captures of a part, once all are there.
_WHOLE = "whole.json"


def session(label: str) -> Scenario:
    """Return the scenario of ``working_day``, or of ``working_day over http/json`` that run."""
    name, _, protocol = label.partition(" over ")
    scenario = SCENARIOS[name]
    if not protocol:
        return scenario
    assert Protocol(protocol) in scenario.protocols, label
    return replace(scenario, protocols=(Protocol(protocol),))


class Recordings:
    """The recordings of releases in a folder, which processes share; what is missing is made.

    ``find`` gives a release, ``wanted`` says which sessions of it are needed in this run: they
    are made side by side.
    """

    def __init__(
        self, folder: Path, find: Callable[[str], Binary], wanted: Callable[[str], Iterable[str]]
    ) -> None:
        self._folder = folder
        self._find = find
        self._wanted = wanted

    def side(self, version: str, sessions: Sequence[str]) -> Side:
        """Return a release as it was seen in these sessions."""
        binary = self._find(version)
        runs = list(_folders(sessions))
        with FileLock(self._folder / f"{version}.lock"):
            there = self._there(version)
            missing = [each for each in self._wanted(version) if set(_folders([each])) - set(there)]
            if set(runs) - set(there):
                self._record(version, binary, missing)
                there = self._there(version)
        captures = [files.load(there[run]) for run in runs]
        return recorded_side(f"npm:{version}", binary, recorded(captures))

    def _there(self, version: str) -> dict[str, Path]:
        """Return the folder of each capture, of the parts that are whole."""
        return {
            name: whole.parent / name
            for whole in sorted((self._folder / version).glob(f"*/{_WHOLE}"))
            for name in json.loads(whole.read_text(encoding="utf-8"))
        }

    def _record(self, version: str, binary: Binary, sessions: Sequence[str]) -> None:
        """Record what is missing as one part more."""
        kept = self._folder / version
        part = kept / str(len(list(kept.glob("*"))))
        part.mkdir(parents=True)
        # The catalogue begins with the longest.
        scenarios = sorted(map(session, sessions), key=lambda each: -each.expected_s)
        made = record_once(RecordingPlan(binary, tuple(scenarios), DEADLINE_S, part), print)
        _check(version, made)
        names = [files.folder_name(capture.run) for capture in made.captures]
        (part / _WHOLE).write_text(json.dumps(names), encoding="utf-8")


def _check(version: str, made: Recording) -> None:
    summary = made.summary
    undriven = [f"{run.label}: {run.reason}" for run in summary.undriven]
    if summary.harness_fault or undriven:
        raise HarnessError(f"{version}: {summary.harness_fault or '; '.join(undriven)}")


def _folders(sessions: Iterable[str]) -> Iterable[str]:
    """Return the names of the folders of the captures that these sessions leave."""
    for each in sessions:
        scenario = session(each)
        for protocol in scenario.protocols:
            yield f"{scenario.name}-{protocol.value.replace('/', '-')}"
