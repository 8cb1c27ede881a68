"""Beside the plugins and libraries that other people's suites use, we keep our word.

One session has a module for each neighbour, with our plugin and theirs as entry points.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

HEAD = """
import asyncio, os, time, urllib.request
import pytest

BODY = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order"}]}]}]}'
JSON = {"Content-Type": "application/json"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def export(collector):
    request = urllib.request.Request(f"{collector.http_endpoint}/v1/logs", BODY, JSON)
    DIRECT.open(request).close()

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
    export(collector)
    assert collector.wait_for_event("order", 120)
    assert collector.exports[0].arrived_unix_nano > 1.7e18
    assert "not seen within 0.5 s" in never(collector)
"""

NEIGHBOURS = {
    "freezegun": FROZEN
    + """
from freezegun import freeze_time

@freeze_time("2020-01-01")
def test_frozen_in_the_test(otlp_collector):
    holds(otlp_collector)

@pytest.fixture
def frozen():
    with freeze_time("2020-01-01"):
        yield

def test_frozen_before_the_start(frozen, otlp_collector):
    holds(otlp_collector)
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
""",
    "asyncio and anyio": """
async def wait(collector):
    await asyncio.to_thread(export, collector)
    assert await asyncio.to_thread(collector.wait_for_event, "order", 120)
    assert "await asyncio.to_thread" in never(collector)
    assert "to_thread" not in await asyncio.to_thread(never, collector)

def test_asyncio(otlp_collector):
    asyncio.run(wait(otlp_collector))

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
    export(otlp_collector)
    assert otlp_collector.wait_for_event("order", 120)
""",
    "pyfakefs": """
def test_no_real_file_is_needed(fs, otlp_collector):
    assert not os.path.exists(__file__)
    export(otlp_collector)
    assert otlp_collector.wait_for_event("order", 120)

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
    monkeypatch.delenv("NO_PROXY")
    export(otlp_collector)
    assert "proxy" not in never(otlp_collector)
""",
}

#: With these on, no server gets a turn: it is said, and nothing hangs.
GREEN = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}

REFUSED = """
from pytest_cc_otel import Collector, UsageError

try:
    Collector().start()
except UsageError as error:
    assert "the collector: expected" in str(error) and "that NAME has replaced" in str(error), error
    print("refused")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def session(folder: Path, files: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return run(folder, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist")


def test_no_neighbour_changes_anything(tmp_path: Path) -> None:
    """All in one session: each start of Python with all of them takes a second."""
    files = {
        f"test_{''.join(filter(str.isalpha, name))}.py": HEAD + text
        for name, text in NEIGHBOURS.items()
    }
    done = session(tmp_path, {"pytest.ini": "[pytest]\n", **files})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


@pytest.mark.parametrize("name", GREEN)
def test_threads_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    done = run(
        tmp_path,
        *("-W", "ignore", "-c"),
        f"{GREEN[name]}\n{textwrap.dedent(REFUSED).replace('NAME', name)}",
    )
    assert done.stdout == "refused\n", done.stdout + done.stderr
