"""Run a live CLI in front of a collector under test: its telemetry passes through it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

from ..capture.export import MAIN
from ..capture.observed import Observation
from ..capture.run import GroundTruth, SubjectFacts, run_label
from ..contract.applicability import A_LIVE_CLI, LIVE
from ..errors import SubjectError
from ..relay.endpoint import Endpoint
from ..relay.forwarding import Forwarder, as_sent
from ..relay.scenario import RelayScenario
from ..relay.stage import RelayStage
from ..running.drive import drive
from ..running.scenario import PATIENCE, Scenario
from ..running.secrets import with_words
from ..running.stage import Backend
from ..subject.binary import Binary
from ..subject.process import ProcessGroups
from ..themes.catalogue import SCENARIOS as OF_THE_CLI


def is_plain(scenario: Scenario) -> bool:
    """Say whether all telemetry of the scenario goes to its one collector, the usual one."""
    arranged = (
        *(scenario.configure, scenario.launch, scenario.meanwhile, scenario.managed),
        *(scenario.more_exports, scenario.skip_reason, scenario.limit_s),
    )
    return (
        scenario.backends == {MAIN: Backend()}
        and not any(arranged)
        and not (scenario.drawn or scenario.slow or scenario.judged_only_by_name)
        and not scenario.api_unreachable
    )


#: The sessions of a live CLI that can go through a collector, by the names of their scenarios.
SCENARIOS: Mapping[str, Scenario] = {
    f"{LIVE}{name}": scenario for name, scenario in OF_THE_CLI.items() if is_plain(scenario)
}

#: The exit codes of a session that went well, and of one that the model failed.
_GOOD_ENDINGS = (0, 1)

#: Those that are run unless others are asked for.
DEFAULT = (f"{LIVE}working_day",)


@dataclass(frozen=True, slots=True)
class LiveSubject:
    """A CLI that is run in front of a collector, each session for ``deadline_s`` at most."""

    binary: Binary
    deadline_s: float
    groups: ProcessGroups = field(default_factory=ProcessGroups)

    @property
    def facts(self) -> SubjectFacts:
        """The CLI, as a record names it."""
        return SubjectFacts(self.binary.spec, self.binary.path, self.binary.version)

    def scenarios(self, asked: Collection[str]) -> tuple[RelayScenario, ...]:
        """Return the sessions among the scenarios ``asked`` for; the usual ones if none are."""
        return tuple(
            RelayScenario(
                name,
                partial(_run, self, scenario),
                scenario.protocols,
                passes_through=True,
            )
            for name, scenario in SCENARIOS.items()
            if name in (asked or DEFAULT)
        )


def _run(subject: LiveSubject, scenario: Scenario, stage: RelayStage) -> Observation | None:
    """Run one session, and note what it sent and what the collector answered."""
    with Forwarder(stage.endpoint) as forwarder:
        through = replace(
            scenario,
            backends={MAIN: Backend(lambda: forwarder.respond, responder_waits=True)},
            environment={**PATIENCE, **_headers(stage.endpoint), **scenario.environment},
        )
        capture = drive(
            subject.binary,
            with_words(through, stage.protocol),
            stage.protocol,
            subject.deadline_s,
            subject.groups,
        )
    if capture.run.exit_code not in _GOOD_ENDINGS:
        raise SubjectError(
            f"claude {subject.binary.version} ended with {capture.run.ending} in "
            f"{run_label(scenario.name, stage.protocol)}: what passed says nothing",
            output=capture.run.stderr or capture.run.stdout,
        )
    if not capture.exports:
        raise SubjectError(
            f"claude {subject.binary.version} exported nothing in "
            f"{run_label(scenario.name, stage.protocol)}: there is nothing to compare",
            output=capture.run.stderr or capture.run.stdout,
        )
    stage.note([*map(as_sent, capture.exports)], capture.forgotten)
    stage.truth = _without_credentials(capture.run.truth, stage.endpoint)
    stage.traits = (A_LIVE_CLI,)
    return None


def _without_credentials(truth: GroundTruth, endpoint: Endpoint) -> GroundTruth:
    """Return what is known of a session without what the collector is shown: it is kept."""
    values = [value for _, value in endpoint.credentials]
    secrets = tuple(
        secret
        for secret in truth.secrets
        if not any(value in secret.text or secret.text in value for value in values)
    )
    return replace(truth, secrets=secrets)


def _headers(endpoint: Endpoint) -> Mapping[str, str]:
    """Return the variable that makes the CLI send the headers that the collector asks for."""
    if not endpoint.headers:
        return {}
    pairs = [f"{name}={quote(value, safe='')}" for name, value in endpoint.headers]
    return {"OTEL_EXPORTER_OTLP_HEADERS": ",".join(pairs)}
