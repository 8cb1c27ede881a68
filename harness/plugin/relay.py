"""Judge a collector that the CLI's telemetry passes through (``--cc-collector``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ..assessment.assessment import Assessment
from ..assessment.job import CLAUDE
from ..assessment.jobs import COLLECTOR
from ..assessment.kept import check_job
from ..assessment.live import SCENARIOS as LIVE_SCENARIOS
from ..assessment.live import LiveSubject
from ..assessment.recording import Recording, shared
from ..assessment.relay import RelayOrder, RelaySetup, record_collector
from ..capture.run import SubjectFacts
from ..capture.serialization import from_plain, to_plain
from ..errors import HarnessError
from ..keeping import folders
from ..otlp.model import Protocol
from ..record.header import RelayFacts
from ..relay.endpoint import ClientTls, parse_endpoints
from ..relay.scenario import RelayScenario
from ..relay.target import Target, check
from ..relay.ways import ways_of
from ..relay_themes.catalogue import SCENARIOS, needed
from ..relay_themes.passing.changes import Declarations, read
from ..subject.binary import Binary
from . import xdist
from .options import among
from .relay_options import RelayOptions
from .state import State
from .subject import resolved
from .verdicts import Choice, VerdictPlugin, choose


class RelayState(State):
    """The state of a pytest session with ``--cc-collector`` or ``--cc-collector-cmd``.

    ``binary`` is the CLI that runs in front of the collector, set at sessionstart; None without.
    """

    def __init__(self, config: pytest.Config, options: RelayOptions) -> None:
        super().__init__(
            config,
            options.rerun,
            options.report,
            options.captures,
            options.expectations,
            options.accept,
        )
        self.options = options
        self.binary: Binary | None = None
        if options.recording is not None:
            check_job(options.recording, CLAUDE)
        target = _target(options)
        check(target)
        declarations = read(options.changes) if options.changes else Declarations((), ())
        # Made when the session starts: until then, options may still be refused.
        self.folder = folders.place("relay")
        ways = ways_of(target, options.out, self.folder, options.out_certificate, options.out_key)
        self._setup = RelaySetup(
            target, ways, options.settle_s, declarations, options.changes, options.recording
        )

    @property
    def setup(self) -> RelaySetup:
        """The collector with all that is set up around it, the CLI included."""
        if self.binary is None:
            return self._setup
        return replace(self._setup, live=LiveSubject(self.binary, self.options.deadline_s))

    @property
    def facts(self) -> SubjectFacts:
        return self._setup.subject

    def relay(self, runs: Sequence[str]) -> RelayFacts:
        return self.setup.facts(runs)


def _target(options: RelayOptions) -> Target:
    tls = None
    if options.ca or options.certificate:
        tls = ClientTls(options.ca, options.certificate, options.key)
    endpoints = (
        parse_endpoints(options.url, tls=tls, headers=options.headers) if options.url else ()
    )
    return Target(
        endpoints,
        options.command,
        options.config.read_text(encoding="utf-8") if options.config else "",
        options.config,
        options.headers,
        tls,
        options.ready,
    )


def register(config: pytest.Config, options: RelayOptions) -> None:
    """Register the hooks for this session. Raises pytest.UsageError for unusable options."""
    try:
        state = RelayState(config, options)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    choice = choose(config, COLLECTOR.contract("0.0.0").requirements)
    if choice is None:
        raise pytest.UsageError(
            f"{options.given[0].partition('=')[0]}: expected the packaged suite in the run (no "
            "test paths, or names of its requirements among them), saw other tests only"
        )
    config.pluginmanager.register(RelayPlugin(state, choice), "cc-otel-relay")


class RelayPlugin(VerdictPlugin):
    """Hooks that collect and report what is promised of a collector."""

    _state: RelayState

    def __init__(self, state: RelayState, choice: Choice) -> None:
        super().__init__(state, choice)

    def make_assessment(self) -> Assessment:
        facts = self._state.facts
        return Assessment(facts.spec, facts.version, self._record, COLLECTOR, self._state.own)

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        options = self._state.options
        among("--cc-scenarios", options.scenarios, (*SCENARIOS, *LIVE_SCENARIOS))
        among("--cc-protocols", options.protocols, Protocol)
        live = [name for name in options.scenarios if name in LIVE_SCENARIOS]
        if live and not options.binary:
            raise pytest.UsageError(f"--cc-scenarios: expected --cc-binary beside {live[0]!r}")
        if options.binary and options.scenarios and not live:
            raise pytest.UsageError(
                f"--cc-binary: expected one of {', '.join(LIVE_SCENARIOS)} in --cc-scenarios, saw "
                f"{','.join(options.scenarios)}: no CLI runs in these"
            )
        super().pytest_configure(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        config, state = session.config, self._state
        if xdist.is_worker(config):
            handed = xdist.handed(config)
            state.shared = handed.shared
            if handed.binary:
                state.binary = from_plain(Binary, handed.binary)
        else:
            if state.options.binary:
                state.binary = resolved(state.options.binary, state)
            if xdist.is_controller(config):
                state.shared = folders.make("shared")
        folders.make_at(state.folder)
        super().pytest_sessionstart(session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        state = self._state
        assert state.shared is not None
        binary = {} if state.binary is None else to_plain(state.binary)
        xdist.hand_over(node, xdist.Handed(binary, state.shared))

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        folders.remove(self._state.folder)
        if self._state.shared is not None and not xdist.is_worker(config):
            folders.remove(self._state.shared)

    def pytest_report_header(self) -> list[str]:
        lines = [f"cc-otel: the collector is {self._state.facts.spec}"]
        binary = self._state.binary
        if binary is not None:
            lines.append(f"cc-otel: in front of it, {binary.spec} is claude {binary.version}")
        return lines

    def _record(self) -> Recording:
        state, options = self._state, self._state.options
        contract = self._assessment.contract
        asked, setup = self.chosen, state.setup
        everything = len(asked) == len(contract.requirements)
        order = RelayOrder(
            setup,
            tuple(self._scenarios(setup)),
            tuple(map(Protocol, options.protocols or Protocol)),
            options.captures,
            selected=None if everything else tuple(each.name for each in asked),
            options=options.rerun,
            documents=contract.documents,
            own=state.own,
        )
        if state.shared is None:
            return record_collector(order, state.progress)
        return shared(
            order.keep,
            lambda keep: record_collector(replace(order, keep=keep), state.progress),
            state.shared,
        )

    def _scenarios(self, setup: RelaySetup) -> Iterator[RelayScenario]:
        """Yield the scenarios that are needed; those of a live CLI come first, they take long."""
        names = self._state.options.scenarios
        live = setup.live.scenarios(names) if setup.live else ()
        yield from needed(self.chosen, live)
        for scenario in needed(self.chosen):
            if not names or scenario.name in names:
                yield scenario
