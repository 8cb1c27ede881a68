"""All kinds of subjects: the CLI, and a collector, whose themes the CLI alone does not wait for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..contract.catalogue import COLLECTOR_FOLDERS, Contract, load
from ..contract.versions import Version
from ..errors import UsageError
from ..judging.expectations import Expectations, load_expectations
from ..judging.listing import Listing
from ..record.header import COLLECTOR as COLLECTOR_NAME
from ..relay.arriving import latencies
from ..relay_themes import catalogue as relay_themes
from . import live
from .job import CLAUDE, Job, names_of


def _collector_expectations(
    spec: str, contract: Contract, own: Listing, today: date
) -> Expectations:
    if own.names_releases:
        raise UsageError(
            own.file,
            seen="since, until or newest_measured",
            expected="none of them: the release of a collector is not known",
        )
    return load_expectations(
        contract.version, names=names_of(contract), own=own, packaged=False, today=today
    )


def _collector_contract(version: str = "0.0.0") -> Contract:
    """Load what is promised of a collector; that does not depend on its version."""
    return load(
        Version.parse("0.0.0"),
        checks=relay_themes.CHECKS,
        scenarios=relay_themes.SCENARIOS,
        folders=COLLECTOR_FOLDERS,
    )


#: A collector that the CLI's telemetry passes through.
COLLECTOR = Job(
    COLLECTOR_NAME,
    _collector_contract,
    _collector_expectations,
    relay_themes.MEASURES,
    frozenset({*relay_themes.SCENARIOS, *live.SCENARIOS}),
    relay_themes.planned_runs,
    once=frozenset(name for name, each in relay_themes.SCENARIOS.items() if each.once),
    has_releases=False,
    latencies=latencies,
    lies=relay_themes.lies,
)

JOBS: Mapping[str, Job] = {job.name: job for job in (CLAUDE, COLLECTOR)}
