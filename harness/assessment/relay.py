"""Record what a collector under test makes of the CLI's telemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..capture import files
from ..capture.capture import Capture
from ..capture.observed import Observation
from ..capture.run import SubjectFacts, run_label
from ..clock import monotonic_s, time_ns
from ..errors import HarnessError
from ..judging.listing import NO_LISTING, Listing
from ..otlp.model import Protocol
from ..record import jsonl
from ..record.header import COLLECTOR, RelayFacts, Sent
from ..record.jsonl import RunRecord
from ..record.summary import Plan, RecordingSummary
from ..relay import golden
from ..relay.outlets.base import Outlet
from ..relay.outlets.scrape import ScrapeOutlet
from ..relay.recorder import RelayPlan, record_relay
from ..relay.scenario import RelayScenario
from ..relay.target import Target
from ..relay.ways import Ways
from ..relay_themes.catalogue import SCENARIOS
from ..relay_themes.own_log.observed import read_log
from ..relay_themes.passing.changes import Declarations
from ..relay_themes.passing.observed import OTLP_OUTLETS, Passing
from ..relay_themes.series.observed import Scrapes, SeriesRun
from .kept import load_recording
from .live import SCENARIOS as LIVE_SCENARIOS
from .live import LiveSubject
from .recording import Recording, header_of, recorded


@dataclass(frozen=True, slots=True)
class RelaySetup:
    """A collector under test, with all that is set up around it.

    ``declarations`` are from the file ``changes``. ``sent_from`` is a folder with recorded sessions
    (None: those that come with us), and ``live`` a CLI to run in front of the collector.
    """

    target: Target
    ways: Ways
    settle_s: float
    declarations: Declarations = field(default_factory=lambda: Declarations((), ()))
    changes: Path | None = None
    sent_from: Path | None = None
    live: LiveSubject | None = None

    @property
    def subject(self) -> SubjectFacts:
        """The collector, as a record names it; its version is not known."""
        target = self.target
        path = target.command.split()[0] if target.is_ours else target.spec
        return SubjectFacts(target.spec, path, "0.0.0")

    def facts(self, runs: Sequence[str]) -> RelayFacts:
        """Return what a report says of the collector, and of what ``runs`` (labels) send to it."""
        target, sent = self.target, []
        names = [run.partition(" over ")[0] for run in runs]
        if any(name in SCENARIOS and SCENARIOS[name].passes_through for name in names):
            sent.append(_recorded_source(self.sent_from))
        sessions = sum(name in LIVE_SCENARIOS for name in names)
        if self.live is not None and sessions:
            subject = self.live.facts
            sent.append(Sent(subject.version, sessions, f"run meanwhile ({subject.spec})"))
        return RelayFacts(
            urls=tuple(endpoint.url for endpoint in target.endpoints),
            command=target.command,
            config=str(target.config_file or ""),
            outlets=self.ways.names,
            changes=str(self.changes or ""),
            sent=tuple(sent),
        )


@dataclass(frozen=True, slots=True)
class RelayOrder:
    """What is to be recorded of a collector under test, and what is kept of it.

    ``selected`` are the requirements that are to be judged (None: all), ``options`` those of the
    command line, ``own`` the user's list of known deviations; they are for the record.
    """

    setup: RelaySetup
    scenarios: tuple[RelayScenario, ...]
    protocols: tuple[Protocol, ...]
    keep: Path | None = None
    selected: tuple[str, ...] | None = None
    options: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    own: Listing = NO_LISTING
    started_unix_nano: int = field(default_factory=time_ns)


def _recorded_source(folder: Path | None) -> Sent:
    if folder is None:
        release = golden.releases()[-1]
        facts = golden.provenance(release)
        origin = f"recorded {facts['recorded']} from {facts['subject']}, as it comes with us"
        return Sent(release, len(golden.SESSIONS), origin)
    _, subject, recording = load_recording(folder)
    began = min((capture.run.started_unix_nano for capture in recording.captures), default=0)
    day = datetime.fromtimestamp(began / 1e9, UTC).date().isoformat()
    return Sent(
        subject.version,
        len(recording.captures),
        f"recorded {day} from {subject.spec}, kept in {folder}",
    )


def record_collector(order: RelayOrder, progress: Callable[[str], None]) -> Recording:
    """Send recorded sessions through the collector, and return what came out.

    A HarnessError is reported in the recording's summary. If captures are kept, their record is
    written before the first run and when all have ended.
    """
    started = monotonic_s()
    setup = order.setup
    plan = RelayPlan(
        setup.target,
        setup.subject,
        order.scenarios,
        order.protocols,
        setup.ways.make,
        _sessions(order),
        setup.settle_s,
        _told(setup),
        _scrapes,
        _read_log if setup.target.is_ours else lambda lines: (),
        order.keep,
        lambda: None if setup.live is None else setup.live.groups.end_all(),
    )
    labels = tuple(run_label(scenario.name, protocol) for scenario, protocol in plan.runs())
    own = order.own if order.own.file else None
    planned = Plan(labels, (), order.selected, order.options, own)
    _write(order, planned, None)
    try:
        done = record_relay(plan, progress)
    except HarnessError as error:
        took = monotonic_s() - started
        made = Recording(RecordingSummary(took, harness_fault=str(error)))
    else:
        folders = [files.folder_name(each.run) for each in done.captures] if order.keep else ()
        made = recorded(
            done.captures,
            monotonic_s() - started,
            done.faults,
            done.skipped,
            folders=folders,
            remarks=done.remarks,
        )
    finally:
        if setup.live is not None:
            setup.live.groups.end_all()
    _write(order, planned, made.summary)
    return replace(made, plan=planned)


def _sessions(order: RelayOrder) -> tuple[Capture, ...]:
    if all(scenario.name in LIVE_SCENARIOS for scenario in order.scenarios):
        return ()
    return sessions_of(order.setup.sent_from)


def sessions_of(folder: Path | None) -> tuple[Capture, ...]:
    """Return the sessions to send: those of a recording, or of the newest release that we have."""
    if folder is not None:
        _, _, recording = load_recording(folder)
        return recording.captures
    return golden.load(golden.releases()[-1])


def _told(setup: RelaySetup) -> tuple[Observation, ...]:
    names = setup.ways.names
    otlp = tuple(name for name in names if name in OTLP_OUTLETS)
    return (
        Passing(otlp, setup.declarations.changes, setup.declarations.duties),
        SeriesRun(names),
    )


def _scrapes(outlets: Sequence[Outlet]) -> tuple[Observation, ...]:
    return tuple(Scrapes(outlet.scrapes) for outlet in outlets if isinstance(outlet, ScrapeOutlet))


def _read_log(lines: Iterable[str]) -> tuple[Observation, ...]:
    return (read_log(lines),)


def _write(order: RelayOrder, plan: Plan, summary: RecordingSummary | None) -> None:
    if order.keep is None:
        return
    header = header_of(
        order.setup.subject,
        order.documents,
        summary or RecordingSummary(),
        order.started_unix_nano,
        COLLECTOR,
        order.setup.facts(plan.runs if summary is None else summary.begun),
    )
    jsonl.write(order.keep / jsonl.FILE_NAME, RunRecord(header, plan, summary))
