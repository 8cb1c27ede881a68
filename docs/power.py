"""Write docs/power.md: which lies about each field of the contract some requirement catches.

    python docs/power.py [--check] [--recording DIR ...] [SUBJECT ...]

Each subject is recorded first, unless a recording of it is given (a folder that --cc-captures
made).  Every lie is told in memory, one after the other in each of ``--jobs`` processes.
``docs/power.json`` says which fields say the same, and gives the reasons for what nothing catches.
"""

from __future__ import annotations

import argparse
import difflib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import power_page as page

from harness.assessment.assessment import catalogue
from harness.assessment.kept import load_recording
from harness.assessment.recording import RecordingPlan, record_once
from harness.contract.exercised import exercised_by, kind_of
from harness.fuzzing.exploration import Exploration, Profile
from harness.judging.expectations import NO_EXPECTATIONS, load_expectations
from harness.mutants.bench import Bench
from harness.mutants.fields import fields_of
from harness.mutants.power import Cell, Result, cell
from harness.mutants.reasons import Reasons
from harness.mutants.stage import Same, Stage
from harness.mutants.telling import KINDS, Extent
from harness.subject.binary import resolve
from harness.themes.catalogue import MEASURES, needed
from harness.themes.free_form.by_hand import by_hand

HERE = Path(__file__).parent
PAGE = HERE / "power.md"
DATA = HERE / "power.json"
#: The conforming emitter by both documents, and the newest release that was measured.
SUBJECTS = ("reference:2.1.240", "reference:2.1.31", "npm:2.1.332")


@dataclass(frozen=True)
class Workbench:
    """What one process needs to judge lies about one subject."""

    bench: Bench
    stage: Stage

    @classmethod
    def of(cls, folder: Path, same: Sequence[Same]) -> Workbench:
        _, subject, recording = load_recording(folder)
        contract = catalogue(subject.version)
        names = [requirement.name for requirement in contract.requirements]
        is_emitter = subject.spec.partition(":")[0] == "reference"
        listed = NO_EXPECTATIONS if is_emitter else load_expectations(contract.version, names=names)
        known = exercised_by(kind_of(subject.spec))
        bench = Bench.of(contract, recording.captures, MEASURES, by_hand, listed, known)
        return cls(bench, Stage(bench.captures, fields_of(contract.version), same))


#: Those of this process, by the folder of the recording.
_workbenches: dict[Path, Workbench] = {}


def _cells(task: tuple[Path, str, Sequence[Same]]) -> list[Cell]:
    """Judge every kind of lie about one field."""
    folder, name, same = task
    if folder not in _workbenches:
        _workbenches.clear()
        _workbenches[folder] = Workbench.of(folder, same)
    made = _workbenches[folder]
    return [cell(made.bench, made.stage, made.stage.fields[name], kind) for kind in KINDS]


def measured(folder: Path, same: Sequence[Same], jobs: int) -> list[Cell]:
    """Return every cell of one subject's matrix, in the order of the contract."""
    _, subject, _ = load_recording(folder)
    fields = fields_of(catalogue(subject.version).version)
    tasks = [(folder, field.name, same) for field in fields]
    cells: list[Cell] = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for number, made in enumerate(pool.imap(_cells, tasks, chunksize=2), start=1):
            cells += made
            if number % 30 == 0 or number == len(tasks):
                print(f"{subject.spec}: {number} of {len(tasks)} fields", flush=True)
    return cells


def record(spec: str, folder: Path) -> None:
    """Record what the subject leaves in every scenario that its contract needs, as pytest does."""
    always = Exploration("quick", Profile(0, 0), 0, None, lambda capture: (), print)
    binary = resolve(spec, progress=print)
    contract = catalogue(binary.version)
    scenarios = needed(filter(contract.applies, contract.requirements))
    plan = RecordingPlan(binary, scenarios, 60.0, folder, explore=always)
    made = record_once(plan, print)
    if made.summary.problem:
        raise SystemExit(f"{spec} could not be recorded: {made.summary.problem}")


def main() -> int:
    options = _options()
    reasons = Reasons.read(DATA)
    matrices = kept(options.again) if options.again else measurements(options, reasons)
    if options.mend:
        data = page.mended(json.loads(DATA.read_text(encoding="utf-8")), matrices, reasons)
        DATA.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        reasons = Reasons.read(DATA)
    text, problems = page.rendered(matrices, reasons), page.problems(matrices, reasons)
    print(page.summary(matrices, reasons))
    if options.check:
        written, now = page.essence(PAGE.read_text(encoding="utf-8")), page.essence(text)
        if written != now:
            problems.append(f"{PAGE} is out of date: python docs/power.py writes it")
            problems += difflib.unified_diff(written, now, "written", "now", n=0, lineterm="")
    else:
        PAGE.write_text(text, encoding="utf-8")
    print(*problems, sep="\n")
    return 1 if problems else 0


def measurements(options: argparse.Namespace, reasons: Reasons) -> dict[str, list[Cell]]:
    """Return the matrix of each subject."""
    matrices: dict[str, list[Cell]] = {}
    given = {load_recording(folder)[1].spec: folder for folder in options.recording}
    with tempfile.TemporaryDirectory() as scratch:
        for number, spec in enumerate(options.subjects or given or SUBJECTS):
            folder = given.get(spec)
            if folder is None:
                folder = Path(scratch) / str(number)
                folder.mkdir()
                record(spec, folder)
            began = time.monotonic()
            matrices[spec] = measured(folder, reasons.same, options.jobs)
            if options.json:
                keep(matrices, options.json)
            lies = sum(len(cell.results) for cell in matrices[spec])
            print(f"{spec}: {lies} lies in {time.monotonic() - began:.0f} s", flush=True)
    return matrices


def keep(matrices: Mapping[str, Sequence[Cell]], file: Path) -> None:
    """Write matrices for ``--again``; after each subject, for a run may be broken off."""
    told = {spec: [asdict(cell) for cell in cells] for spec, cells in matrices.items()}
    file.write_text(json.dumps(told, indent=1), encoding="utf-8")


def kept(files: Sequence[Path]) -> dict[str, list[Cell]]:
    """Return the matrices that ``--json`` kept."""
    return {
        spec: [
            Cell(
                each["field"],
                each["kind"],
                tuple(_result(result) for result in each["results"]),
                each["why_not"],
            )
            for each in cells
        ]
        for file in files
        for spec, cells in json.loads(file.read_text(encoding="utf-8")).items()
    }


def _result(data: dict[str, Any]) -> Result:
    names = ("failing", "warning", "hidden", "silenced", "broken")
    found = {name: tuple(data[name]) for name in names}
    return Result(Extent(data["extent"]), data["scenario"], data["variant"], **found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--recording", action="append", type=Path, default=[], metavar="DIR")
    parser.add_argument("--check", action="store_true", help="compare the page, do not write it")
    parser.add_argument(
        "--again", action="append", type=Path, metavar="FILE", help="judge nothing: read --json's"
    )
    parser.add_argument("--mend", action="store_true", help="drop reasons for what is caught")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="every lie, and what caught it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
