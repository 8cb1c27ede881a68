"""Declare and read the options about captures of production data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from .options import EXPECTATIONS, file

RECORDING, ENV = "--cc-recording", "--cc-recording-env"

#: What is about sessions that are run, or reports that a capture has none of.
_OTHERS = (
    *("--cc-binary", "--cc-collector", "--cc-collector-cmd", "--cc-report", "--cc-captures"),
    *("--cc-deadline", "--cc-scenarios", "--cc-protocols", "--cc-slow", "--cc-fuzz-seconds"),
    *("--cc-accept", "--cc-power", "--cc-otlp-endpoint", "--cc-otlp-headers"),
)


@dataclass(frozen=True, slots=True)
class RecordedOptions:
    """The options of the command line: absolute paths, pairs ``NAME=VALUE`` as given."""

    paths: tuple[Path, ...]
    env: tuple[str, ...]
    expectations: Path | None


def add(parser: pytest.Parser) -> None:
    """Declare the options about captures of production data."""
    group = parser.getgroup("cc-otel-recording", "captures of the claude CLI's telemetry")
    group.addoption(
        RECORDING,
        metavar="PATH",
        action="append",
        help="a file that a Collector's file exporter has written, or a folder of such files; may "
        "be given several times. Without test paths, judges each release in it; needs no claude, "
        "and takes --cc-expectations",
    )
    group.addoption(
        ENV,
        metavar="NAME=VALUE",
        action="append",
        help="what the sessions of the capture were started with, such as "
        "OTEL_LOG_USER_PROMPTS=1; what is not declared is taken as not set",
    )


def read(config: pytest.Config) -> RecordedOptions | None:
    """Return the options, or None without ``--cc-recording``. Raises pytest.UsageError."""
    paths, env = config.getoption(RECORDING), config.getoption(ENV)
    if not paths:
        if env:
            raise pytest.UsageError(f"{ENV}: expected {RECORDING}=PATH beside it, saw none")
        return None
    for other in _OTHERS:
        if config.getoption(other, None) is not None:
            raise pytest.UsageError(f"{RECORDING}: expected no {other} beside it, saw one")
    if not all(path.strip() for path in paths):
        raise pytest.UsageError(f"{RECORDING}: expected a file or a folder, saw nothing")
    folder = config.invocation_params.dir
    return RecordedOptions(
        tuple(folder / Path(path).expanduser() for path in paths),
        tuple(env or ()),
        file(config, EXPECTATIONS, config.getoption(EXPECTATIONS)),
    )
