"""The command ``cc-harness check``: judge captures that people made with their own Collector."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from ..assessment.fleet import check, declared
from ..assessment.listings import read_listing
from ..judging.listing import NO_LISTING
from ..report import fleet as report
from .common import add_json_format

_ENV = "--env"


_ABOUT = (
    "Judge captures of production data, as the file exporter of an OpenTelemetry "
    "Collector writes them (OTLP/JSON lines or length-prefixed messages; plain, gzip or zstd), "
    "by what a capture alone can show. Each release in it is judged by its own contract. The "
    "exit code is 1 if a MUST is broken, something cannot be read, or nothing was judged."
)


def declare_check(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness check``."""
    command.description = _ABOUT
    command.add_argument(
        "files",
        metavar="FILE",
        type=Path,
        nargs="+",
        help="a file, or a folder: all files in it, those that were rotated first",
    )
    command.add_argument(
        _ENV,
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="what the sessions of the capture were started with, such as "
        "OTEL_LOG_USER_PROMPTS=1; what is not declared is taken as not set",
    )
    command.add_argument(
        "--expectations",
        metavar="FILE",
        type=Path,
        help="known deviations of your own (--cc-expectations)",
    )
    command.add_argument("--format", choices=("terminal", "json"), default="terminal")
    add_json_format(command)
    command.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    own = NO_LISTING
    if arguments.expectations is not None:
        own = read_listing(arguments.expectations, f"--expectations {arguments.expectations}")
    environment = declared(arguments.env, _ENV)
    checked = check(arguments.files, "check", environment, own)
    if arguments.format == "json":
        sys.stdout.write(f"{report.as_json(checked)}\n")
    else:
        words = ["cc-harness", "check", *map(str, arguments.files)]
        words += [word for pair in arguments.env for word in (_ENV, pair)]
        for line in report.terminal(checked, shlex.join(words)):
            sys.stdout.write(f"{line}\n")
    return int(checked.decision.failed)
