"""What a scenario is: prompts, a script for the model, files, settings, and a person's acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.contract.requirement import Requirement
from harness.otlp.model import Protocol
from harness.subject.headless import PERMISSIONS
from harness.subject.interactive import Act, Type
from harness.subject.sandbox import Sandbox
from harness.subject.script import Step

#: Traits of runs: in words, what ``given`` of a requirement may ask for.
AT_A_TERMINAL = "a_terminal"
A_CONVERSATION = "a_conversation"
AN_ACCOUNT = "an_account"
USAGE_IN_FRAMES = "usage_in_frames"
A_CUT_STREAM = "a_cut_stream"
AN_UNREACHABLE_API = "an_unreachable_api"
A_REFUSING_COLLECTOR = "a_refusing_collector"

#: The steps, or a function from the work tree's absolute path to them.
Script = Sequence[Step] | Callable[[Path], Sequence[Step]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One session: headless with ``prompt``, a conversation of several ``prompts``, or at
    a terminal with ``acts``.

    ``environment`` is laid over the telemetry settings; ``files`` (name -> content)
    stand in the work tree before the session starts; ``prepare`` may add more to the
    sandbox and returns further arguments.  ``traits`` tell the run from others, for
    requirements that hold only with them.  ``canaries`` are the unique texts that it
    hides, by what they stand in for, ``account`` is who is signed in.  It is run over
    each of ``protocols``.

    ``usage_frames``: how often the API tells the usage of one answer.  Two faults of
    what stands around the subject: ``api_unreachable`` (nothing listens where the API
    should be), ``first_exports_refused`` (503 for the first request of each signal).
    """

    name: str
    says: str
    prompt: str = ""
    prompts: tuple[str, ...] = ()
    script: Script = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = PERMISSIONS
    acts: tuple[Act, ...] = ()
    prepare: Callable[[Sandbox, Protocol], Sequence[str]] | None = None
    traits: tuple[str, ...] = ()
    canaries: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    usage_frames: int = 1
    api_unreachable: bool = False
    first_exports_refused: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.prompt, self.prompts, self.acts))) != 1:
            raise ValueError(f"scenario {self.name} needs one of prompt, prompts and acts")

    def steps(self, work: Path) -> Sequence[Step]:
        """The script for a work tree at ``work``."""
        return self.script(work) if callable(self.script) else self.script

    def concerns(self, requirement: Requirement) -> bool:
        """Whether a run of this scenario is one that the requirement speaks of."""
        if requirement.scenarios and self.name not in requirement.scenarios:
            return False
        return requirement.holds_given(self.environment, self.all_traits)

    @property
    def all_traits(self) -> tuple[str, ...]:
        """``traits``, and those that follow from the rest."""
        follow = {
            AT_A_TERMINAL: bool(self.acts),
            A_CONVERSATION: bool(self.prompts),
            AN_ACCOUNT: bool(self.account),
            AN_UNREACHABLE_API: self.api_unreachable,
            A_REFUSING_COLLECTOR: self.first_exports_refused,
            USAGE_IN_FRAMES: self.usage_frames > 1,
        }
        return (*self.traits, *(trait for trait, there in follow.items() if there))

    @property
    def all_prompts(self) -> tuple[str, ...]:
        """Every prompt of the session, in order."""
        if self.prompt:
            return (self.prompt,)
        return self.prompts or tuple(act.prompt for act in self.acts if isinstance(act, Type))
