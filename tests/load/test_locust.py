"""Locust's users, distributed, against a collector of ours: everything that was sent arrives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness import Collector
from harness.capture.export import Export
from harness.errors import UsageError
from harness.extras import require_locust
from harness.load.order import Order, Prepared, sources
from harness.otlp.model import Protocol
from harness.relay import golden
from harness.relay.arriving import identity
from harness.relay.ports import free_port

#: As docs/validate_a_collector.md has it, but for what each process has counted itself: what a
#: worker tells its master last may come too late for the master's table.
LOCUSTFILE = """
import json, os
from collections import Counter
from pathlib import Path

from locust import events
from harness.locustfile import ClaudeCode

counted = Counter()

@events.request.add_listener
def count(request_type, name, exception, **rest):
    counted[f"{name} {exception or 'accepted'}"] += 1

@events.quit.add_listener
def tell(exit_code, **rest):
    Path(f"counted-{os.getpid()}.json").write_text(json.dumps(counted))
"""

Locust = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def locust(tmp_path: Path) -> Locust:
    """Start ``locust`` in a folder with the locustfile."""
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)

    def start(*options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "locust", *options],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def ended(processes: Sequence[subprocess.Popen[str]]) -> str:
    """Wait until all have ended well, and return what they said; none is left behind."""
    said = ""
    try:
        for process in processes:
            out, _ = process.communicate(timeout=120)
            said += out
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return said


def counted(folder: Path) -> tuple[int, Counter[str]]:
    """How many processes have counted requests, and the sum of what they have."""
    each = [json.loads(path.read_text()) for path in folder.glob("counted-*.json")]
    total = Counter[str]()
    for counts in each:
        total += Counter(counts)
    return sum(map(bool, each)), total


def whole_sessions(exports: Sequence[Export], protocol: Protocol) -> int:
    """How many sessions arrived; each of them with every item that it has."""
    recorded = sources(golden.load(golden.releases()[-1]), "golden")
    (prepared,) = Prepared.of(Order((), (protocol,), recorded, "any")).sessions
    sizes = {
        sum(1 for request in session.requests for item in request.items if item.session)
        for session in prepared
    }
    items = [identity(item) for export in exports for item in export.items]
    arrived = Counter(item.session for item in items if item.session)
    assert set(arrived.values()) <= sizes
    return len(arrived)


RUN = ("--headless", "--users=4", "--spawn-rate=4", "--run-time=3s", "--stop-timeout=30")


@pytest.mark.slow
@pytest.mark.needs("locust")
def test_a_worker_sends_and_all_arrives(
    locust: Locust, collector: Collector, tmp_path: Path
) -> None:
    port = free_port()
    host = f"--host=http://127.0.0.1:{collector.http_port}"
    said = ended(
        [
            locust(*RUN, host, "--master", "--expect-workers=1", f"--master-bind-port={port}"),
            locust("--worker", f"--master-port={port}"),
        ]
    )
    processes, counts = counted(tmp_path)
    # The master sends nothing.
    assert processes == 1, said
    assert {name.rpartition(" ")[2] for name in counts} == {"accepted"}
    exports = collector.exports
    assert counts == Counter(f"{export.path} accepted" for export in exports)
    assert {export.protocol for export in exports} == {Protocol.HTTP_PROTOBUF}
    assert whole_sessions(exports, Protocol.HTTP_PROTOBUF) >= 4


@pytest.mark.slow
@pytest.mark.needs("locust")
def test_processes_share_the_users_and_all_arrives(
    locust: Locust, collector: Collector, tmp_path: Path
) -> None:
    """Over gRPC, whose connections must not outlive a fork."""
    ports = (f"--master-bind-port={(port := free_port())}", f"--master-port={port}")
    host = f"--host=grpc://127.0.0.1:{collector.grpc_port}"
    said = ended([locust(*RUN, *ports, host, "--processes=2", "--cc-headers=X-Key=k")])
    processes, counts = counted(tmp_path)
    assert processes == 2, said
    assert counts == Counter(f"{export.path} accepted" for export in collector.exports)
    assert {export.header("x-key") for export in collector.exports} == {"k"}
    assert whole_sessions(collector.exports, Protocol.GRPC) >= 4


@pytest.mark.needs("locust")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host=ftp://x"], "--host: expected grpc://host:port"),
        (["--host=grpc+http://127.0.0.1:1"], "--host: expected one URL, of gRPC or of HTTP"),
        (["--host=http://127.0.0.1:1", "--cc-headers==x"], "--cc-headers: expected NAME=VALUE"),
        (["--host=http://127.0.0.1:1", "--cc-recording=nowhere"], "capture folder nowhere: expec"),
        (["--host=http://127.0.0.1:1", "--cc-protocol=udp"], "invalid choice: 'udp'"),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_a_wrong_option_ends_it(options: Sequence[str], message: str, locust: Locust) -> None:
    out, _ = locust("--headless", *options).communicate(timeout=60)
    assert message in out
    assert "Traceback" not in out


def test_without_locust_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "locust", None)
    with pytest.raises(UsageError) as raised:
        require_locust("harness.locustfile")
    assert str(raised.value) == (
        "harness.locustfile: expected the extra 'locust': pip install 'pytest-cc-otel[locust]', "
        "saw no locust"
    )
    with pytest.raises(UsageError, match="saw no locust"):
        import harness.locustfile  # noqa: F401 - it says what is missing


@pytest.mark.parametrize("module", ["harness.cli", "harness.load.command", "harness.plugin"])
def test_nobody_else_is_patched_by_gevent(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'gevent', 'locust'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
