"""A collector in miniature: a transparent relay of OTLP, or one with exactly one known fault.

    python miniature.py --grpc-in 127.0.0.1:4317 --http-out http://127.0.0.1:5318 [--fault NAME]

What it takes over OTLP/gRPC and OTLP/HTTP comes out at each way out that is named. It ends at
SIGTERM, when everything has been sent that can be.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import faulthandler
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import miniature_answering as answering
import miniature_changing as changing
from miniature_receiving import Behaviour, Fault, grpc_server, http_server
from miniature_sending import Exporter, FileExporter, GrpcExporter, Habits, HttpExporter
from miniature_series import Series, serve

from harness.otlp.codec import decode_request
from harness.otlp.messages import ENCODINGS, Encoding, Request
from harness.otlp.model import Protocol, Signal

#: What is left at the end is sent within so many seconds.
_FINISH_S = 15.0
_STUCK_S = 17.0


@dataclass(frozen=True)
class Kind:
    """What a miniature does; a faulty one differs from the transparent one in one field."""

    answers: Fault | None = None
    changes: changing.MakeEdit | None = None
    batches: bool = False
    habits: Habits = field(default_factory=Habits)
    replaces: bool = False
    resets: bool = False
    finishes: bool = True
    journals: bool = True


TRANSPARENT = Kind()
FAULTS = {
    **{
        fault.__name__: Kind(answers=fault)
        for fault in (
            answering.ok_to_garbage,
            answering.error_to_garbage,
            answering.ignores_gzip,
            answering.closes_connections,
            answering.json_to_protobuf,
            answering.plain_text,
            answering.no_strangers,
            answering.wants_a_length,
        )
    },
    **{
        change.__name__: Kind(changes=change)
        for change in (
            changing.loses_every_tenth,
            changing.stringifies_numbers,
            changing.drops_unknown_attributes,
            changing.drops_empty_values,
            changing.forgets_scope,
            changing.merges_sessions,
            changing.drops_events_without_body,
            changing.swaps_temporality,
            changing.makes_gauges,
            changing.rounds_times,
            changing.loses_exemplars,
            changing.doubles_requests,
            changing.writes_to_the_resource,
        )
    },
    "last_resource_for_all": Kind(changes=changing.last_resource_for_all, batches=True),
    "never_sends_again": Kind(habits=Habits(retries=False)),
    "heeds_no_delay": Kind(habits=Habits(heeds=False)),
    "doubles_on_retry": Kind(habits=Habits(repeats=True)),
    "keeps_nothing": Kind(journals=False),
    "forgets_at_the_end": Kind(finishes=False, journals=False, habits=Habits(holds_s=2.0)),
    "replaces_after_gaps": Kind(replaces=True),
    "resets_counters": Kind(resets=True),
}


class Relay:
    """Takes requests, changes them if that is its fault, and hands them to every way out."""

    def __init__(self, kind: Kind, exporters: list[Exporter], series: list[Series]) -> None:
        self._kind = kind
        self._exporters = exporters
        self._series = series
        self._edit = kind.changes() if kind.changes else None
        self._turn = threading.Condition()
        self._waiting: dict[type[Request], list[Request]] = {}

    def take(self, message: Request) -> None:
        with self._turn:
            if not self._kind.batches:
                self._pass_on(message)
                return
            several = self._waiting.setdefault(type(message), [])
            several.append(message)
            if (
                len({str(group.resource) for each in several for group in changing.groups(each)})
                > 1
            ):
                self._pass_on(_merged(several))
                several.clear()

    def finish(self) -> None:
        """Send everything that was held back."""
        with self._turn:
            for several in self._waiting.values():
                if several:
                    self._pass_on(_merged(several))
            self._waiting.clear()
        if self._kind.finishes:
            end = time.monotonic() + _FINISH_S
            for exporter in self._exporters:
                exporter.finish(max(0.0, end - time.monotonic()))

    def _pass_on(self, message: Request) -> None:
        if self._edit is not None:
            self._edit(message)
        for series in self._series:
            series.put(message)
        for exporter in self._exporters:
            exporter.put(copy.deepcopy(message))


def _merged(several: list[Request]) -> Request:
    made: Any = copy.deepcopy(several[0])
    for other in several[1:]:
        made.MergeFrom(other)
    merged: Request = made
    return merged


@dataclass
class Inlet(Behaviour):
    """The receiving side: hands on to the relay what it has accepted."""

    password: bool = False
    relay: Relay | None = None

    def forward(self, signal: Signal, protocol: Protocol, content: bytes) -> None:
        assert self.relay is not None
        message = decode_request(signal, ENCODINGS[protocol], content).message
        if any(True for _ in changing.records(message)):
            self.relay.take(message)


@contextlib.contextmanager
def running(options: argparse.Namespace) -> Iterator[None]:
    """Run a miniature as the command line wants it."""
    kind = FAULTS[options.fault] if options.fault else TRANSPARENT
    if options.folder and kind.journals:
        kind = replace(kind, habits=replace(kind.habits, folder=Path(options.folder)))
    exporters: list[Exporter] = []
    if options.grpc_out:
        exporters.append(GrpcExporter(options.grpc_out, kind.habits))
    if options.http_out:
        exporters.append(HttpExporter(options.http_out, Encoding.PROTOBUF, kind.habits))
    if options.json_out:
        exporters.append(HttpExporter(options.json_out, Encoding.JSON, kind.habits))
    if options.file_out:
        exporters.append(FileExporter(Path(options.file_out), kind.habits))
    series = [Series(replaces=kind.replaces, resets=kind.resets)] if options.scrape else []
    relay = Relay(kind, exporters, series)
    inlet = Inlet(fault=kind.answers, relay=relay)
    with contextlib.ExitStack() as stack:
        stack.callback(relay.finish)
        if options.scrape:
            stack.callback(serve(series[0], _port(options.scrape)).shutdown)
        if options.grpc_in:
            stack.enter_context(grpc_server(inlet, _port(options.grpc_in)))
        if options.http_in:
            stack.enter_context(http_server(inlet, _port(options.http_in)))
        yield


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    for way in ("grpc-in", "http-in", "grpc-out", "http-out", "json-out", "file-out", "scrape"):
        parser.add_argument(f"--{way}")
    parser.add_argument("--folder", help="where to keep what could not be sent yet")
    parser.add_argument("--fault", choices=FAULTS)
    options = parser.parse_args()
    # A handler would not be run while a thread of gRPC gets the signal, and this one waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with running(options):
        signal.sigwait({signal.SIGTERM})
        # Shown in the log of whoever waits for the end in vain.
        faulthandler.dump_traceback_later(_STUCK_S)


if __name__ == "__main__":
    main()
