"""The command ``cc-harness run``: start any process, capture what it exports, and judge that."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from ..assessment.attended import run
from ..assessment.listings import read_listing
from ..errors import UsageError, printable
from ..judging.listing import NO_LISTING
from ..otlp.model import Protocol
from ..report import fleet as report
from .common import FAILED, OK, print_line

_USAGE = "cc-harness run [options] -- CMD [ARGUMENT...]"
_ABOUT = (
    "Start a command with the variables that lead its telemetry to a collector of ours, and judge "
    "what a capture alone can show when it has ended, as cc-harness check does. It keeps our "
    "environment, terminal and standard input. The exit code is 1 if a MUST is broken, a request "
    "was refused, or nothing was judged; how the command itself ended is said, and changes nothing."
)


def declare_run(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness run``."""
    command.usage = _USAGE
    command.description = _ABOUT
    command.add_argument(
        "--protocol",
        choices=[each.value for each in Protocol],
        default=Protocol.GRPC.value,
        help="over which it exports (default: %(default)s)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="keep what was captured in this new file: for cc-harness check and diff",
    )
    command.add_argument(
        "--expectations",
        metavar="FILE",
        type=Path,
        help="known deviations of your own (--cc-expectations)",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="print the judgement as JSON; what the command prints goes to standard error then",
    )
    command.add_argument(
        "command", metavar="CMD", nargs=argparse.REMAINDER, help="what is started, after --"
    )
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    argv: list[str] = arguments.command
    if argv[:1] == ["--"]:
        argv = argv[1:]
    if not argv:
        raise UsageError("CMD", seen="nothing", expected="a command after --")
    own = NO_LISTING
    if arguments.expectations is not None:
        own = read_listing(arguments.expectations, f"--expectations {arguments.expectations}")
    protocol = Protocol(arguments.protocol)
    seen = run(argv, protocol, own, keep=arguments.output, to_stderr=arguments.json)
    if arguments.json:
        print_line(report.as_json(seen.checked, seen.as_json()))
    else:
        print_line(printable(f"subject   {shlex.join(argv)}: {seen.how_it_ended}"))
        if not seen.requests:
            print_line(f"hint      {_NOTHING_CAME}")
        again = ["cc-harness", "run", f"--protocol={protocol}", "--", *argv]
        if arguments.output is not None:
            again = ["cc-harness", "check", str(arguments.output)]
            again += [word for pair in seen.checked.environment.items() for word in _env(*pair)]
        for line in report.terminal(seen.checked, shlex.join(again)):
            print_line(line)
    return FAILED if seen.checked.decision.failed else OK


def _env(name: str, value: str) -> tuple[str, str]:
    return "--env", f"{name}={value}"


_NOTHING_CAME = (
    "nothing was sent to us: settings files may name another endpoint, or switch telemetry off; "
    "cc-harness collector shows what arrives while it runs"
)
