"""Resolve the subject of a pytest session once, before anything is collected."""

from __future__ import annotations

from typing import Any

import pytest

from ..assessment.assessment import catalogue
from ..assessment.comparing import Asked
from ..capture.serialization import from_plain, to_plain
from ..errors import HarnessError, SubjectError
from ..keeping import folders
from ..subject.binary import Binary, resolve
from . import xdist
from .options import ACCEPT, BASELINE, EXPECTATIONS, OTLP, OTLP_HEADERS, POWER
from .state import State, SubjectState
from .suite import SuitePlugin
from .verdicts import choose


def resolved(spec: str, state: State) -> Binary:
    """Find or install a subject.  Raises pytest.UsageError if there is none to be had."""
    try:
        return resolve(spec, progress=state.progress)
    except (HarnessError, SubjectError) as error:
        raise pytest.UsageError(str(error)) from error


class SubjectPlugin:
    """Hooks that resolve the subject, and send it to the workers of a distributed session."""

    def __init__(self, state: SubjectState) -> None:
        self.state = state

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        choice = choose(config, catalogue().requirements)
        if choice is not None:
            config.pluginmanager.register(SuitePlugin(self.state, choice), "cc-otel-suite")
        elif not xdist.is_worker(config):
            for option, value in (
                ("--cc-report", self.state.options.report),
                ("--cc-captures", self.state.options.captures),
                ("--cc-scenarios", self.state.options.scenarios),
                ("--cc-protocols", self.state.options.protocols),
                ("--cc-slow", self.state.options.slow),
                ("--cc-fuzz-seconds", self.state.options.fuzz_seconds is not None),
                ("--cc-allow-managed-settings", self.state.options.allow_managed_settings),
                (EXPECTATIONS, self.state.options.expectations),
                (ACCEPT, self.state.options.accept),
                (BASELINE, self.state.options.baseline),
                (POWER, self.state.options.power),
                *((name, config.getoption(name)) for name in (OTLP, OTLP_HEADERS)),
            ):
                if value:
                    raise pytest.UsageError(
                        f"{option}: expected the packaged suite in the run (no test paths, or "
                        "--pyargs harness.suite among them), saw other tests only"
                    )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if xdist.is_worker(self.state.config):
            handed = xdist.handed(self.state.config)
            self.state.binary = from_plain(Binary, handed.binary)
            self.state.shared = handed.shared
            if self.state.upgrade is not None and handed.baseline is not None:
                baseline = from_plain(Binary, handed.baseline)
                self.state.upgrade.asked = Asked(self.state.upgrade.name, binary=baseline)
            return
        self.state.binary = resolved(self.state.options.binary, self.state)
        if self.state.upgrade is not None:
            try:
                self.state.upgrade.find(self.state.progress)
            except HarnessError as error:
                raise pytest.UsageError(str(error)) from error
        if xdist.is_controller(self.state.config):
            self.state.shared = folders.make("shared")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        assert self.state.shared is not None
        upgrade = self.state.upgrade
        baseline = upgrade.asked.binary if upgrade is not None else None
        plain = None if baseline is None else to_plain(baseline)
        handed = xdist.Handed(to_plain(self.state.binary), self.state.shared, plain)
        xdist.hand_over(node, handed)

    def pytest_unconfigure(self) -> None:
        if self.state.shared is not None and not xdist.is_worker(self.state.config):
            folders.remove(self.state.shared)

    def pytest_report_header(self) -> list[str]:
        lines = [f"cc-otel: {self.state.binary.spec} is claude {self.state.binary.version}"]
        upgrade = self.state.upgrade
        if upgrade is not None:
            side = upgrade.asked.side or upgrade.asked.binary
            version = "" if side is None else f", claude {side.version}"
            lines.append(f"cc-otel: compared with {upgrade.name}{version}")
        return lines
