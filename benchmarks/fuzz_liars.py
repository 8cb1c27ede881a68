"""How many sessions it takes to find each liar about custom attributes.

First with the profile as it is, whose inputs begin with those that are always tried; then
with drawn input alone, over several seeds.

    python benchmarks/fuzz_liars.py [SEEDS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.assessment.assessment import Assessment
from harness.assessment.recording import Recording
from harness.fuzzing.exploration import PROFILES, Exploration, Profile
from harness.fuzzing.inputs import first
from harness.mutants.liars import ABOUT_ATTRIBUTES, liar
from harness.running.recorder import record
from harness.themes.free_form.scenarios import FUZZ, Input

_RELEASE = "2.1.240"
#: Drawing alone may take longer than a quick profile.
_ALONE = Profile(seconds=90.0, grace_s=0.0, spare_s=0.0)


def _silent(line: str) -> None:
    """Progress is not wanted here."""


def _never() -> Recording:
    raise AssertionError("only single captures are judged here")


def _found_after(lie: str, seed: int, profile: Profile, always: Sequence[Input]) -> int | None:
    """After how many sessions the liar was found, or None."""
    assessment = Assessment("reference", _RELEASE, _never)
    made = Exploration("quick", profile, seed, None, assessment.breaks, _silent, always)
    with tempfile.TemporaryDirectory() as folder:
        binary = liar(ABOUT_ATTRIBUTES[lie], _RELEASE, Path(folder))
        # As if others went on until it is found: what is left to spare is nothing.
        record(
            binary,
            scenarios=[FUZZ],
            progress=_silent,
            explore=lambda run_drawn, _: made(run_drawn, lambda: not made.broken_after),
        )
    return min(made.broken_after.values(), default=None)


def main() -> None:
    """Print a line for each liar."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"sessions until found: always tried first, then drawn alone ({seeds} seeds)")
    for lie in ABOUT_ATTRIBUTES:
        usual = _found_after(lie, 0, PROFILES["quick"], first())
        alone = [_found_after(lie, seed, _ALONE, ()) for seed in range(seeds)]
        known = [each for each in alone if each is not None]
        median = statistics.median(known) if known else None
        print(f"{lie:32} {usual!s:>5}   median {median!s:>6}   {alone}", flush=True)


if __name__ == "__main__":
    main()
