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

from harness import cli

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "docs" / "ci" / "telemetry.yml"
PAGE = (ROOT / "docs" / "continuous_integration.md").read_text(encoding="utf-8")

#: A subject that needs no network, and one short session of it.
SUBJECT = "reference:2.1.240"
SHORT = "--cc-scenarios=working_day --cc-protocols=http/json -p no:cacheprovider -k api_request"
#: As GitHub runs a step with ``shell: bash``.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")

GONE = "event only_of_the_baseline: gone"


def workflow() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    return loaded


def step(name: str) -> str:
    """Return the shell lines of the step of this name."""
    (found,) = (each for each in workflow()["jobs"]["newest"]["steps"] if each.get("name") == name)
    assert "${{" not in found["run"], "what GitHub fills in cannot be tried here"
    lines: str = found["run"]
    return lines


@pytest.mark.parametrize("path", [RECIPE, ROOT / ".github" / "workflows" / "ci.yml"])
def test_it_is_a_workflow(path: Path) -> None:
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_fails_is_still_compared_summed_up_and_kept() -> None:
    steps = workflow()["jobs"]["newest"]["steps"]
    after = steps[[each.get("name") for each in steps].index("Judge") + 1 :]
    assert len(after) == 4
    assert {each["if"] for each in after} == {"${{ !cancelled() }}", "${{ failure() }}"}
    assert workflow()["defaults"]["run"]["shell"] == "bash"
    assert "[suite]" in step("Install")


@dataclass
class Day:
    """A checkout on one day of CI, and the summary that the steps write."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.shell(step(name))

    def shell(self, lines: str) -> subprocess.CompletedProcess[str]:
        # A worker of this session is none of that one.
        outside = {
            name: text for name, text in os.environ.items() if not name.startswith("PYTEST_XDIST_")
        }
        return subprocess.run(
            [*BASH, lines],
            cwd=self.folder,
            env={**outside, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def summary(self) -> str:
        """Run the step that writes it, and return what it wrote."""
        written = Path(self.environment["GITHUB_STEP_SUMMARY"])
        written.unlink(missing_ok=True)
        assert self.run("Summarize").returncode == 0
        return written.read_text(encoding="utf-8")


@pytest.fixture
def day(tmp_path: Path) -> Day:
    folder = tmp_path / "checkout"
    (folder / "telemetry").mkdir(parents=True)
    named = {name: str(text) for name, text in workflow()["env"].items()}
    assert named["SUBJECT"] == "${{ inputs.subject || 'npm:latest' }}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {"SUBJECT": SUBJECT, "PYTEST_ADDOPTS": SHORT, "PATH": path}
    given["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    return Day(folder, {**named, **given})


@pytest.mark.slow
def test_the_steps_of_two_days(day: Day) -> None:
    """One session is judged once; what is compared and accepted is tried with it."""
    accepted = day.folder / day.environment["ACCEPTED"]
    baseline = day.folder / day.environment["BASELINE"]
    first = re.search(r"^printf .*$", PAGE, re.MULTILINE)
    assert first is not None
    assert day.shell(first.group()).returncode == 0

    judged = day.run("Judge")
    assert judged.returncode == 0, judged.stdout
    # Nothing was compared, as where there is no baseline yet.
    assert "No report/diff.md: see the log." in day.summary()

    # The baseline sent what the newest release does not.
    assert cli.main(["inventory", str(day.folder / "captures"), "--output", str(baseline)]) == 0
    stock = json.loads(baseline.read_text(encoding="utf-8"))
    stock["events"]["only_of_the_baseline"] = stock["events"]["api_request"]
    baseline.write_text(json.dumps(stock), encoding="utf-8")
    compared = day.run("Compare")
    assert compared.returncode == 1, compared.stderr
    assert (day.folder / "report" / "inventory.json").is_file()
    summary = day.summary()
    assert summary.startswith(f"# Telemetry of {SUBJECT} (claude 2.1.240)\n\n**OK**")
    assert "| `event only_of_the_baseline` |" in summary

    # Somebody reads what is proposed, says why, and commits it.
    proposed = json.loads((day.folder / "report" / "proposed-differences.json").read_text())
    assert [entry["differences"] for entry in proposed["deviations"]] == [[GONE]]
    proposed["deviations"][0]["reason"] = "Nobody here asks for this event."
    accepted.write_text(json.dumps(proposed), encoding="utf-8")
    (day.folder / "report" / "proposed-differences.json").unlink()
    compared = day.run("Compare")
    assert compared.returncode == 0, compared.stderr
    assert "Nobody here asks for this event." in day.summary()
