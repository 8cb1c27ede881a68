"""What a scenario is: prompts, a script for the model, files, settings, and a person's acts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.capture.export import MAIN, Export
from harness.capture.observed import Observation
from harness.capture.run import run_label
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.contract.requirement import DRAWN
from harness.fakes.script import Repeat, Step, UseTool
from harness.otlp.model import Protocol
from harness.running.stage import Backend, Stage
from harness.subject.headless import PERMISSIONS
from harness.subject.interactive import Act, Type
from harness.subject.managed import Files
from harness.subject.process import Completed

#: Traits of runs: in words, what ``given`` of a requirement may ask for.
AT_A_TERMINAL = "a_terminal"
A_CONVERSATION = "a_conversation"
AN_ACCOUNT = "an_account"
USAGE_IN_FRAMES = "usage_in_frames"
A_CUT_STREAM = "a_cut_stream"
AN_UNREACHABLE_API = "an_unreachable_api"
PROTOCOLS_BY_SIGNAL = "protocols_by_signal"
A_REFUSING_COLLECTOR = "a_refusing_collector"


@dataclass(frozen=True, slots=True)
class Until:
    """Repeat a step until ``holds``, which is asked before each time without blocking.

    At most ``at_most`` times.
    """

    step: UseTool
    holds: Callable[[Stage], bool]
    at_most: int = 200


#: The steps, or a function from the work tree's absolute path to them.
Script = Sequence[Step | Until] | Callable[[Path], Sequence[Step | Until]]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Describe what is known of a run before it is made.

    As in :class:`harness.capture.run.Run`, but ``environment`` has only what the scenario itself
    sets.
    """

    scenario: str
    protocol: Protocol
    environment: Mapping[str, str]
    traits: tuple[str, ...]

    @property
    def label(self) -> str:
        """``working_day over grpc``."""
        return run_label(self.scenario, self.protocol)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Describe one session, and what stands around it.

    Headless with ``prompt``, a conversation of several ``prompts``, or at a terminal with
    ``acts``.

    ``environment`` is laid over the telemetry settings; ``files`` (name -> content)
    stand in the work tree before the session starts; ``prepare`` may add more to the
    stage and returns further arguments.  ``traits`` tell the run from others, for
    requirements that hold only with them.  ``canaries`` are the unique texts that it
    hides, by what they stand in for, ``account`` is who is signed in.  It is run over
    each of ``protocols``.

    ``usage_frames``: how often the API tells the usage of one answer;
    ``api_unreachable``: nothing listens where the API should be.

    ``backends`` are the collectors, by name.  ``configure`` gives the telemetry settings
    (None: all signals over the run's protocol to the collector ``main``).  ``launch``
    is what the command line begins with, before the subject's own.  ``managed`` gives the
    managed settings that only this run must see.  ``meanwhile`` runs in
    a thread of its own while the session does; waits on a collector end with the session.
    ``observe`` adds to what the run is known to have done, ``more_exports`` to what it
    exported, after the process has ended.

    A run is judged by every requirement that applies to it; ``judged_only_by_name``: only
    by those that name the scenario, because its telemetry is not whole on purpose.
    ``skip_reason`` says why it cannot be run on this machine (None: it can).  ``waits_s``
    is how long the session waits, doing nothing: it lengthens its deadline, and other
    runs do not wait for it.  ``expected_s`` is about how long it takes alone, in seconds, so that
    the longest start first.  A session that is still there after ``limit_s`` is ended and
    judged like any other: some releases hang.  A ``slow`` scenario runs only where that is
    asked for.  A ``drawn`` one stands for many runs, each with an input of its own; they are
    judged however they end.
    """

    name: str
    description: str
    prompt: str = ""
    prompts: tuple[str, ...] = ()
    script: Script = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = PERMISSIONS
    acts: tuple[Act, ...] = ()
    prepare: Callable[[Stage], Sequence[str]] | None = None
    traits: tuple[str, ...] = ()
    canaries: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    usage_frames: int = 1
    api_unreachable: bool = False
    backends: Mapping[str, Backend] = field(default_factory=lambda: {MAIN: Backend()})
    configure: Callable[[Stage], Mapping[str, str]] | None = None
    launch: Callable[[Stage], Sequence[str]] | None = None
    meanwhile: Callable[[Stage], None] | None = None
    managed: Callable[[Stage], Files] | None = None
    observe: Callable[[Stage, Completed], Observation | None] | None = None
    more_exports: Callable[[Stage, Completed], Sequence[Export]] | None = None
    judged_only_by_name: bool = False
    skip_reason: Callable[[], str | None] | None = None
    waits_s: float = 0.0
    expected_s: float = 1.0
    limit_s: float | None = None
    slow: bool = False
    drawn: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.prompt, self.prompts, self.acts))) != 1:
            raise ValueError(f"scenario {self.name} needs one of prompt, prompts and acts")

    def steps(self, work: Path) -> Sequence[Step | Until]:
        """Return the script for a work tree at ``work``."""
        return self.script(work) if callable(self.script) else self.script

    def steps_at(self, stage: Stage) -> Sequence[Step]:
        """Return the script for a run on the stage ``stage``."""
        return [
            Repeat(step.step, partial(step.holds, stage), step.at_most)
            if isinstance(step, Until)
            else step
            for step in self.steps(stage.work)
        ]

    def planned(self, protocols: Collection[Protocol] = tuple(Protocol)) -> list[PlannedRun]:
        """Its runs over those of its protocols that are among ``protocols``."""
        traits = self.all_traits
        return [
            PlannedRun(self.name, protocol, self.environment, traits)
            for protocol in self.protocols
            if protocol in protocols
        ]

    @property
    def all_traits(self) -> tuple[str, ...]:
        """``traits``, and those that follow from the rest."""
        follow = {
            AT_A_TERMINAL: bool(self.acts),
            A_CONVERSATION: bool(self.prompts),
            AN_ACCOUNT: bool(self.account),
            AN_UNREACHABLE_API: self.api_unreachable,
            A_REFUSING_COLLECTOR: any(each.responder for each in self.backends.values()),
            JUDGED_ONLY_BY_NAME: self.judged_only_by_name,
            DRAWN: self.drawn,
            USAGE_IN_FRAMES: self.usage_frames > 1,
        }
        return (*self.traits, *(trait for trait, there in follow.items() if there))

    @property
    def all_prompts(self) -> tuple[str, ...]:
        """Every prompt of the session, in order."""
        if self.prompt:
            return (self.prompt,)
        return self.prompts or tuple(act.prompt for act in self.acts if isinstance(act, Type))
