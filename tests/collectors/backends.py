"""Real backends behind a collector: Prometheus, and ClickHouse's engine."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import platform
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock

from harness.keeping import folders
from harness.relay.ports import free_port
from harness.relay.process import CollectorProcess, is_healthy
from harness.subject import process
from harness.subject.npm import default_cache_dir
from tests.processes import ask

_HOST = "127.0.0.1"
#: How long a backend may take to get ready or to have what it was sent, on a busy machine.
DEADLINE_S = 60.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

#: The package whose library is ClickHouse: 180 MB to fetch, 530 MB unpacked.
CHDB = "chdb-core==26.9.0"
_INSTALL_DEADLINE_S = 900.0


class NoBackendError(Exception):
    """A backend cannot be had on this machine; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer of Prometheus, and its value."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A Prometheus server on a port of its own, which scrapes ``scrape`` (``host:port``), if given.

    ``write_url`` takes remote write. Debian's release (2.42) is older than the OTLP receiver.
    """

    def __init__(
        self, binary: Path, folder: Path, *, scrape: str = "", interval_s: float = 0.2
    ) -> None:
        port = free_port()
        self.url = f"http://{_HOST}:{port}"
        self.write_url = f"{self.url}/api/v1/write"
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "prometheus.json"  # JSON is YAML
        settings.write_text(json.dumps(_scraping(scrape, interval_s)), encoding="utf-8")
        self._process = CollectorProcess(
            (
                str(binary),
                f"--config.file={settings}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={_HOST}:{port}",
                "--web.enable-remote-write-receiver",
            ),
            folder / "prometheus.log",
            {},
        )

    def __enter__(self) -> Self:
        self._process.start()
        try:
            self._process.await_ready(lambda: is_healthy(f"{self.url}/-/ready"), DEADLINE_S)
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        trouble = self._process.stop()
        if error is None:
            assert trouble == ""

    def query(self, promql: str, at: float | None = None) -> list[Sample]:
        """Return what an instant query gives at a time (seconds since 1970; default: now)."""
        asked = {"query": promql} | ({} if at is None else {"time": repr(at)})
        data = json.loads(_get(f"{self.url}/api/v1/query?{urllib.parse.urlencode(asked)}"))["data"]
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def value(self, promql: str, at: float | None = None) -> float:
        """Return the one value that a query gives, NaN for none."""
        samples = self.query(promql, at)
        assert len(samples) <= 1, samples
        return samples[0].value if samples else math.nan

    def await_value(
        self, promql: str, until: Callable[[float], bool], deadline_s: float = DEADLINE_S
    ) -> float:
        """Ask until the value is as wanted; return it, or the last one at the deadline."""

        def value() -> float:
            self._process.check_alive("while it was asked")
            return self.value(promql)

        return ask(value, until, deadline_s)


def _scraping(target: str, interval_s: float) -> Mapping[str, Any]:
    interval = f"{round(interval_s * 1000)}ms"
    every = {"scrape_interval": interval, "scrape_timeout": interval}
    job = {"job_name": "collector", "static_configs": [{"targets": [target]}]}
    return {"global": every, "scrape_configs": [job] if target else []}


class ClickHouse:
    """ClickHouse in a folder of its own: ``url`` is its HTTP interface, for the exporter, too."""

    def __init__(self, library: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._port_file = folder / "port"
        self._port_file.unlink(missing_ok=True)
        front = Path(__file__).with_name("clickhouse_front.py")
        argv = (sys.executable, str(front), str(library), str(folder / "data"))
        self._process = CollectorProcess(
            (*argv, str(self._port_file)), folder / "clickhouse.log", {}
        )
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        try:
            self._process.await_ready(self._missing, DEADLINE_S)
        except BaseException:
            self._process.kill()
            raise
        return self

    def _missing(self) -> str:
        if not self._port_file.exists():
            return "it has not said its port"
        self.url = f"http://{_HOST}:{self._port_file.read_text(encoding='ascii')}"
        return is_healthy(f"{self.url}/ping")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()

    def sql(self, text: str) -> list[list[Any]]:
        """Return the rows that a query gives, their values as JSON has them."""
        asked = {"query": text, "default_format": "JSONCompact"}
        answer = _get(f"{self.url}/?{urllib.parse.urlencode(asked)}")
        rows: list[list[Any]] = json.loads(answer)["data"] if answer else []
        return rows

    def await_rows(
        self, text: str, until: Callable[[Sequence[Sequence[Any]]], bool], deadline_s: float = 30.0
    ) -> list[list[Any]]:
        """Ask until the rows are as wanted; return them, or the last ones at the deadline."""
        return ask(lambda: self.sql(text), until, deadline_s)


def _get(url: str) -> bytes:
    try:
        with _OPENER.open(url, timeout=DEADLINE_S) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url} answers {error.code}: {error.read().decode()}") from None


def clickhouse_library(progress: Callable[[str], None]) -> Path:
    """Return the folder with ClickHouse's library, fetched once for each user.

    The package alone: what it asks for besides (pandas, pyarrow) is for frames of data, and large.
    Raises NoBackendError where it cannot be fetched.
    """
    version = CHDB.partition("==")[2]
    where = f"{sys.platform}-{platform.machine().lower()}"
    folder = default_cache_dir() / "chdb" / f"{version}-{where}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=_INSTALL_DEADLINE_S):
        if not folder.exists():
            progress(f"fetching ClickHouse ({CHDB} from PyPI) into {folder}")
            with folders.unfinished(f"{folder.name}.part-", folder.parent) as scratch:
                _install(scratch)
                (scratch / "library").rename(folder)
    return folder


def _install(scratch: Path) -> None:
    done = process.run(
        [*_installing(), "--no-deps", "--target", str(scratch / "library"), CHDB],
        cwd=scratch,
        env=os.environ,
        output_dir=scratch,
        deadline_s=_INSTALL_DEADLINE_S,
    )
    if done.exit_code != 0:
        raise NoBackendError(f"{CHDB} cannot be installed from PyPI: {done.last_output}")


def _installing() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    if uv := shutil.which("uv"):
        return [uv, "--quiet", "pip", "install", "--python", sys.executable]
    raise NoBackendError("neither pip nor uv is here to fetch chdb-core")
