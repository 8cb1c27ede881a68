"""What the scenarios about failing collectors observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Aftermath(Observation):
    """What followed the work of a session, and the failures of its collectors.

    ``lingered_s`` is how long the process went on after its last step (None: it took none). The
    others count the exports that a collector accepted after its failure (None: it had none): the
    collector ``absent`` starts to listen late, ``cutting`` resets a connection.
    """

    lingered_s: float | None = None
    absent_after_the_trouble: int | None = None
    cutting_after_the_trouble: int | None = None
