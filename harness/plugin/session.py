"""Run sessions of the subject for the ``claude`` fixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..capture.capture import Capture
from ..capture.describe import MOST_MISSES, has, misses, nearest, with_attributes
from ..capture.export import Export
from ..capture.run import GroundTruth, Run
from ..errors import UsageError
from ..fakes.script import Say
from ..otlp.model import DataPoint, Event, Protocol, Span, Value
from ..running.brought import Folder
from ..running.recorder import run_session
from ..running.scenario import Script
from ..subject.binary import Binary


def _tells_what_there_is(excinfo: Any) -> bool:
    """Say whether an exception, as pytest holds it, is told by its text alone."""
    return isinstance(excinfo.value, AssertionError)


#: Whoever asked for the one event gets to see that line, and none of ours.
__tracebackhide__ = _tells_what_there_is

_ANSWER = (Say("Done."),)


@dataclass(frozen=True, slots=True, repr=False)
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

    def spans(self, name: str | None = None, /, **attributes: Value) -> tuple[Span, ...]:
        """Return spans in order of arrival, all or those called ``name``, with ``attributes``.

        See :meth:`harness.Capture.spans`.
        """
        return self.capture.spans(name, **attributes)

    def event(self, name: str, /, **attributes: Value) -> Event:
        """Return the one event ``name`` that has ``attributes``.

        Raises AssertionError if there is none or more than one; it says what there is instead.
        """
        every, names = self.events(name), self.capture.event_names
        return _only(f"event {name!r}", name, every, attributes, names)

    def data_point(self, metric: str, /, **attributes: Value) -> DataPoint:
        """Return the one data point of ``metric`` that has ``attributes``.

        Raises AssertionError if there is none or more than one; it says what there is instead.
        """
        every, names = self.data_points(metric), self.capture.metric_names
        return _only(f"data point of {metric!r}", metric, every, attributes, names)

    def span(self, name: str, /, **attributes: Value) -> Span:
        """Return the one span ``name`` that has ``attributes``.

        Raises AssertionError if there is none or more than one; it says what there is instead.
        """
        names = dict.fromkeys(span.name for span in self.spans())
        return _only(f"span {name!r}", name, self.spans(name), attributes, tuple(names))

    def __repr__(self) -> str:
        """Tell in a line what it is: pytest shows it beside each assertion."""
        run, seen = self.completed, len(self.exports)
        return (
            f"<session of claude {run.subject.version} over {run.protocol}: "
            f"exit code {run.exit_code}, {seen} exports>"
        )


_Item = TypeVar("_Item", Event, DataPoint, Span)


def _only(
    what: str,
    name: str,
    every: Sequence[_Item],
    wanted: Mapping[str, Value],
    names: Sequence[str],
) -> _Item:
    found = [item for item in every if has(item.attributes, wanted)]
    if len(found) == 1:
        return found[0]
    lines = [f"expected one {with_attributes(what, wanted)}, saw {len(found) or 'none'}"]
    if found:
        lines += [f"  {dict(item.attributes)}" for item in found[:MOST_MISSES]]
    elif every:
        lines += [
            "nearest of that name:",
            *(f"  {each}" for each in misses((item.attributes for item in every), wanted)),
        ]
    elif close := nearest(name, names):
        lines.append(f"nearest names: {', '.join(close)}")
    else:
        lines.append(f"there is: {', '.join(names) or 'nothing of the kind'}")
    raise AssertionError("\n".join(lines))


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
        settings: Mapping[str, object] | None = None,
        plugins: Sequence[Folder] = (),
    ) -> Session:
        """Run one session to its end, and return it.

        ``prompt`` is what the user asks, ``script`` what the model answers, step by step
        (or a function from the work tree's path to the steps). ``protocol`` is ``grpc``,
        ``http/protobuf`` or ``http/json``. ``env`` is laid over the telemetry settings;
        ``files`` (name -> content) are put in the work tree before the session starts.
        ``settings`` is what a settings file would say, hooks for example. ``plugins`` are folders
        of plugins, by their paths or by their names in the work tree; those from elsewhere are
        copied, so that the session changes none of yours.

        Raises SubjectError if it does not end in time or never calls the API,
        UsageError for a protocol that does not exist, a file outside the work tree, settings that
        JSON cannot say or a plugin that is no folder.
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
            settings=settings,
            plugins=plugins,
            deadline_s=self.deadline_s,
        )
        return Session(capture)
