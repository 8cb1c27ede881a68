"""Lies about dynamic headers: when the helper ran, and which requests carried its headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import edit_observed, observed, with_observed
from ...contract.requirement import Requirement
from ...otlp.codec import encode
from ...otlp.messages import ENCODINGS, ExportLogsServiceRequest
from ...otlp.model import Protocol, Signal
from .experiment import BEGINS_LATE_S, LATER_S, TOO_SOON_S
from .observed import HelperLog, HelperRun

Lie = Callable[[Capture, Requirement], Capture]
_Runs = tuple[HelperRun, ...]

_SECOND = 1_000_000_000


def one_without(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the helper's headers out of the last request."""
    return _last(capture, lambda export: _bare(export, _headers(capture)))


def one_with(capture: Capture, requirement: Requirement) -> Capture:
    """Add a header of the helper to the last request."""
    (name, *_) = _headers(capture)
    return _last(capture, lambda export: _put(export, name, "1"))


def one_header_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave one of the helper's headers out of the last request."""
    (name, *_) = _headers(capture)
    return _last(capture, lambda export: _bare(export, [name]))


def static_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the static header out of the last request."""
    return _last(capture, lambda export: _bare(export, [_helper(capture).static]))


def answers_mixed(capture: Capture, requirement: Requirement) -> Capture:
    """Take one header of the last request from the helper's first answer."""
    name = _headers(capture)[-1]
    return _last(capture, lambda export: _put(export, name, _of_run(export, name, 1)))


def older_answer(capture: Capture, requirement: Requirement) -> Capture:
    """Send the helper's first answer in the last request, long after it was printed."""

    def older(export: Export) -> Export:
        for name in _headers(capture):
            export = _put(export, name, _of_run(export, name, 1))
        return _later(export)

    return _last(capture, older)


def answer_grows_old(capture: Capture, requirement: Requirement) -> Capture:
    """Delay the last request until the answer that it carries is too old to be in use."""
    return _last(capture, _later)


def headers_never_sent(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the helper's headers out of every request."""
    bare = [_bare(export, _headers(capture)) for export in _exports(capture)]
    return replace(capture, exports=tuple(bare))


def no_logs(capture: Capture, requirement: Requirement) -> Capture:
    """Export no logs."""
    return _without(capture, Signal.LOGS)


def no_traces(capture: Capture, requirement: Requirement) -> Capture:
    """Export no traces."""
    return _without(capture, Signal.TRACES)


def one_refused(capture: Capture, requirement: Requirement) -> Capture:
    """Have the last request refused."""
    return _last(capture, _refused)


def later_tokens_refused(capture: Capture, requirement: Requirement) -> Capture:
    """Have every request refused that carries another token than the first."""
    name = _headers(capture)[0]
    exports = [
        export if re.search(r"\b1$", export.header(name) or "") else _refused(export)
        for export in _exports(capture)
    ]
    return replace(capture, exports=tuple(exports))


def sent_without(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request, without the helper's headers."""
    return _more(capture, {})


def sent_with_the_answer(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request, with the headers that the helper should have printed."""
    return _more(capture, dict.fromkeys(_headers(capture), "1"))


def sent_with_an_injection(capture: Capture, requirement: Requirement) -> Capture:
    """Send one more request, with the header that is injected in a value of the answer."""
    injected = _helper(capture).injected
    return _more(capture, {**dict.fromkeys(_headers(capture), "1"), injected: "yes"})


def helper_begins_late(capture: Capture, requirement: Requirement) -> Capture:
    """Run the helper for the first time five seconds after the first tool of the session."""
    at_work = _helper(capture).at_work_unix_nano
    if not at_work:
        raise ValueError(f"{capture.run.label} ran no tool that could be first")

    def late(runs: _Runs) -> _Runs:
        by = at_work + round(BEGINS_LATE_S * _SECOND) - runs[0].started_unix_nano
        return tuple(_moved(run, by) for run in runs)

    return _ran(capture, late)


def helper_runs_too_soon(capture: Capture, requirement: Requirement) -> Capture:
    """Run the helper the second time a tenth of a second after the first."""

    def soon(runs: _Runs) -> _Runs:
        first, second, *others = runs
        started = first.started_unix_nano + round(TOO_SOON_S * _SECOND)
        return (first, replace(second, started_unix_nano=started), *others)

    return _ran(capture, soon)


def helper_stops_running(capture: Capture, requirement: Requirement) -> Capture:
    """Run the helper only once, although requests carry later answers."""
    return _ran(capture, lambda runs: runs[:1])


def helper_runs_again(capture: Capture, requirement: Requirement) -> Capture:
    """Run the helper once more, a second later."""
    return _ran(capture, lambda runs: (*runs, _moved(runs[-1], _SECOND)))


def arguments_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Run the helper without its arguments."""
    return _ran(capture, lambda runs: tuple(replace(run, arguments=()) for run in runs))


def session_ends_badly(capture: Capture, requirement: Requirement) -> Capture:
    """End the session with an error."""
    return replace(capture, run=replace(capture.run, exit_code=1))


def nothing_reported(capture: Capture, requirement: Requirement) -> Capture:
    """Print nothing to standard error."""
    return replace(capture, run=replace(capture.run, stderr=""))


def nothing_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the helper out of the debug log."""
    return edit_observed(capture, HelperLog, lambda helper: replace(helper, debug_log=()))


def _helper(capture: Capture) -> HelperLog:
    helper = observed(capture.run, HelperLog)
    if helper is None:
        raise ValueError(f"{capture.run.label} observed no helper")
    return helper


def _headers(capture: Capture) -> Sequence[str]:
    return _helper(capture).headers


def _ran(capture: Capture, edit: Callable[[_Runs], _Runs]) -> Capture:
    helper = _helper(capture)
    if not helper.runs:
        raise ValueError(f"{capture.run.label} ran no helper")
    return with_observed(capture, replace(helper, runs=edit(helper.runs)))


def _moved(run: HelperRun, by: int) -> HelperRun:
    return replace(
        run,
        started_unix_nano=run.started_unix_nano + by,
        answered_unix_nano=run.answered_unix_nano + by,
    )


def _exports(capture: Capture) -> Sequence[Export]:
    if not capture.exports:
        raise ValueError(f"{capture.run.label} exported nothing")
    return capture.exports


def _last(capture: Capture, edit: Callable[[Export], Export]) -> Capture:
    *others, last = _exports(capture)
    return replace(capture, exports=(*others, edit(last)))


def _without(capture: Capture, signal: Signal) -> Capture:
    others = tuple(export for export in _exports(capture) if export.signal is not signal)
    return replace(capture, exports=others)


def _later(export: Export) -> Export:
    return replace(export, arrived_unix_nano=export.arrived_unix_nano + round(LATER_S * _SECOND))


def _bare(export: Export, names: Sequence[str]) -> Export:
    others = tuple(pair for pair in export.headers if pair[0].lower() not in names)
    return replace(export, headers=others)


def _put(export: Export, name: str, value: str) -> Export:
    return replace(export, headers=(*_bare(export, [name]).headers, (name, value)))


def _of_run(export: Export, name: str, number: int) -> str:
    return re.sub(r"\d+$", str(number), export.header(name) or "")


def _refused(export: Export) -> Export:
    return replace(export, status=401, rejected="turned away")


def _more(capture: Capture, headers: Mapping[str, str]) -> Capture:
    protocol = capture.run.protocol
    assert protocol is not Protocol.GRPC
    extra = Export(
        sequence=len(capture.exports) + 1,
        protocol=protocol,
        signal=Signal.LOGS,
        method="POST",
        path="/v1/logs",
        http_version="1.1",
        headers=tuple(headers.items()),
        body=encode(ExportLogsServiceRequest(), ENCODINGS[protocol]),
        arrived_unix_nano=capture.run.ended_unix_nano,
        peer="",
        status=200,
    )
    return replace(capture, exports=(*capture.exports, extra))


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        one_without,
        one_with,
        one_header_lost,
        static_lost,
        answers_mixed,
        older_answer,
        answer_grows_old,
        headers_never_sent,
        no_logs,
        no_traces,
        one_refused,
        later_tokens_refused,
        sent_without,
        sent_with_the_answer,
        sent_with_an_injection,
        helper_begins_late,
        helper_runs_too_soon,
        helper_stops_running,
        helper_runs_again,
        arguments_lost,
        session_ends_badly,
        nothing_reported,
        nothing_logged,
    )
}
