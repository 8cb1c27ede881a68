"""Run scenarios against our fakes, side by side, and keep what they leave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from harness.capture.capture import Capture
from harness.capture.files import save
from harness.capture.run import GroundTruth, Run, SubjectFacts
from harness.collector.collector import Collector
from harness.errors import SubjectError, UsageError
from harness.otlp.model import Protocol
from harness.scenarios.catalogue import SCENARIOS
from harness.scenarios.scenario import Scenario, Script
from harness.subject.binary import Binary
from harness.subject.headless import PERMISSIONS, run_headless
from harness.subject.messages_api import MessagesApi
from harness.subject.process import Leash
from harness.subject.sandbox import Sandbox
from harness.subject.worktree import LineLedger

#: Seconds between two lines of progress while subjects run.
_PROGRESS_S = 5.0


def telemetry_settings(protocol: Protocol, endpoint: str) -> dict[str, str]:
    """The documented variables that switch export on, over one protocol to one place."""
    return {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }


def record(
    binary: Binary,
    *,
    protocols: Sequence[Protocol] = tuple(Protocol),
    scenarios: Sequence[Scenario] = tuple(SCENARIOS.values()),
    progress: Callable[[str], None],
    deadline_s: float = 60.0,
    keep: Path | None = None,
) -> tuple[Capture, ...]:
    """Run every scenario over every protocol, all side by side.

    ``progress`` gets a line at the start and every few seconds.  ``keep`` is a
    folder in which each capture is saved as soon as its run has ended; what was
    saved there survives an interruption.  On the way out, whatever the reason,
    no subject is left running.

    Raises :class:`SubjectError` where a subject cannot be driven to its end.
    """
    runs = [(scenario, protocol) for scenario in scenarios for protocol in protocols]
    progress(
        f"running claude {binary.version} over {', '.join(protocols)}: "
        + ", ".join(scenario.name for scenario in scenarios)
    )
    leash = Leash()
    with ThreadPoolExecutor(max_workers=len(runs), thread_name_prefix="scenario") as pool:
        futures = {
            pool.submit(_record_one, binary, scenario, protocol, deadline_s, leash, keep): (
                f"{scenario.name} over {protocol}"
            )
            for scenario, protocol in runs
        }
        try:
            _await(futures, progress)
        except BaseException:
            leash.end_all()
            raise
    return tuple(future.result() for future in futures)


def run_session(
    binary: Binary,
    *,
    prompt: str,
    script: Script,
    protocol: Protocol,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    args: Sequence[str] = PERMISSIONS,
    deadline_s: float = 60.0,
) -> Capture:
    """Run one session of the caller's own making in the calling thread."""
    scenario = Scenario(
        "session", "a session of one's own", prompt, script, env or {}, files or {}, tuple(args)
    )
    leash = Leash()
    try:
        return _record_one(binary, scenario, protocol, deadline_s, leash, None)
    finally:
        leash.end_all()


def _await(futures: Mapping[Future[Capture], str], progress: Callable[[str], None]) -> None:
    """Wait for all of them, telling what is still awaited."""
    pending = set(futures)
    waited = 0.0
    while pending:
        done, pending = wait(pending, timeout=_PROGRESS_S, return_when=FIRST_COMPLETED)
        if not done:
            waited += _PROGRESS_S
            progress(
                f"still running after {waited:.0f} s: "
                + ", ".join(sorted(futures[each] for each in pending))
            )


_SAVING = threading.Lock()


def _record_one(
    binary: Binary,
    scenario: Scenario,
    protocol: Protocol,
    deadline_s: float,
    leash: Leash,
    keep: Path | None,
) -> Capture:
    capture = _drive(binary, scenario, protocol, deadline_s, leash)
    if keep is not None:
        with _SAVING:
            save(capture, keep / f"{scenario.name}-{protocol.replace('/', '-')}")
    return capture


def _drive(
    binary: Binary, scenario: Scenario, protocol: Protocol, deadline_s: float, leash: Leash
) -> Capture:
    ledger = LineLedger()
    with Collector() as collector, Sandbox() as sandbox:
        _write_files(sandbox.work, scenario.files)
        steps = scenario.steps(sandbox.work)
        with MessagesApi(steps, prompts=(scenario.prompt,), observer=ledger) as api:
            settings = telemetry_settings(protocol, collector.endpoint(protocol))
            settings.update(scenario.environment)
            completed = run_headless(
                binary,
                sandbox,
                scenario.prompt,
                api_url=api.base_url,
                env=settings,
                args=scenario.args,
                deadline_s=deadline_s,
                leash=leash,
            )
        truth = GroundTruth(
            prompts=api.prompts,
            api_calls=api.calls,
            tool_runs=api.tool_runs,
            commits=sandbox.commits(),
            pull_requests=sandbox.pull_requests(),
            lines_added=ledger.added,
            lines_removed=ledger.removed,
        )
        exports, forgotten = collector.store.snapshot()
    if completed.timed_out:
        raise SubjectError(
            f"claude {binary.version} did not end {scenario.name} over {protocol} "
            f"within {deadline_s:g} s",
            output=completed.last_output,
        )
    if completed.exit_code != 0 and not truth.api_calls:
        raise SubjectError(
            f"claude {binary.version} ended with exit code {completed.exit_code} "
            f"before it asked the model anything ({scenario.name} over {protocol})",
            output=completed.last_output,
        )
    run = Run(
        scenario=scenario.name,
        protocol=protocol,
        subject=SubjectFacts(binary.spec, binary.path, binary.version),
        argv=completed.argv,
        environment=settings,
        started_unix_nano=completed.started_unix_nano,
        ended_unix_nano=completed.ended_unix_nano,
        exit_code=completed.exit_code,
        stdout=completed.stdout,
        stderr=completed.stderr,
        truth=truth,
    )
    return Capture(run, exports, forgotten)


def _write_files(work: Path, contents: Mapping[str, str]) -> None:
    for name, text in contents.items():
        path = (work / name).resolve()
        if not path.is_relative_to(work.resolve()):
            raise UsageError(f"files[{name!r}]", seen=str(path), expected="a path in the work tree")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
