"""The command ``cc-harness collector``: listen, and show what arrives as it comes."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from ..collector.collector import Collector
from ..errors import UsageError
from ..watching.session import run
from .common import OK

#: What is held to be told: it is looked at as it comes, and not needed afterwards.
_LIMIT_BYTES = 64 * 1024 * 1024

_ABOUT = (
    "Listen for OTLP over gRPC and over HTTP, print a line for each request that arrives, and show "
    "the same on a page. Values of items are not shown, but for one that cannot be decoded; values "
    "of headers only where they are no credentials by their meaning. Ctrl-C or SIGTERM ends it, "
    "with a summary."
)


def declare_collector(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness collector``."""
    command.description = _ABOUT
    for option, what in (("--grpc-port", "OTLP over gRPC"), ("--http-port", "OTLP over HTTP")):
        command.add_argument(
            option, metavar="PORT", type=int, default=0, help=f"for {what} (default: a free one)"
        )
    command.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="where both listen (default: %(default)s); the page is on loopback in any case",
    )
    web = command.add_mutually_exclusive_group()
    web.add_argument(
        "--web-port", metavar="PORT", type=int, default=0, help="of the page (default: a free one)"
    )
    web.add_argument("--no-web", action="store_true", help="show no page")
    command.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="append what is taken, as a Collector's file exporter does: for cc-harness check",
    )
    command.add_argument(
        "--show-header",
        metavar="NAME",
        action="append",
        default=[],
        help="show the value of this header, too: it holds no credential",
    )
    command.add_argument(
        "--json", action="store_true", help="print a JSON object a line, not text for people"
    )
    command.set_defaults(run=_collector)


def _collector(arguments: argparse.Namespace) -> int:
    collector = Collector(
        host=arguments.host,
        grpc_port=arguments.grpc_port,
        http_port=arguments.http_port,
        limit_bytes=_LIMIT_BYTES,
    )
    try:
        run(
            collector,
            _print,
            as_json=arguments.json,
            web_port=None if arguments.no_web else arguments.web_port,
            output=arguments.output,
            shown=frozenset(name.lower() for name in arguments.show_header),
        )
    except UsageError as error:
        # As the option is called here.
        named = re.sub(r"^(\w+)_port=", r"--\1-port ", error.change)
        raise UsageError(named, seen=error.seen, expected=error.expected) from None
    except BrokenPipeError:
        # Whoever read the lines has seen enough. Python would fail to flush the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
