"""Make one run after another of one subject, from any thread, and tell a busy machine's part."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import shortage
from ..capture.capture import Capture
from ..capture.files import folder_name, save
from ..capture.run import CROWDED
from ..clock import time_ns
from ..collector.store import Budget
from ..errors import SubjectError
from ..otlp.model import Protocol
from ..subject.binary import Binary
from ..subject.process import ProcessGroups
from .crowding import CrowdingWatch
from .drive import drive
from .scenario import Scenario
from .secrets import with_words

#: The captures of drawn runs have no part in the budget of the others: nearly all are dropped. A
#: collector of one may keep a quarter of this.
_DRAWN_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Runner:
    """Makes single runs in the calling thread, and saves their captures."""

    binary: Binary
    deadline_s: float
    keep: Path | None
    machine_wide: bool
    watch: CrowdingWatch
    #: What the captures of all runs may weigh together, as they are kept to the end.
    budget: Budget
    groups: ProcessGroups = field(default_factory=ProcessGroups)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def one(self, scenario: Scenario, protocol: Protocol) -> Capture:
        """Run a scenario over a protocol, and save its capture."""
        capture = self._drive(scenario, protocol, self.budget)
        if self.groups.cancelled:
            # It may have been ended by us, which says nothing about it.
            raise SubjectError("the recording was ended")
        if self.keep is not None:
            with self._saving:
                save(capture, self.keep / folder_name(capture.run))
        return capture

    def drawn(self, scenario: Scenario, protocol: Protocol) -> Capture:
        """Run a drawn scenario once, without saving its capture (a :data:`RunDrawn`)."""
        if self.groups.cancelled:
            raise SubjectError("no more sessions are begun")
        # Whether it is judged, and how, is known later: it is saved then.
        return self._drive(scenario, protocol, Budget(_DRAWN_BYTES))

    def _drive(self, scenario: Scenario, protocol: Protocol, budget: Budget) -> Capture:
        started_unix_nano = time_ns()
        try:
            capture = drive(
                self.binary,
                with_words(scenario, protocol),
                protocol,
                self.deadline_s,
                self.groups,
                machine_wide=self.machine_wide,
                budget=budget,
            )
        except (SubjectError, OSError, RuntimeError, MemoryError) as error:
            if want := shortage.want_of(error):
                raise want from error
            if not isinstance(error, SubjectError):
                raise
            crowding = self.watch.between(started_unix_nano, time_ns())
            if crowding <= CROWDED:
                raise
            busy = f"the machine was busy: {crowding:g} processes per core wanted to run"
            raise type(error)(f"{error}\n{busy}") from error
        run = capture.run
        crowding = self.watch.between(run.started_unix_nano, run.ended_unix_nano)
        return replace(capture, run=replace(run, crowding=crowding))
