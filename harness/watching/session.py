"""A collector that is watched: it listens, tells what arrives, and sums it up at the end."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..capture.export import Export
from ..collector.collector import Collector
from ..errors import UsageError
from ..otlp.model import Protocol
from .entry import Entry, Watch
from .lines import Lines, Totals
from .variables import SWITCHES, towards
from .view import View
from .watching import as_line, watch

#: How a whole line is printed.
Print = Callable[[str], Any]


class Teller:
    """Tells each request: printed as a line or as JSON, on the page, and in a file."""

    def __init__(
        self, print_line: Print, *, as_json: bool, view: View | None, file: BinaryIO | None
    ) -> None:
        self._print = print_line
        self._as_json = as_json
        self._view = view
        self._file = file
        self._lines = Lines()
        self._totals = Totals()
        self._last = self._missed = 0

    def tell(self, export: Export, entry: Entry) -> None:
        """Tell of the next request."""
        self._missed += export.sequence - self._last - 1
        self._last = export.sequence
        self._totals.add(entry)
        if self._view is not None:
            self._view.add(entry)
        line = None if self._file is None else as_line(export)
        if self._file is not None and line is not None:
            self._file.write(line)
            self._file.flush()
        if self._as_json:
            self._print(json.dumps(entry.as_json()))
        else:
            for each in self._lines.of(entry):
                self._print(each)

    def rest(self, collector: Collector, watching: Watch) -> None:
        """Tell of what has arrived and was not told when the watching ended."""
        for export in collector.exports:
            if export.sequence > self._last:
                self.tell(export, watching.entry(export))

    def sum_up(self) -> None:
        """Print what arrived in all."""
        if self._as_json:
            self._print(json.dumps(self._totals.as_json(self._missed)))
        else:
            self._print("")
            for line in self._totals.lines(self._missed):
                self._print(line)


def run(
    collector: Collector,
    print_line: Print,
    *,
    as_json: bool = False,
    web_port: int | None = 0,
    output: Path | None = None,
    shown: frozenset[str] = frozenset(),
) -> None:
    """Listen and tell what arrives, until Ctrl-C or SIGTERM ends it; then sum it up.

    Without ``web_port``, there is no page. ``output`` gets what was taken, as a Collector's file
    exporter writes it. Raises UsageError for an address or a file that cannot be used.
    """
    with contextlib.ExitStack() as stack:
        file = None if output is None else stack.enter_context(_opened(output))
        view = None if web_port is None else stack.enter_context(View(web_port))
        teller = Teller(print_line, as_json=as_json, view=view, file=file)
        watching = Watch(shown)
        try:
            collector.start()
            page = "" if view is None else view.url
            if as_json:
                print_line(json.dumps(_begun_json(collector, page)))
            else:
                for line in _begun(collector, page):
                    print_line(line)
            watch(collector, watching, teller.tell)
        except KeyboardInterrupt:
            collector.stop()
            teller.rest(collector, watching)
            teller.sum_up()
        finally:
            collector.stop()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("ab")
    except OSError as error:
        raise UsageError(
            f"--output {path}", seen=str(error), expected="a file that can be written"
        ) from error
    with file:
        yield file


def _begun(collector: Collector, page: str) -> Iterator[str]:
    yield f"gRPC     {collector.grpc_endpoint}"
    yield f"HTTP     {collector.http_endpoint}"
    if page:
        yield f"page     {page}"
    yield ""
    yield "In the shell of the process that is to export here:"
    yield f"  export {_pairs(SWITCHES)}"
    yield f"  export {_pairs(towards(collector, Protocol.GRPC))}"
    yield "or, over HTTP (http/json is taken, too):"
    yield f"  export {_pairs(towards(collector, Protocol.HTTP_PROTOBUF))}"
    yield ""
    yield "Ctrl-C ends it."


def _pairs(variables: dict[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())


def _begun_json(collector: Collector, page: str) -> dict[str, Any]:
    return {
        "kind": "collector",
        "grpc": collector.grpc_endpoint,
        "http": collector.http_endpoint,
        "page": page or None,
        "variables": {
            protocol.value: SWITCHES | towards(collector, protocol) for protocol in Protocol
        },
    }
