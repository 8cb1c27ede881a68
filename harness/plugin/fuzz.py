"""Apply the options of Hypothesis' own pytest plugin to sessions with drawn input."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import hypothesis
import pytest
from hypothesis.errors import InvalidArgument

from ..fuzzing.exploration import (
    DEFAULT_PROFILE,
    PROFILES,
    Exploration,
    Oracle,
    database,
)
from ..fuzzing.inputs import first
from ..otlp.model import Protocol

_PROFILE = "--hypothesis-profile"
_SEED = "--hypothesis-seed"


def register_profiles(config: pytest.Config) -> None:
    """Register the requested profile with Hypothesis, unless the user has one of that name.

    Raises pytest.UsageError for a profile that nobody knows: Hypothesis would break the session.
    """
    name = config.getoption(_PROFILE, None)
    if name is None:
        return
    try:
        hypothesis.settings.get_profile(name)
    except InvalidArgument:
        if name not in PROFILES:
            raise pytest.UsageError(
                f"{_PROFILE}={name}: expected {', '.join(PROFILES)} or a profile that is "
                "registered with Hypothesis, saw none of that name"
            ) from None
        hypothesis.settings.register_profile(name, hypothesis.settings())


def exploration(
    config: pytest.Config,
    seconds: float | None,
    oracle: Oracle,
    progress: Callable[[str], None],
    protocols: Sequence[Protocol] = tuple(Protocol),
) -> Exploration:
    """Return an exploration with the profile and the seed of the command line.

    ``seconds`` (None: as the profile says) are for drawing, over ``protocols``. With a profile
    that is not one of this plugin's, it draws as the default one does.
    """
    name = config.getoption(_PROFILE, None)
    if name not in PROFILES:
        name = DEFAULT_PROFILE
    profile = PROFILES[name]
    if seconds is not None:
        profile = replace(profile, seconds=seconds, grace_s=min(profile.grace_s, seconds))
    return Exploration(
        name,
        profile,
        _seed(config.getoption(_SEED, None)),
        database(config.invocation_params.dir),
        oracle,
        progress,
        first(protocols),
        protocols,
    )


def _seed(asked: str | None) -> Hashable:
    """Read the seed as Hypothesis does; make a new one if none is given."""
    if asked is None:
        return random.SystemRandom().getrandbits(32)
    try:
        return int(asked)
    except ValueError:
        return asked
