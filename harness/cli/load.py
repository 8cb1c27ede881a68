"""The command ``cc-harness load``, with the recordings that it sends."""

from __future__ import annotations

import argparse

from ..assessment.relay import sessions_of
from ..load import command as load


def declare_load(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness load``."""
    load.declare(command, sessions_of)
