"""The ways out of a miniature: OTLP, sent again as the protocol says, and a file."""

from __future__ import annotations

import http.client
import itertools
import queue
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from harness.otlp.codec import decode_request, encode
from harness.otlp.messages import Encoding, Request, signal_of
from harness.otlp.model import Signal
from harness.relay.client import EXPORT_METHODS

#: How long one request may take, and how long is waited before it is sent again, in seconds.
_TIMEOUT_S = 10.0
_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 1.0
_HTTP = frozenset({429, 502, 503, 504})
_GRPC = frozenset(
    {
        *(grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED),
        *(grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS),
    }
)


@dataclass(frozen=True)
class Outcome:
    """What became of a request: delivered, refused for good, or to be sent again."""

    delivered: bool = False
    again: bool = False
    wait_s: float = 0.0


@dataclass(frozen=True)
class Habits:
    """How a miniature sends, how long it holds what it has, and where it keeps that."""

    retries: bool = True
    heeds: bool = True
    repeats: bool = False
    holds_s: float = 0.0
    folder: Path | None = None


@dataclass(frozen=True)
class Kept:
    """A request that is to be sent, and the file that holds it until it was."""

    message: Request
    path: Path | None

    def forget(self) -> None:
        if self.path is not None:
            self.path.unlink()


class Journal:
    """Keeps requests in a folder, so that they are still there after their process has died."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._folder = folder and folder / name
        self._numbers = itertools.count(time.time_ns())
        if self._folder is not None:
            self._folder.mkdir(exist_ok=True)

    def keep(self, message: Request) -> Kept:
        if self._folder is None:
            return Kept(message, None)
        path = self._folder / f"{next(self._numbers)}.{signal_of(message)}"
        whole = path.with_suffix(".part")
        whole.write_bytes(encode(message, Encoding.PROTOBUF))
        whole.rename(path)
        return Kept(message, path)

    def left(self) -> Iterator[Kept]:
        """Yield what an earlier process has left, the oldest first."""
        for path in sorted(self._folder.iterdir() if self._folder is not None else ()):
            if path.suffix != ".part":
                signal = Signal(path.suffix.removeprefix("."))
                message = decode_request(signal, Encoding.PROTOBUF, path.read_bytes()).message
                yield Kept(message, path)


class Exporter(ABC):
    """Sends requests one after the other, in a thread of its own, until it has no more."""

    def __init__(self, habits: Habits, where: str) -> None:
        self._habits = habits
        self._journal = Journal(habits.folder, re.sub(r"\W+", "-", where))
        self._came = 0.0
        self._queue: queue.SimpleQueue[Kept | None] = queue.SimpleQueue()
        for kept in self._journal.left():
            self._queue.put(kept)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, message: Request) -> None:
        self._came = time.monotonic()
        self._queue.put(self._journal.keep(message))

    def finish(self, deadline_s: float) -> None:
        """Send what is left, without waiting longer than ``deadline_s`` seconds in all."""
        self._queue.put(None)
        self._thread.join(deadline_s)

    @abstractmethod
    def send(self, message: Request) -> Outcome: ...

    def _run(self) -> None:
        while (kept := self._queue.get()) is not None:
            self._hold()
            self._deliver(kept.message)
            kept.forget()

    def _hold(self) -> None:
        """Wait until nothing has come for so long as things are held."""
        while (left_s := self._came + self._habits.holds_s - time.monotonic()) > 0:
            time.sleep(left_s)

    def _deliver(self, message: Request) -> None:
        backoff_s, attempts = _BACKOFF_S, 1
        while (outcome := self.send(message)).again and self._habits.retries:
            asked_s = outcome.wait_s if self._habits.heeds else 0.0
            time.sleep(max(backoff_s, asked_s))
            backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
            attempts += 1
        if attempts > 1 and self._habits.repeats:
            self.send(message)


class HttpExporter(Exporter):
    """Posts to an OTLP/HTTP endpoint, on a new connection each time."""

    def __init__(self, url: str, encoding: Encoding, habits: Habits) -> None:
        self._address = urlsplit(url).netloc
        self._encoding = encoding
        super().__init__(habits, f"{encoding.name} {url}")

    def send(self, message: Request) -> Outcome:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            connection.request(
                "POST",
                f"/v1/{signal_of(message)}",
                encode(message, self._encoding),
                {"Content-Type": self._encoding.value},
            )
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return Outcome(again=True)
        finally:
            connection.close()
        wait_s = float(answer.headers.get("Retry-After", 0))
        return Outcome(answer.status == 200, answer.status in _HTTP, wait_s)


class GrpcExporter(Exporter):
    """Calls the services of OTLP/gRPC, on one channel."""

    def __init__(self, address: str, habits: Habits) -> None:
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),
        ]
        self._channel = grpc.insecure_channel(address, options)
        self._calls: dict[Signal, Any] = {
            signal: self._channel.unary_unary(method, None, None)
            for signal, method in EXPORT_METHODS.items()
        }
        super().__init__(habits, address)

    def finish(self, deadline_s: float) -> None:
        super().finish(deadline_s)
        self._channel.close()

    def send(self, message: Request) -> Outcome:
        body = encode(message, Encoding.PROTOBUF)
        try:
            self._calls[signal_of(message)](body, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            return _refused(error)
        return Outcome(delivered=True)


def _refused(error: Any) -> Outcome:
    wait_s = _retry_delay_s(error)
    again = error.code() in _GRPC
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        again = wait_s is not None
    return Outcome(again=again, wait_s=wait_s or 0.0)


def _retry_delay_s(error: Any) -> float | None:
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return float(info.retry_delay.ToNanoseconds()) / 1e9
    return None


class FileExporter(Exporter):
    """Appends a line of OTLP/JSON for each request."""

    def __init__(self, path: Path, habits: Habits) -> None:
        self._path = path
        super().__init__(habits, "file")

    def send(self, message: Request) -> Outcome:
        with self._path.open("ab") as file:
            file.write(encode(message, Encoding.JSON) + b"\n")
        return Outcome(delivered=True)
