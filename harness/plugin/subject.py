"""The subject of a session: resolved once, before anything is collected."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from harness.capture.plain import from_plain, to_plain
from harness.errors import HarnessError, SubjectError
from harness.plugin import xdist as _xdist
from harness.plugin.options import Options
from harness.plugin.suite import SuitePlugin, choose
from harness.subject.binary import Binary, resolve


class SubjectPlugin:
    """Hooks of a session with ``--cc-binary``.  ``binary`` is there from sessionstart on.

    ``shared`` is the folder that the processes of a distributed session share.
    """

    binary: Binary

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.config = config
        self.options = options
        self.shared: Path | None = None
        self.started_unix_nano = time.time_ns()

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        choice = choose(config)
        if choice is not None:
            config.pluginmanager.register(SuitePlugin(self, choice), "cc-otel-suite")
        elif not _xdist.is_worker(config):
            for option, value in (
                ("--cc-report", self.options.report),
                ("--cc-captures", self.options.captures),
                ("--cc-scenarios", self.options.scenarios),
                ("--cc-protocols", self.options.protocols),
                ("--cc-slow", self.options.slow),
                ("--cc-fuzz-seconds", self.options.fuzz_seconds is not None),
                ("--cc-allow-managed-settings", self.options.allow_managed_settings),
            ):
                if value:
                    raise pytest.UsageError(
                        f"{option}: expected the packaged suite in the run (no test paths, or "
                        "--pyargs harness.suite among them), saw other tests only"
                    )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if _xdist.is_worker(self.config):
            handed = _xdist.handed(self.config)
            self.binary = from_plain(Binary, handed.binary)
            self.shared = handed.shared
            return
        try:
            self.binary = resolve(self.options.binary, progress=self.progress)
        except (HarnessError, SubjectError) as error:
            raise pytest.UsageError(str(error)) from error
        if _xdist.is_controller(self.config):
            self.shared = Path(tempfile.mkdtemp(prefix="cc-otel-shared-"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        assert self.shared is not None
        _xdist.hand_over(node, _xdist.Handed(to_plain(self.binary), self.shared))

    def pytest_unconfigure(self) -> None:
        if self.shared is not None and not _xdist.is_worker(self.config):
            shutil.rmtree(self.shared, ignore_errors=True)

    def pytest_report_header(self) -> list[str]:
        return [f"cc-otel: {self.binary.spec} is claude {self.binary.version}"]

    def progress(self, text: str) -> None:
        """A line to the person who waits, unless pytest was told to be quiet."""
        plugins = self.config.pluginmanager
        reporter = plugins.get_plugin("terminalreporter")
        if reporter is None or self.config.get_verbosity() < 0:
            return
        capturing = plugins.get_plugin("capturemanager")
        with contextlib.ExitStack() as shown:
            if capturing is not None:
                shown.enter_context(capturing.global_and_fixture_disabled())
            reporter.ensure_newline()
            reporter.write_line(f"cc-otel: {text}")
            reporter.flush()
