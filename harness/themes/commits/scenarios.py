"""Every scenario of the theme."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from ...errors import HarnessError
from ...fakes import quick_mcp_stub
from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .forms import COMMIT, FORMS, OPENED, PULL_REQUEST, SERVER, TOOL
from .observed import Made

#: Stands in for the command line of GitLab.
_GLAB = f"""#!/bin/sh
[ "$2" = create ] && echo {OPENED}
exit 0
"""


def _prepare(stage: Stage) -> Sequence[str]:
    stub = stage.sandbox.root / "bin" / "glab"
    stub.write_text(_GLAB, encoding="utf-8")
    stub.chmod(0o755)
    return (
        "--mcp-config",
        quick_mcp_stub.configuration(SERVER, TOOL, default=OPENED),
        "--strict-mcp-config",
    )


def _made(stage: Stage, completed: Completed) -> Made:
    """Return what the forms made that were used, and hold that to the repository."""
    used = {(run.name, run.input.get("description")) for run in stage.api.tool_runs}
    there = [form for form in FORMS if (form.use.name, form.use.input.get("description")) in used]
    commits = {form.name: form.makes for form in there if form.kind == COMMIT}
    in_repository = _commits_ever(stage)
    if sum(commits.values()) != in_repository:
        raise HarnessError(
            f"the commands of scenario commits made {in_repository} commits, not {commits}"
        )
    return Made(commits, {form.name: form.makes for form in there if form.kind == PULL_REQUEST})


def _commits_ever(stage: Stage) -> int:
    """Count all commits but the first, those that another one replaced as well."""
    log = subprocess.run(
        ["git", "log", "--all", "--reflog", "--format=%H"],
        cwd=stage.work,
        env=stage.sandbox.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    return len(set(log.stdout.split())) - 1


COMMITS = Scenario(
    name="commits",
    expected_s=1.9,
    description="A session with commits and pull requests in many forms, and commands that only "
    "look like one",
    prompt="Commit in every way that there is.",
    script=(*(form.use for form in FORMS), Say("All is committed.")),
    environment={
        # So often that what is counted for one command leaves before the next one begins.
        "OTEL_METRIC_EXPORT_INTERVAL": "40",
        "OTEL_LOG_TOOL_DETAILS": "1",
        # Some releases otherwise ask the model before the MCP server has answered.
        "MCP_CONNECTION_NONBLOCKING": "0",
    },
    args=(
        *("--permission-mode", "default"),
        *("--allowedTools", f"Bash,{quick_mcp_stub.name_of(SERVER, TOOL)}"),
    ),
    prepare=_prepare,
    observe=_made,
    traits=("commits_in_every_form",),
    thinks_s=0.12,
    protocols=(Protocol.HTTP_JSON,),
)

SCENARIOS = (COMMITS,)
