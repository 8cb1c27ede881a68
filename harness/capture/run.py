"""A run: one process under test, and the ground truth of what really happened in it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..otlp.model import Protocol

#: So many processes per core may want to run at once, on average over a run. Measured on two
#: cores: a whole run beside nothing heavy has 5 to 15 by its own sessions, 7 in the median, and
#: no verdict changed in twenty beside busy loops and other work. Beside three suites (load
#: averages of 15 to 34) intervals looked too long, and last exports were given up.
CROWDED = 16.0


def run_label(scenario: str, protocol: str) -> str:
    """Return the label of a run, recorded or planned: ``working_day over grpc``."""
    return f"{scenario} over {protocol}"


#: Shells add this to the number of the signal that ended what they ran.
_OF_A_SHELL = 128


def ending(exit_code: int) -> str:
    """Tell how a process ended: ``exit code 7``, or ``signal 11 (SIGSEGV)`` for -11."""
    if exit_code < 0:
        name = _signal_name(-exit_code)
        return f"signal {-exit_code}" + (f" ({name})" if name else "")
    name = _signal_name(exit_code - _OF_A_SHELL) if exit_code > _OF_A_SHELL else ""
    return f"exit code {exit_code}" + (f" (how a shell tells of {name})" if name else "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return ""


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """The identity of the process under test.

    ``spec`` is what the caller asked for (``npm:2.1.31``), ``version`` what ``--version``
    printed, without the product name.
    """

    spec: str
    path: str
    version: str


@dataclass(frozen=True, slots=True)
class Host:
    """The machine of a run, in the words of OpenTelemetry's resource conventions.

    ``wsl_version`` is empty outside of the Windows Subsystem for Linux.
    """

    os_type: str = ""
    os_version: str = ""
    arch: str = ""
    wsl_version: str = ""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request that the scripted Messages API answered.

    ``status`` 0 stands for no answer, or for part of one: then the token counts are those of the
    whole answer.

    ``auxiliary`` calls are not part of the script (titles, command classification), but are
    answered and billed. Token counts are what was billed: all zero on an error answer. A
    ``probe`` asks for a single token, to see whether the API answers: no document says whether it
    is reported or counted. ``arrived_unix_nano`` is when the whole request had arrived,
    ``answered_unix_nano`` when its answer was made; 0 if that was not noted.

    An auxiliary call was ``given_up`` if its connection was closed after it while the session
    went on: the subject may not have waited for the answer, and nobody else can tell whether it
    did.

    ``session_id``, ``user_id``, ``effort`` and ``speed`` are what the request itself said of
    its session, its installation and how the model is to work; empty where it said nothing.
    ``said`` is the text of the answer, if it was answered with text.
    """

    model: str
    status: int
    auxiliary: bool
    streamed: bool
    request_id: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0
    error_message: str = ""
    probe: bool = False
    arrived_unix_nano: int = 0
    answered_unix_nano: int = 0
    session_id: str = ""
    user_id: str = ""
    effort: str = ""
    speed: str = ""
    given_up: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One request of the subject that the API never answered with success, however often repeated.

    ``status`` is that of the last answer, None if no answer came; ``attempts`` are the requests
    that arrived, 0 if none could, and ``request_ids`` their ids, in order.
    """

    status: int | None
    message: str
    attempts: int
    request_ids: tuple[str, ...] = ()

    @property
    def retried(self) -> bool:
        """Whether it failed after retries, or may have, where nobody could count them.

        A bad request (400) is never retried: if it came again, a client made a new request of it.
        """
        return self.attempts != 1 and self.status != 400


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One scripted ``tool_use`` whose result came back.

    ``input`` is what the script sent; ``ok`` is false when the result was marked as an error;
    ``result_bytes`` and ``result_units`` are the length of a result of plain text, in UTF-8 and
    in UTF-16 code units (None for other results). ``asked_unix_nano`` is when the answer that
    requested it was made, ``returned_unix_nano`` when the request with its result had arrived;
    0 if that was not noted.
    """

    name: str
    tool_use_id: str
    input: Mapping[str, object]
    ok: bool
    result_bytes: int | None = None
    result_units: int | None = None
    asked_unix_nano: int = 0
    returned_unix_nano: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """The permission decision that was really made about one scripted tool.

    ``source`` is the documented word for who decided: ``config`` if nobody was asked.
    """

    name: str
    tool_use_id: str
    input: Mapping[str, object]
    accepted: bool
    source: str


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One message that the subject kept in the transcript of its session, on disk.

    ``role`` is ``user`` or ``assistant``, or what else the transcript calls an entry; ``file``
    names the transcript, for a subagent has one of its own.
    """

    role: str
    uuid: str
    file: str = ""


#: The shortest part of a canary, a key or a token that tells of it, in characters.
A_PART = 8


@dataclass(frozen=True, slots=True)
class Secret:
    """A private text of a run: what kind it is (``prompt``, ``api_key``), and what it says.

    ``part`` is how many consecutive characters tell of it, 0 if only the whole of it does.
    ``headers`` are the places where it is sent on purpose, such as ``metrics header x-token``.
    """

    kind: str
    text: str
    part: int = 0
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What happened, counted by our fakes and never by the subject.

    ``canaries`` are unique texts that the scenario hides, by what they stand in for (``prompt``,
    ``api_key``), ``secrets`` everything private that the run has besides; ``account`` is who was
    signed in, by the attributes that tell it; ``unknown_requests`` are those that the scripted API
    has no answer to, as ``METHOD /path``; ``reached`` is what the session tried to reach beside
    this machine, and ``unwatched`` says why that could not be seen. ``kept_messages`` alone
    come from the subject: they are in the transcript on its disk.
    """

    prompts: tuple[str, ...] = ()
    api_calls: tuple[ApiCall, ...] = ()
    tool_runs: tuple[ToolRun, ...] = ()
    commits: int = 0
    pull_requests: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    decisions: tuple[Decision, ...] = ()
    failures: tuple[Failure, ...] = ()
    canaries: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    account: Mapping[str, str] = field(default_factory=dict)
    unknown_requests: tuple[str, ...] = ()
    kept_messages: tuple[KeptMessage, ...] = ()
    reached: tuple[str, ...] = ()
    unwatched: str = ""

    @property
    def hidden(self) -> tuple[Secret, ...]:
        """Everything that is looked for: the canaries and the secrets."""
        canaries = (Secret(kind, text, A_PART) for kind, text in self.canaries.items())
        return (*canaries, *self.secrets)

    @property
    def tools_that_ran(self) -> tuple[ToolRun, ...]:
        """The tools that ran: all but those that a person or the settings rejected."""
        rejected = {decision.tool_use_id for decision in self.decisions if not decision.accepted}
        return tuple(run for run in self.tool_runs if run.tool_use_id not in rejected)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a process under test.

    ``environment`` is what the scenario set (no inherited variables); ``traits`` are what else
    distinguishes the run from others (``terminal``); times are Unix nanoseconds; ``exit_code`` is
    negative for a signal; ``stopped`` says whether it is of our doing, because the session was
    still running at the limit that its scenario sets (None: nobody noted it). ``observed`` is what
    the scenario observed besides, as JSON values by name. ``crowding`` is how many processes per
    core of the machine wanted to run at once, on average; 0 if nobody looked.
    """

    scenario: str
    protocol: Protocol
    subject: SubjectFacts
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    started_unix_nano: int
    ended_unix_nano: int
    exit_code: int
    stdout: str
    stderr: str
    truth: GroundTruth = field(default_factory=GroundTruth)
    traits: tuple[str, ...] = ()
    host: Host = field(default_factory=Host)
    observed: Mapping[str, object] = field(default_factory=dict)
    crowding: float = 0.0
    stopped: bool | None = None

    @property
    def label(self) -> str:
        """The label of the run: ``working_day over grpc``."""
        return run_label(self.scenario, self.protocol)

    @property
    def ending(self) -> str:
        """How its process ended: ``exit code 0``, ``signal 11 (SIGSEGV)``."""
        return ending(self.exit_code)
