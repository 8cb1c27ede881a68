"""The recipe for CI is a workflow, and its steps do what docs/continuous_integration.md says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.assessment.recording import RecordingPlan, record_once
from harness.assessment.sides import recorded_side
from harness.judging.listing import parse_listing
from harness.otlp.model import Protocol
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS
from tests.processes import outside_of_workers

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "docs" / "ci" / "telemetry.yml"
PAGE = (ROOT / "docs" / "continuous_integration.md").read_text(encoding="utf-8")

#: A subject that needs no network, and one short session of it.
SUBJECT = "reference:2.1.240"
SHORT = "--cc-scenarios=working_day --cc-protocols=http/json -p no:cacheprovider -k api_request"
#: As GitHub runs a step with ``shell: bash``.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")

REASON, EVIDENCE = "Nobody here asks for this event.", "Compared in November 2026."


def workflow() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    return loaded


def step(name: str) -> str:
    """Return the shell lines of the step of this name."""
    (found,) = (each for each in workflow()["jobs"]["newest"]["steps"] if each.get("name") == name)
    assert "${{" not in found["run"], "what GitHub fills in cannot be tried here"
    lines: str = found["run"]
    return lines


def test_it_is_a_workflow_and_so_is_ours() -> None:
    files = (RECIPE, ROOT / ".github" / "workflows" / "ci.yml")
    known = ("--builtin-schema", "vendor.github-workflows")
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *known, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_fails_is_still_compared_summed_up_and_kept() -> None:
    steps = workflow()["jobs"]["newest"]["steps"]
    after = steps[[each.get("name") for each in steps].index("Judge and compare") + 1 :]
    assert len(after) == 4
    assert {each["if"] for each in after} == {"${{ !cancelled() }}", "${{ failure() }}"}
    assert workflow()["defaults"]["run"]["shell"] == "bash"
    assert "[suite]" in step("Install")


def inventory_of_one_session() -> dict[str, Any]:
    """Return what the subject sends in the one session that is run here."""
    binary = resolve(SUBJECT, progress=print)
    scenarios = (SCENARIOS["working_day"],)
    plan = RecordingPlan(binary, scenarios, 300.0, None, protocols=(Protocol.HTTP_JSON,))
    return dict(recorded_side(SUBJECT, binary, record_once(plan, print)).inventory)


@dataclass
class Day:
    """A checkout on one day of CI, and the summary that the steps write."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.shell(step(name))

    def shell(self, lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*BASH, lines],
            cwd=self.folder,
            env={**outside_of_workers(), **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def day(tmp_path: Path) -> Day:
    folder = tmp_path / "checkout"
    (folder / "telemetry").mkdir(parents=True)
    named = {name: str(text) for name, text in workflow()["env"].items()}
    assert named["SUBJECT"] == "${{ inputs.subject || 'npm:latest' }}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {"SUBJECT": SUBJECT, "PYTEST_ADDOPTS": SHORT, "PATH": path}
    given |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    return Day(folder, {**named, **given})


@pytest.mark.slow
def test_the_steps_of_a_day(day: Day) -> None:
    # The release in use sends two events that the newest does not; one is not asked for by anybody.
    stock = inventory_of_one_session()
    for name in ("first", "second"):
        stock["events"][name] = stock["events"]["api_request"]
    (day.folder / day.environment["BASELINE"]).write_text(json.dumps(stock), encoding="utf-8")
    accepted = day.folder / day.environment["ACCEPTED"]
    entry = {"differences": ["event first: gone"], "reason": REASON, "evidence": EVIDENCE}
    accepted.write_text(json.dumps({"deviations": [entry]}), encoding="utf-8")

    judged = day.run("Judge and compare")
    assert judged.returncode == pytest.ExitCode.TESTS_FAILED, judged.stdout
    assert day.run("Take the inventory").returncode == 0
    assert day.run("Summarize").returncode == 0
    summary = Path(day.environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert summary.startswith(f"# Telemetry of {SUBJECT} (claude 2.1.240)\n\n**FAILED**: 1 diff")
    assert "| `event second` |" in summary
    assert f"| `event first` | gone | first |  | {REASON} |" in summary

    # What somebody may accept on the next day, if they say why.
    report = day.folder / "report"
    proposed = json.loads((report / "proposed.json").read_text(encoding="utf-8"))
    names = [each["differences"] for each in proposed["deviations"]]
    assert names == [["event first: gone"], ["event second: gone"]]
    assert [each["reason"] for each in proposed["deviations"]] == [REASON, ""]
    taken = json.loads((report / "inventory.json").read_text(encoding="utf-8"))
    assert taken["events"].keys() == stock["events"].keys() - {"first", "second"}
    assert {path.name for path in report.iterdir()} >= {"junit.xml", "record.jsonl", "diff.html"}


def test_a_day_without_a_report_is_summed_up_as_well(day: Day) -> None:
    assert day.run("Summarize").returncode == 0
    summary = Path(day.environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert "No report/diff.md: see the log." in summary


def test_the_first_list_can_be_used(day: Day) -> None:
    (line,) = re.findall(r"^printf .*$", PAGE, re.MULTILINE)
    assert day.shell(line).returncode == 0
    text = (day.folder / day.environment["ACCEPTED"]).read_text(encoding="utf-8")
    assert parse_listing(text, "accepted.json").deviations == ()
