"""Dynamic headers: run the helper program when they are due, and add them to exports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..otlp.model import Protocol
from .versions import Promises

#: What the settings call the program.
SETTING = "otelHeadersHelper"
_DEBOUNCE = "CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS"
_DEFAULT_S = 29 * 60.0

_TIMEOUT_S = 30.0
#: No server takes headers that are longer.
_LIMIT = 64 * 1024

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class HelperError(Exception):
    """The helper returned no usable headers; the message says why."""


class DynamicHeaders:
    """The headers that the helper printed last, refreshed when they are too old.

    The helper is run at the start, and before an export that comes ``every_s`` or more after
    its last answer; after a failure, before every export. ``report`` is called with each
    different failure, once.
    """

    def __init__(
        self,
        command: str,
        every_s: float,
        report: Callable[[str], object],
        *,
        environ: Mapping[str, str],
        paths_with_spaces: bool = True,
        over_grpc: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._every_s = every_s
        self._report = report
        self._environ = dict(environ)
        self._paths_with_spaces = paths_with_spaces
        self._over_grpc = over_grpc
        self._clock = clock
        self._lock = threading.Lock()
        self._headers: Mapping[str, str] | None = None
        self._due = 0.0
        self._reported: set[str] = set()

    @classmethod
    def of(
        cls,
        named: str,
        environ: Mapping[str, str],
        promises: Promises,
        report: Callable[[str], object],
    ) -> DynamicHeaders | None:
        """Make them for the helper ``named`` in the settings; None if there is none.

        The variables in ``environ`` say how often it is run.
        """
        if not named.strip():
            return None
        return cls(
            named,
            _seconds(environ.get(_DEBOUNCE, "")),
            report,
            environ=environ,
            paths_with_spaces=promises.helper_reports,
            over_grpc=not promises.august,
        )

    def begin(self) -> None:
        """Run the helper for the first time, without waiting for it."""
        threading.Thread(target=self.current, name="headers-helper", daemon=True).start()

    def current(self) -> Mapping[str, str] | None:
        """Return the headers to send now, refreshed if need be; None if there are none."""
        with self._lock:
            if self._headers is None or self._clock() >= self._due:
                try:
                    self._headers = self._ask()
                except HelperError as error:
                    self._headers = None
                    self._tell(str(error))
                self._due = self._clock() + self._every_s
            return self._headers

    def on(self, exporter: Any, protocol: Protocol) -> Any:
        """Make ``exporter``, one of the SDK's, send them besides its own headers; return it.

        It sends nothing while there are none.
        """
        if protocol is Protocol.GRPC and not self._over_grpc:
            return exporter
        holder = exporter if protocol is Protocol.GRPC else exporter._client
        static = dict(holder._headers)
        export = exporter.export

        def with_headers(*args: Any, **kwargs: Any) -> Any:
            headers = self.current()
            if headers is None:
                raise HelperError("nothing is exported without headers")
            merged = {**static, **{name.lower(): value for name, value in headers.items()}}
            holder._headers = tuple(merged.items()) if protocol is Protocol.GRPC else merged
            return export(*args, **kwargs)

        exporter.export = with_headers
        return exporter

    def _tell(self, why: str) -> None:
        if why not in self._reported:
            self._reported.add(why)
            self._report(f"{SETTING} failed: {why}")

    def _ask(self) -> Mapping[str, str]:
        whole = self._paths_with_spaces and os.access(self._command, os.X_OK)
        try:
            done = subprocess.run(
                [self._command] if whole else self._command,
                shell=not whole,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HelperError(str(error)) from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise HelperError(f"it ended with {done.returncode}: {said}")
        return _headers_in(done.stdout)


class Reports:
    """The places where a failure of the helper is reported.

    They are stderr, in a session without a terminal, and the debug log.
    """

    def __init__(
        self, environ: Mapping[str, str], promises: Promises, debug: bool, interactive: bool
    ) -> None:
        self._log: Path | None = None
        if debug and promises.helper_reports:
            folder = Path(environ.get("HOME", "")) / ".claude" / "debug"
            self._log = folder / f"{uuid.uuid4()}.txt"
        self._on_stderr = promises.helper_on_stderr and not interactive

    def tell(self, why: str) -> None:
        if self._on_stderr:
            print(why, file=sys.stderr)  # noqa: T201 - promised
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{why}\n")


def _headers_in(output: bytes) -> Mapping[str, str]:
    if len(output) > _LIMIT:
        raise HelperError(f"it printed {len(output)} bytes, and no header may be so long")
    try:
        headers = json.loads(output)
    except ValueError as error:
        raise HelperError(f"it printed no JSON: {error}") from error
    if not isinstance(headers, dict):
        raise HelperError("it printed JSON that is no object")
    for name, value in headers.items():
        if not isinstance(value, str):
            raise HelperError(f"the value of {name!r} is no string")
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise HelperError(f"{name!r} and its value are no HTTP header")
    return headers


def _seconds(text: str) -> float:
    try:
        milliseconds = float(text)
    except ValueError:
        return _DEFAULT_S
    return milliseconds / 1000 if 0 <= milliseconds < float("inf") else _DEFAULT_S
