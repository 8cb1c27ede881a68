"""The command ``cc-harness doctor``: tell what this machine can and cannot exercise."""

from __future__ import annotations

import argparse

from ..doctor.parts import parts
from ..doctor.probe import Told, lines, look, verdict
from ..errors import printable
from .common import FAILED, OK, add_json, print_json, print_line

_ABOUT = (
    "Tell what this machine can and cannot exercise, why, and what to change. Without what is "
    "'absent', only a single command is lost; without what is 'less', some sessions or releases; "
    "and with something that 'stops', no CLI can be judged: then the exit code is 1. Nothing is "
    "installed, and no session is started."
)


def declare_doctor(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness doctor``."""
    command.description = _ABOUT
    command.add_argument(
        "--offline", action="store_true", help="do not ask npm's registry, which may take a minute"
    )
    add_json(command)
    command.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    told: list[Told] = []
    for each in look(parts(offline=arguments.offline)):
        told.append(each)
        if not arguments.json:
            for line in lines(each):
                print_line(printable(line))
    able, why = verdict(told)
    if arguments.json:
        found = [each.as_json() for each in told]
        print_json({"able": able, "why": why, "parts": found})
    else:
        print_line("")
        print_line(why)
    return OK if able else FAILED
