"""Without the extra ``suite``: the collector works, and all else says what to install."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.extras import SUITE, require_suite

Run = Callable[..., pytest.RunResult]

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "expected the extra 'suite': pip install 'pytest-cc-otel[suite]', saw no cattrs, "

#: Makes every import of the extra fail, as if it were not installed.
WITHOUT_SUITE = f"""
import sys

for name in {SUITE!r}:
    assert name not in sys.modules
    sys.modules[name] = None
"""


def extra(name: str) -> set[str]:
    """The packages that ``pyproject.toml`` gives an extra."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = document["project"]["optional-dependencies"][name]
    return {re.split(r"[<>=;\[ ]", line)[0] for line in lines}


@pytest.fixture
def without_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options for a session in which nothing of the extra can be imported."""
    (tmp_path / "without_suite.py").write_text(WITHOUT_SUITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    # Plugins of what is not there are not there either.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return ("-p", "without_suite", "-p", "harness.plugin")


def test_the_names_are_those_of_the_packages_of_the_extra() -> None:
    packages: Mapping[str, list[str]] = importlib.metadata.packages_distributions()
    brought = {each.replace("_", "-").lower() for name in SUITE for each in packages[name]}
    assert brought == {each.lower() for each in extra("suite")}


def test_the_extra_reference_includes_it() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = document["project"]["optional-dependencies"]
    assert "pytest-cc-otel[suite]" in extras["reference"]


def test_one_missing_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    require_suite("it")
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(UsageError, match=r"^it: expected the extra 'suite': .*, saw no mcp$"):
        require_suite("it")


def test_the_collector_works_without_it(
    pytester: pytest.Pytester, run: Run, without_suite: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        """
        import urllib.request

        import grpc
        import pytest

        JSON = {"Content-Type": "application/json"}
        LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        BODY = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order"}]}]}]}'

        def test_over_http_and_grpc(otlp_collector):
            url = f"{otlp_collector.http_endpoint}/v1/logs"
            request = urllib.request.Request(url, BODY, JSON)
            urllib.request.urlopen(request).close()
            assert otlp_collector.wait_for_event("order", deadline_s=120)
            target = otlp_collector.grpc_endpoint.removeprefix("http://")
            with grpc.insecure_channel(target) as channel:
                assert channel.unary_unary(LOGS)(b"", timeout=120) == b""

        def test_nothing_of_the_extra_was_there():
            with pytest.raises(ImportError):
                import cattrs
        """
    )
    run(*without_suite).assert_outcomes(passed=2)


def test_a_subject_needs_it(run: Run, without_suite: tuple[str, ...]) -> None:
    result = run(*without_suite, "--cc-binary=reference")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line]
    assert line.startswith(f"ERROR: --cc-binary: {INSTALL}")


def test_the_fixture_for_sessions_needs_it(
    pytester: pytest.Pytester, run: Run, without_suite: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def cc_binary():
            return "my own"

        def test_a_session(claude):
            raise AssertionError("it ran")
        """
    )
    result = run(*without_suite)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"the fixture claude: {INSTALL.replace('[', '[[]')}*"])
    assert "Traceback" not in result.stdout.str()


def test_the_command_needs_it() -> None:
    code = f"{WITHOUT_SUITE}\nfrom harness.__main__ import main\nsys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "requirements"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"cc-harness: {INSTALL}")
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
