"""Beside the plugins and libraries that other people's suites use, we keep our word.

One session has a module for each neighbour, with our plugin and theirs as entry points.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

HEAD = """
import asyncio, os, time, urllib.request
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

BODY = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order"}]}]}]}'
JSON = {"Content-Type": "application/json"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def export(collector):
    request = urllib.request.Request(f"{collector.http_endpoint}/v1/logs", BODY, JSON)
    DIRECT.open(request).close()

def over_http(collector):
    send("http", OverHttp(f"{collector.http_endpoint}/v1/traces"), collector)

def official(collector):
    over_http(collector)
    send("grpc", OverGrpc(collector.grpc_endpoint, insecure=True), collector)

def send(name, exporter, collector):
    provider = TracerProvider(resource=Resource({}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("shop").start_span(name).end()
    provider.shutdown()
    assert collector.wait_for_span(name, 120)

def never(collector):
    from pytest_cc_otel import DeadlineExceeded
    with pytest.raises(DeadlineExceeded) as caught:
        collector.wait_for_metric("never", 0.5)
    return str(caught.value)
"""

#: The year to which the clocks are set.
FROZEN = """
def holds(collector):
    assert time.time() < 1.6e9
    # The deadlines of gRPC clients are long past then, which is why nothing comes.
    assert "the clock of this process says 2020-01-01 00:00" in never(collector)
    export(collector)
    assert collector.wait_for_event("order", 120)
    over_http(collector)
    assert collector.exports[0].arrived_unix_nano > 1.7e18
    assert "the clock" not in never(collector)

def ends(claude):
    from pytest_cc_otel import SubjectError
    assert time.time() < 1.6e9
    with pytest.raises(SubjectError, match="did not end session over http/json within 1 s"):
        claude()
"""

NEIGHBOURS = {
    "freezegun": FROZEN
    + """
from freezegun import freeze_time

@freeze_time("2020-01-01")
def test_frozen_in_the_test(otlp_collector):
    holds(otlp_collector)

@freeze_time("2020-01-01", ignore=["grpc"])
def test_frozen_but_for_grpc(otlp_collector):
    official(otlp_collector)

@pytest.fixture
def frozen():
    with freeze_time("2020-01-01"):
        yield

def test_frozen_before_the_start(frozen, otlp_collector):
    holds(otlp_collector)

def test_a_subject_that_hangs(frozen, claude):
    ends(claude)
""",
    "time-machine": FROZEN
    + """
import time_machine

@pytest.fixture
def frozen():
    with time_machine.travel("2020-01-01", tick=False):
        yield

def test_frozen_before_the_start(frozen, otlp_collector):
    holds(otlp_collector)

def test_a_subject_that_hangs(frozen, claude):
    ends(claude)
""",
    "asyncio, pytest-asyncio and anyio": """
import pytest_asyncio

async def wait(collector):
    await asyncio.to_thread(export, collector)
    await asyncio.to_thread(official, collector)
    assert await asyncio.to_thread(collector.wait_for_event, "order", 120)
    assert "await asyncio.to_thread" in never(collector)
    assert "to_thread" not in await asyncio.to_thread(never, collector)

def test_asyncio(otlp_collector):
    asyncio.run(wait(otlp_collector))

@pytest_asyncio.fixture
async def with_an_order(otlp_collector):
    await wait(otlp_collector)
    return otlp_collector

@pytest.mark.asyncio
async def test_pytest_asyncio(with_an_order):
    assert "await asyncio.to_thread" in never(with_an_order)

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_anyio(otlp_collector):
    await wait(otlp_collector)
""",
    "pytest-socket": """
@pytest.fixture
def refused(socket_disabled):
    from pytest_cc_otel import Collector, UsageError
    with pytest.raises(UsageError, match="grpc_port=0 of the collector on host='127.0.0.1'"):
        Collector().start()

def test_forbidden(refused):
    pass

@pytest.mark.allow_hosts(["127.0.0.1"])
def test_allowed(otlp_collector):
    official(otlp_collector)
    assert "not seen within 0.5 s" in never(otlp_collector)
""",
    "pyfakefs": """
def test_no_real_file_is_needed(fs, otlp_collector):
    assert not os.path.exists(__file__)
    official(otlp_collector)
    assert "not seen within 0.5 s" in never(otlp_collector)

def test_none_before_the_start(fs, make_otlp_collector):
    export(make_otlp_collector())
""",
    "a proxy": """
def test_it_is_named(otlp_collector, monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    assert "proxy" not in never(otlp_collector)
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@proxy.test:3128")
    text = never(otlp_collector)
    assert "hint: HTTP_PROXY names the proxy proxy.test:3128" in text
    assert "secret" not in text
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert "proxy" not in never(otlp_collector)
    official(otlp_collector)
    monkeypatch.delenv("NO_PROXY")
    assert "proxy" not in never(otlp_collector)
""",
}

#: With real threads left as they are, all is well.  With those of these libraries, no server gets a
#: turn: it is said, and nothing hangs.
GREEN = {
    "gevent": "from gevent import monkey; monkey.patch_all",
    "eventlet": "import eventlet; eventlet.monkey_patch",
}

BESIDE_GREEN = """
def test_with_real_threads(otlp_collector):
    official(otlp_collector)
    assert "hint" not in never(otlp_collector)

def test_with_threads_that_are_none(make_otlp_collector):
    from pytest_cc_otel import UsageError
    PATCH()
    with pytest.raises(UsageError, match="the collector: expected .* that NAME has replaced"):
        make_otlp_collector()
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = os.environ["PYTEST_ADDOPTS"].replace("-pno:asyncio", "")
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTEST_ADDOPTS": options},
    )


def session(
    folder: Path, files: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    files = {"pytest.ini": "[pytest]\nasyncio_default_fixture_loop_scope = function\n", **files}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return run(folder, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments)


def hanging(folder: Path) -> Path:
    """A ``claude`` that says its version, and never ends otherwise."""
    path = folder / "claude"
    path.write_text("#!/bin/sh\ncase $1 in --version) echo 2.1.240;; *) exec sleep 600;; esac\n")
    path.chmod(0o755)
    return path


def test_no_neighbour_changes_anything(tmp_path: Path) -> None:
    """All in one session: each start of Python with all of them takes a second."""
    files = {
        f"test_{''.join(filter(str.isalpha, name))}.py": HEAD + text
        for name, text in NEIGHBOURS.items()
    }
    done = session(tmp_path, files, f"--cc-binary={hanging(tmp_path)}", "--cc-deadline=1", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 passed" in done.stdout


@pytest.mark.parametrize("name", GREEN)
def test_threads_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    patch = GREEN[name]
    tests = BESIDE_GREEN.replace("PATCH", patch).replace("NAME", name)
    done = session(
        tmp_path, {"conftest.py": f"{patch}(thread=False)\n", "test_it.py": HEAD + tests}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
