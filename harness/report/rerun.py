"""Compose the command that judges one requirement again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ..contract.applicability import LIVE
from ..findings import RunName
from ..judging.verdicts import Row
from ..otlp.model import Protocol
from ..record.header import Fuzz

SCENARIOS = "--cc-scenarios"
PROTOCOLS = "--cc-protocols"
_COLLECTOR = "--cc-collector"
#: What is of no use beside a collector where no CLI runs in front of it.
_OF_A_LIVE_CLI = {"--cc-binary", "--cc-deadline"}


def rerun(options: Sequence[str], row: Row, fuzz: Fuzz | None = None) -> str:
    """Return the command that judges the row again, in the runs of its first finding only.

    ``options`` are those of the run that matter, e.g. ``("--cc-binary=npm:2.1.31",)``; ``fuzz``
    describes how input was drawn.
    """
    runs = row.findings[0].runs if row.findings else ()
    narrowed = list(_narrowed(runs, fuzz))
    replaced = {option.partition("=")[0] for option in narrowed}
    of_a_collector = any(option.startswith(_COLLECTOR) for option in options)
    if of_a_collector and runs and not any(run.scenario.startswith(LIVE) for run in runs):
        replaced |= _OF_A_LIVE_CLI
    unchanged = [option for option in options if option.partition("=")[0] not in replaced]
    # The name itself, not -k: that would select every name that contains this one.
    return shlex.join(["pytest", *unchanged, *narrowed, row.requirement])


def _narrowed(runs: Sequence[RunName], fuzz: Fuzz | None) -> Iterator[str]:
    """Yield the options that select these runs, and draw the same input again."""
    if not runs:
        return
    yield f"{SCENARIOS}={','.join(dict.fromkeys(run.scenario for run in runs))}"
    if any(run.drawn for run in runs):
        if fuzz is not None:
            yield f"--hypothesis-profile={fuzz.profile}"
            yield f"--hypothesis-seed={fuzz.seed}"
        return
    protocols = {run.protocol for run in runs}
    if protocols != set(Protocol):
        yield f"{PROTOCOLS}={','.join(protocol for protocol in Protocol if protocol in protocols)}"
