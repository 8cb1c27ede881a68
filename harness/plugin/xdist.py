"""Send data from the controller of pytest-xdist to its workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_KEY = "cc_otel"


@dataclass(frozen=True, slots=True)
class Handed:
    """The data for a worker: the resolved subject (plain), and the folder of the recording.

    ``baseline`` is another subject, if one has to be recorded for a comparison.
    """

    binary: dict[str, Any]
    shared: Path
    baseline: dict[str, Any] | None = None


def is_worker(config: pytest.Config) -> bool:
    """Say whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Say whether this process leaves the tests to workers of pytest-xdist."""
    distribution = getattr(config.option, "dist", "no")
    return config.pluginmanager.hasplugin("dsession") and distribution != "no"


def hand_over(node: Any, handed: Handed) -> None:
    """Store ``handed`` where :func:`handed` finds it in the worker behind ``node``."""
    node.workerinput[_KEY] = {
        "binary": handed.binary,
        "shared": str(handed.shared),
        "baseline": handed.baseline,
    }


def handed(config: pytest.Config) -> Handed:
    """Return the data that the controller sent to this worker."""
    given: dict[str, Any] = config.workerinput[_KEY]  # type: ignore[attr-defined]
    return Handed(given["binary"], Path(given["shared"]), given.get("baseline"))
