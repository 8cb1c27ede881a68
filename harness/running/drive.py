"""Run one scenario once, and collect what the subject exported and what really happened."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..capture.capture import Capture
from ..capture.observed import Observation, as_observed
from ..capture.run import (
    Decision,
    Failure,
    GroundTruth,
    Run,
    SubjectFacts,
    ending,
    run_label,
)
from ..collector.store import Budget, StoreClosedError
from ..errors import (
    DeadlineExceeded,
    NotInTimeError,
    OursTooLateError,
    SubjectError,
    UsageError,
)
from ..fakes.messages_api import MessagesApi
from ..otlp.model import Protocol
from ..subject import managed
from ..subject.binary import Binary
from ..subject.conversing import run_conversation
from ..subject.dialogs import Choice
from ..subject.headless import run_headless
from ..subject.host import this_host
from ..subject.interactive import Witness, run_interactive
from ..subject.process import Completed, ProcessGroups
from ..subject.sandbox import Sandbox
from ..subject.transcript import kept_messages
from ..subject.worktree import LineLedger
from .earlier import run_earlier
from .scenario import Scenario
from .secrets import secrets_of
from .stage import Stage, opened

_BY_SETTINGS = "config"

#: Nothing listens: what was asked did not even arrive.
NO_CONNECTION = Failure(None, "", 0)


def telemetry_settings(protocol: Protocol, endpoint: str) -> dict[str, str]:
    """Return the documented variables that enable export of all signals to one OTLP endpoint."""
    return {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }


def drive(
    binary: Binary,
    scenario: Scenario,
    protocol: Protocol,
    deadline_s: float,
    groups: ProcessGroups,
    *,
    machine_wide: bool = False,
    budget: Budget | None = None,
) -> Capture:
    """Run ``scenario`` over ``protocol`` in the calling thread, and return its capture.

    ``machine_wide``: its managed settings may be written to the machine's own folder meanwhile.
    ``budget``: what the captures of several runs may weigh together.

    Raises :class:`SubjectError`, with the subject's last output, if it does not do what the
    scenario expects (:class:`NotInTimeError`: in time), or fails before its first API call.
    """
    label = run_label(scenario.name, protocol)
    ledger = LineLedger()
    with opened(scenario.backends, protocol, budget, forward=scenario.forward, apart=True) as stage:
        write_files(stage.sandbox.work, scenario.files)
        stage.earlier_session = run_earlier(
            binary, scenario.earlier, stage.sandbox, deadline_s, groups
        )
        args = (*scenario.args, *(scenario.prepare(stage) if scenario.prepare else ()))
        steps = scenario.steps_at(stage)
        with MessagesApi(
            steps,
            prompts=scenario.all_prompts,
            observer=ledger,
            usage_frames=scenario.usage_frames,
            thinks_s=scenario.thinks_s,
            new_socket=stage.cell.new_socket,
            tls=scenario.api_context(protocol),
        ) as api:
            stage.api = api
            settings = _settings(scenario, stage)
            limit_s = scenario.limit_s or deadline_s + scenario.waits_s
            given = {**scenario.patience, **settings}
            session = _Session(scenario, stage.sandbox, api, given, args, limit_s, groups)
            try:
                completed = _completed(session, binary, scenario, stage, machine_wide)
                _check_in_time(scenario, stage, completed)
            except SubjectError as error:
                raise type(error)(
                    f"claude {binary.version} could not be driven through {label}"
                    f"{_unanswered(api.unexpected)}: {error}"
                ) from error
        truth = replace(
            _truth(scenario, stage, ledger, session.decisions, completed),
            secrets=secrets_of(scenario, stage, settings, args, steps),
        )
        exports, forgotten = stage.exports()
        more = scenario.more_exports(stage, completed) if scenario.more_exports else ()
        connections = stage.connections()
        observation = scenario.observe(stage, completed) if scenario.observe else None
        _verify(binary, scenario, label, completed, truth)
    run = _run(binary, scenario, protocol, settings, completed, truth, observation)
    return Capture(run, (*exports, *more), forgotten, connections)


def _completed(
    session: _Session, binary: Binary, scenario: Scenario, stage: Stage, machine_wide: bool
) -> Completed:
    """Run the session to its end, with the scenario's launcher, managed settings and thread."""
    launcher = scenario.launch(stage) if scenario.launch else ()
    with _managed(scenario, stage, machine_wide) as seeing_them:
        launched = replace(binary, argv=(*seeing_them, *launcher, *binary.argv))
        with _meanwhile(scenario, stage):
            return session.run(launched)


def _check_in_time(scenario: Scenario, stage: Stage, completed: Completed) -> None:
    """Raise OursTooLateError if the session had to wait for something of ours."""
    late = stage.too_late()
    if not late and scenario.too_late is not None:
        late = scenario.too_late(stage, completed)
    if late:
        raise OursTooLateError(f"ours came too late: {late}", output=completed.last_output)


def _truth(
    scenario: Scenario,
    stage: Stage,
    ledger: LineLedger,
    decisions: tuple[Decision, ...],
    completed: Completed,
) -> GroundTruth:
    """Collect what happened in the session, as counted by the fakes."""
    api, sandbox = stage.api, stage.sandbox
    # Nobody saw the prompt, but a session that gave up has had one.
    refused = scenario.api_tls is not None and not api.calls
    in_vain = (scenario.api_unreachable or refused) and completed.exit_code != 0
    return GroundTruth(
        prompts=scenario.all_prompts if in_vain else api.prompts,
        api_calls=api.calls,
        tool_runs=api.tool_runs,
        commits=sandbox.commits(),
        pull_requests=sandbox.pull_requests(),
        lines_added=ledger.added,
        lines_removed=ledger.removed,
        decisions=decisions,
        failures=(NO_CONNECTION,) if in_vain else api.failures,
        canaries=scenario.canaries,
        account=scenario.account,
        unknown_requests=api.unexpected,
        kept_messages=kept_messages(sandbox.home),
        reached=stage.reached(),
        unwatched=stage.cell.why_not_apart,
    )


def _run(
    binary: Binary,
    scenario: Scenario,
    protocol: Protocol,
    settings: Mapping[str, str],
    completed: Completed,
    truth: GroundTruth,
    observation: Observation | None,
) -> Run:
    return Run(
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
        traits=scenario.all_traits,
        host=this_host(),
        observed=as_observed(observation) if observation else {},
        stopped=completed.timed_out,
    )


def _settings(scenario: Scenario, stage: Stage) -> dict[str, str]:
    if scenario.configure is None:
        settings = telemetry_settings(stage.protocol, stage.endpoint())
    else:
        settings = dict(scenario.configure(stage))
    return {**settings, **scenario.environment}


def _managed(
    scenario: Scenario, stage: Stage, machine_wide: bool
) -> contextlib.AbstractContextManager[tuple[str, ...]]:
    if scenario.managed is None:
        return contextlib.nullcontext(())
    files = scenario.managed(stage)
    return managed.deployed(files, stage.sandbox.root, machine_wide=machine_wide)


@contextlib.contextmanager
def _meanwhile(scenario: Scenario, stage: Stage) -> Iterator[None]:
    """Run the scenario's own function ``meanwhile`` in a thread while the block lasts.

    The function may wait for something that never happens: if the end of the session ends its
    wait, that is no error. Any other exception is raised here.
    """
    if scenario.meanwhile is None:
        yield
        stage.ended.set()
        return
    with ThreadPoolExecutor(1, thread_name_prefix="meanwhile") as thread:
        done = thread.submit(scenario.meanwhile, stage)
        try:
            yield
        finally:
            stage.ended.set()
            for collector in stage.collectors.values():
                collector.store.close()
    with contextlib.suppress(StoreClosedError, DeadlineExceeded):
        done.result()


@contextlib.contextmanager
def closed_port(new_socket: Callable[[], socket.socket] = socket.socket) -> Iterator[int]:
    """Reserve a port on which nothing listens, so that connections to it are refused."""
    with new_socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class _Session:
    """One session of the subject, with the permission decisions that were made in it."""

    def __init__(
        self,
        scenario: Scenario,
        sandbox: Sandbox,
        api: MessagesApi,
        settings: Mapping[str, str],
        args: Sequence[str],
        deadline_s: float,
        groups: ProcessGroups,
    ) -> None:
        self._scenario = scenario
        self._sandbox = sandbox
        self._api = api
        self._settings = settings
        self._args = args
        self._deadline_s = deadline_s
        self._groups = groups
        #: tool_use_id -> what the person answered.
        self._answers: dict[str, Choice] = {}

    def run(self, binary: Binary) -> Completed:
        """Run the session to its end."""
        if self._scenario.api_unreachable:
            with closed_port(self._sandbox.cell.new_socket) as port:
                return self._run(binary, f"http://127.0.0.1:{port}")
        completed = self._run(binary, self._api.base_url)
        if self._api.prompts_doubled:
            raise NotInTimeError(
                f"typed twice: {self._api.prompts_doubled[0]!r}: keys that seemed lost came late",
                output=completed.last_output,
            )
        if self._api.tools_missing:
            raise OursTooLateError(
                f"not there yet: {self._api.tools_missing[0]}: its MCP server came too late "
                "(a tool that the session is not to have: UseTool(..., offered=False))",
                output=completed.last_output,
            )
        return completed

    def _run(self, binary: Binary, api_url: str) -> Completed:
        scenario = self._scenario
        common: Any = {
            "api_url": api_url,
            "env": self._settings,
            "args": self._args,
            "deadline_s": self._deadline_s,
            "groups": self._groups,
        }
        if scenario.prompt:
            return run_headless(binary, self._sandbox, scenario.prompt, **common)
        if scenario.prompts:
            return run_conversation(binary, self._sandbox, scenario.prompts, **common)
        return run_interactive(
            binary,
            self._sandbox,
            scenario.acts,
            witness=Witness(lambda: self._api.prompts, lambda: len(self._api.main_calls)),
            answered=self._note,
            **common,
        )

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The permission decision on every tool that the model requested, in order.

        It was made by a person or by the settings. A release may not follow a rule that forbids
        a tool: a tool that ran was accepted.
        """
        ran = {run.tool_use_id for run in self._api.tool_runs if run.ok}
        decisions = []
        for tool_use_id, step in self._api.tools_asked:
            choice = self._answers.get(tool_use_id)
            allowed = tool_use_id in ran or not step.forbidden
            accepted = allowed if choice is None else choice.accepts
            source = (step.decided_by or _BY_SETTINGS) if choice is None else choice.source
            decisions.append(Decision(step.name, tool_use_id, step.input, accepted, source))
        return tuple(decisions)

    def _note(self, choice: Choice) -> None:
        """Record a person's answer as the decision on the most recently requested tool."""
        tool_use_id, _ = self._api.tools_asked[-1]
        self._answers[tool_use_id] = choice


def _verify(
    binary: Binary,
    scenario: Scenario,
    label: str,
    completed: Completed,
    truth: GroundTruth,
) -> None:
    if scenario.drawn:
        return
    if completed.timed_out and scenario.limit_s is None:
        raise NotInTimeError(
            f"claude {binary.version} did not end {label} within {completed.deadline_s:g} s"
            f"{_unanswered(truth.unknown_requests)}",
            output=completed.last_output,
        )
    if completed.exit_code != 0 and not truth.api_calls and not scenario.may_ask_nothing:
        raise SubjectError(
            f"claude {binary.version} ended with {ending(completed.exit_code)} "
            f"before it asked the model anything ({label})"
            f"{_unanswered(truth.unknown_requests)}",
            output=completed.last_output,
        )


def _unanswered(requests: Sequence[str]) -> str:
    """Name the requests that the fake API does not support, which may be why a session failed."""
    if not requests:
        return ""
    return f"; the scripted API has no answer to {', '.join(dict.fromkeys(requests))}"


def write_files(folder: Path, contents: Mapping[str, str]) -> None:
    """Write text files (name -> content) into ``folder``.

    Raises :class:`UsageError` for a name that leads out of it.
    """
    for name, text in contents.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise UsageError(f"files[{name!r}]", seen=str(path), expected="a path in the work tree")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
