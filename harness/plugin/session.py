"""Run sessions of the subject for the ``claude`` fixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.run import GroundTruth, Run
from ..errors import UsageError
from ..fakes.script import Say
from ..otlp.model import DataPoint, Event, Protocol, Value
from ..running.recorder import run_session
from ..running.scenario import Script
from ..subject.binary import Binary

_ANSWER = (Say("Done."),)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the subject that has ended, with what it exported."""

    capture: Capture

    @property
    def completed(self) -> Run:
        """The ended process: ``exit_code``, ``stdout``, ``stderr``, ``argv``, times."""
        return self.capture.run

    @property
    def truth(self) -> GroundTruth:
        """What really happened, as counted by the fakes."""
        return self.capture.run.truth

    @property
    def exports(self) -> tuple[Export, ...]:
        """Every export request, refused ones too, in order of arrival."""
        return self.capture.exports

    def data_points(
        self, metric: str | None = None, /, **attributes: Value
    ) -> tuple[DataPoint, ...]:
        """Return data points of ``metric`` or of all that have each of ``attributes``.

        See :meth:`harness.Capture.data_points`.
        """
        return self.capture.data_points(metric, **attributes)

    def events(self, name: str | None = None, /, **attributes: Value) -> tuple[Event, ...]:
        """Return events in order of arrival, all or those called ``name``, with ``attributes``.

        See :meth:`harness.Capture.events`.
        """
        return self.capture.events(name, **attributes)


@dataclass(frozen=True, slots=True)
class ClaudeFactory:
    """A function that runs sessions of ``binary``, each for ``deadline_s`` seconds at most."""

    binary: Binary
    deadline_s: float

    def __call__(
        self,
        prompt: str = "Say that it is done.",
        *,
        script: Script = _ANSWER,
        protocol: str = Protocol.HTTP_JSON,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Session:
        """Run one session to its end, and return it.

        ``prompt`` is what the user asks, ``script`` what the model answers, step by step
        (or a function from the work tree's path to the steps). ``protocol`` is ``grpc``,
        ``http/protobuf`` or ``http/json``. ``env`` is laid over the telemetry settings;
        ``files`` (name -> content) are put in the work tree before the session starts.

        Raises SubjectError if it does not end in time or never calls the API,
        UsageError for a protocol that does not exist or a file outside the work tree.
        """
        if protocol not in list(Protocol):
            raise UsageError(
                "protocol", seen=repr(protocol), expected=f"one of {', '.join(Protocol)}"
            )
        capture = run_session(
            self.binary,
            prompt=prompt,
            script=script,
            protocol=Protocol(protocol),
            env=env,
            files=files,
            deadline_s=self.deadline_s,
        )
        return Session(capture)
