"""Tell GitHub, in a job of its Actions, how a run ended: annotations and the step's summary."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from ..report import github
from ..report.summary import Summary

#: What GitHub sets in every job, and the file to which a step's summary is appended.
_ACTIONS, _STEP_SUMMARY = "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"


class GitHubPlugin:
    """Hooks that annotate the job and write its summary; ``summed_up`` is asked when all ended."""

    def __init__(self, summed_up: Callable[[], Summary], note: Callable[[str], None]) -> None:
        self._summed_up = summed_up
        self._note = note

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        path = os.environ.get(_STEP_SUMMARY)
        if not path or session.config.option.collectonly:
            return
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(github.step_summary(self._summed_up()))
        except OSError as error:
            self._note(f"no summary of the step: {error}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if terminalreporter.config.option.collectonly:
            return
        for line in github.commands(self._summed_up()):
            terminalreporter.write_line(line)


def register(
    config: pytest.Config, summed_up: Callable[[], Summary], note: Callable[[str], None]
) -> None:
    """Register the hooks where GitHub runs this process; ``-p no:cc-otel-github`` forbids it."""
    name = "cc-otel-github"
    plugins = config.pluginmanager
    if os.environ.get(_ACTIONS) == "true" and not plugins.is_blocked(name):
        plugins.register(GitHubPlugin(summed_up, note), name)
