"""What the controller hands to the workers of pytest-xdist."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_KEY = "cc_otel"


@dataclass(frozen=True, slots=True)
class Handed:
    """The resolved subject (a plain mapping) and the folder in which all share a recording."""

    binary: dict[str, Any]
    shared: Path


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process leaves the tests to workers of pytest-xdist."""
    distribution = getattr(config.option, "dist", "no")
    return config.pluginmanager.hasplugin("dsession") and distribution != "no"


def hand_over(node: Any, handed: Handed) -> None:
    """Put it where the worker behind ``node`` (xdist's controller of it) finds it."""
    node.workerinput[_KEY] = {"binary": handed.binary, "shared": str(handed.shared)}


def handed(config: pytest.Config) -> Handed:
    """Return what the controller gave to this worker."""
    given: dict[str, Any] = config.workerinput[_KEY]  # type: ignore[attr-defined]
    return Handed(given["binary"], Path(given["shared"]))
