"""The definition of a scenario: prompts, a script for the model, files, settings, user input."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..capture.export import MAIN, Export
from ..capture.observed import Observation
from ..capture.run import run_label
from ..collector.tls import Tls
from ..contract.applicability import JUDGED_ONLY_BY_NAME
from ..contract.requirement import DRAWN
from ..fakes.messages_api import THINKS_S
from ..fakes.script import Repeat, Step, UseTool
from ..otlp.model import Protocol
from ..subject.headless import PERMISSIONS
from ..subject.interactive import Act, Distrust, Type
from ..subject.managed import Files
from ..subject.process import Completed
from .stage import Backend, Stage

#: Traits of runs: in words, what ``given`` of a requirement may ask for.
AT_A_TERMINAL = "a_terminal"
A_CONVERSATION = "a_conversation"
AN_ACCOUNT = "an_account"
USAGE_IN_FRAMES = "usage_in_frames"
A_CUT_STREAM = "a_cut_stream"
AN_UNREACHABLE_API = "an_unreachable_api"
PROTOCOLS_BY_SIGNAL = "protocols_by_signal"
A_REFUSING_COLLECTOR = "a_refusing_collector"
AN_EARLIER_SESSION = "an_earlier_session"

#: Lets a session take longer than the default 2 s for its last exports: on a busy machine it would
#: lose them, and the machine would be blamed on the subject. Set wherever collectors answer.
PATIENCE = {"CLAUDE_CODE_OTEL_SHUTDOWN_TIMEOUT_MS": "20000"}


@dataclass(frozen=True, slots=True)
class Until:
    """Repeat a step, at most ``at_most`` times, until ``holds`` returns true.

    ``holds`` is called before each repetition and must not block.
    """

    step: UseTool
    holds: Callable[[Stage], bool]
    at_most: int = 200


#: The steps, or a function from the work tree's absolute path to them.
Script = Sequence[Step | Until] | Callable[[Path], Sequence[Step | Until]]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A headless session that has ended before the scenario's own begins, in the same home.

    It has a scripted API of its own and exports nothing, so that all that is captured and counted
    is what the session after it did.
    """

    prompt: str
    script: Sequence[Step]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """What is known of a run before it is made: scenario, protocol, variables and traits.

    As in :class:`harness.capture.run.Run`, but ``environment`` has only the variables that the
    scenario itself sets.
    """

    scenario: str
    protocol: Protocol
    environment: Mapping[str, str]
    traits: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name of the run in reports, such as ``working_day over grpc``."""
        return run_label(self.scenario, self.protocol)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One session of the subject, with everything that is set up for it.

    Headless with ``prompt``, a conversation of several ``prompts``, or at a terminal with
    ``acts``.

    ``environment`` is laid over the telemetry settings; ``files`` (name -> content)
    are in the work tree before the session starts; ``prepare`` may add more to the
    stage and returns further arguments. ``traits`` distinguish the run from others, for
    requirements that apply only to runs with them. ``canaries`` are the unique texts that it
    hides, keyed by what they stand in for; ``account`` is who is signed in. It is run over
    each of ``protocols``. The session ``earlier`` comes before it, in the same home and work tree;
    ``prepare`` finds its id on the stage.

    ``usage_frames``: how many times the API reports the usage of one answer;
    ``api_unreachable``: nothing listens on the API's port. ``api_tls`` makes the TLS settings of
    the API, which the session may refuse, or it the session; without it the API speaks plain text.

    ``backends`` are the collectors, by name. ``configure`` returns the telemetry settings
    (None: all signals over the run's protocol to the collector ``main``). ``forward``: it has
    a forward proxy, which leads nowhere until ``configure`` says where. ``launch`` returns
    a prefix of the command line, before the subject's own. ``managed`` returns the
    managed settings that only this run must see. ``meanwhile`` runs in
    a thread of its own while the session does; its waits on a collector end with the session.
    After the process has ended, ``observe`` returns further facts about the run, and
    ``more_exports`` further exports. ``too_late`` says what of ours came so late that the run
    tells nothing about the subject (empty: nothing did).

    A run is judged by every requirement that applies to it; ``judged_only_by_name``: only
    by those that name the scenario, because its telemetry is incomplete on purpose.
    ``skip_reason`` says why it cannot be run on this machine (None: it can). ``waits_s``
    is how long the session is idle: it lengthens the deadline, and other
    runs do not wait for it. ``expected_s`` is about how long it takes alone, in seconds, so that
    the longest start first. A session that still runs after ``limit_s`` is ended and
    judged like any other: some releases hang. A ``slow`` scenario runs only if asked for.
    A ``drawn`` one stands for many runs, each with an input of its own; they are
    judged however they end. ``thinks_s`` is how long the API holds back every answer.
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
    earlier: Earlier | None = None
    traits: tuple[str, ...] = ()
    canaries: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    usage_frames: int = 1
    api_unreachable: bool = False
    api_tls: Callable[[Protocol], Tls | None] | None = None
    backends: Mapping[str, Backend] = field(default_factory=lambda: {MAIN: Backend()})
    configure: Callable[[Stage], Mapping[str, str]] | None = None
    forward: bool = False
    launch: Callable[[Stage], Sequence[str]] | None = None
    meanwhile: Callable[[Stage], None] | None = None
    managed: Callable[[Stage], Files] | None = None
    observe: Callable[[Stage, Completed], Observation | None] | None = None
    more_exports: Callable[[Stage, Completed], Sequence[Export]] | None = None
    too_late: Callable[[Stage, Completed], str] | None = None
    judged_only_by_name: bool = False
    skip_reason: Callable[[], str | None] | None = None
    waits_s: float = 0.0
    expected_s: float = 1.0
    limit_s: float | None = None
    slow: bool = False
    drawn: bool = False
    thinks_s: float = THINKS_S

    def __post_init__(self) -> None:
        if sum(map(bool, (self.prompt, self.prompts, self.acts))) != 1:
            raise ValueError(f"scenario {self.name} needs one of prompt, prompts and acts")

    def steps(self, work: Path) -> Sequence[Step | Until]:
        """Return the script for a work tree at ``work``."""
        return self.script(work) if callable(self.script) else self.script

    def steps_at(self, stage: Stage) -> Sequence[Step]:
        """Return the script for a run on ``stage``, its conditions bound to that stage."""
        return [
            Repeat(step.step, partial(step.holds, stage), step.at_most)
            if isinstance(step, Until)
            else step
            for step in self.steps(stage.work)
        ]

    def planned(self, protocols: Collection[Protocol] = tuple(Protocol)) -> list[PlannedRun]:
        """List the runs of this scenario over those of its protocols that are in ``protocols``."""
        traits = self.all_traits
        return [
            PlannedRun(self.name, protocol, self.environment, traits)
            for protocol in self.protocols
            if protocol in protocols
        ]

    @property
    def all_traits(self) -> tuple[str, ...]:
        """``traits``, and those that follow from other fields."""
        follow = {
            AT_A_TERMINAL: bool(self.acts),
            A_CONVERSATION: bool(self.prompts),
            AN_ACCOUNT: bool(self.account),
            AN_UNREACHABLE_API: self.api_unreachable,
            A_REFUSING_COLLECTOR: any(backend.responder for backend in self.backends.values()),
            JUDGED_ONLY_BY_NAME: self.judged_only_by_name,
            DRAWN: self.drawn,
            USAGE_IN_FRAMES: self.usage_frames > 1,
            AN_EARLIER_SESSION: self.earlier is not None,
        }
        return (*self.traits, *(trait for trait, there in follow.items() if there))

    def api_context(self, protocol: Protocol) -> ssl.SSLContext | None:
        """Make what the API needs to speak TLS in a run over ``protocol``; None: plain text."""
        tls = self.api_tls(protocol) if self.api_tls else None
        return tls.context() if tls else None

    @property
    def may_ask_nothing(self) -> bool:
        """Whether it may end in failure before it has asked the model anything."""
        declined = any(isinstance(act, Distrust) for act in self.acts)
        return self.api_unreachable or self.api_tls is not None or declined

    @property
    def answers_exports(self) -> bool:
        """Whether its collectors accept every export at once, so that no session waits in vain."""
        plain = all(
            backend.listening and backend.responder is None and backend.tls is None
            for backend in self.backends.values()
        )
        return plain and self.limit_s is None

    @property
    def patience(self) -> Mapping[str, str]:
        """The variables that let its session wait for its last exports, if they are answered."""
        return PATIENCE if self.answers_exports else {}

    @property
    def all_prompts(self) -> tuple[str, ...]:
        """Every prompt of the session, in order."""
        if self.prompt:
            return (self.prompt,)
        return self.prompts or tuple(act.prompt for act in self.acts if isinstance(act, Type))
