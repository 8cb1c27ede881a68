"""Describe what is sent to a collector under test, and what is looked at meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..capture.observed import Observation
from ..capture.run import run_label
from ..contract.applicability import JUDGED_ONLY_BY_NAME
from ..otlp.model import Protocol
from .outlets.otlp import OtlpOutlet
from .stage import RelayStage


@dataclass(frozen=True, slots=True)
class RelayScenario:
    """A scenario for a collector under test; it is run once over each of ``protocols``.

    ``run`` sends to the collector of the stage and returns what it observed besides.
    ``passes_through``: what it sends is to come out, but for what is declared; so without a place
    where something comes out there is nothing to judge.
    ``needs_process``: it stops and starts the collector, so it must be a process of ours.
    ``once``: it is about what does not depend on the protocol, so it is run over one that the
    collector takes. ``judged_only_by_name``: only by promises that name it.
    ``downstream`` prepares our downstream, before it starts, to be one that gives trouble; without
    a downstream of ours there is no run. ``patience``: so many times longer than otherwise nothing
    may come out before it counts as all.
    """

    name: str
    run: Callable[[RelayStage], Observation | None]
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    passes_through: bool = False
    needs_process: bool = False
    once: bool = False
    judged_only_by_name: bool = False
    downstream: Callable[[OtlpOutlet], None] | None = None
    patience: float = 1.0

    @property
    def traits(self) -> tuple[str, ...]:
        """What tells its runs from others."""
        return (JUDGED_ONLY_BY_NAME,) if self.judged_only_by_name else ()

    def planned(self) -> tuple[RelayRun, ...]:
        """Return the runs of the scenario; of one that is run once, those that it may be."""
        return tuple(RelayRun(self.name, protocol, self.traits) for protocol in self.protocols)


@dataclass(frozen=True, slots=True)
class RelayRun:
    """One run of a scenario, which may or may not be made."""

    scenario: str
    protocol: Protocol
    traits: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The label of the run: ``passing over grpc``."""
        return run_label(self.scenario, self.protocol)

    @property
    def environment(self) -> dict[str, str]:
        """No variables: a collector's own are nobody's to know."""
        return {}
