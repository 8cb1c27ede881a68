"""State shared by the plugins of one pytest session: options, subject, folder of the workers."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

from harness.plugin.options import Options
from harness.subject.binary import Binary


class SubjectState:
    """The state of a pytest session with ``--cc-binary``; ``binary`` is set at sessionstart.

    ``shared`` is the folder that the processes of a distributed session share.
    """

    binary: Binary

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.config = config
        self.options = options
        self.shared: Path | None = None
        self.started_unix_nano = time.time_ns()

    def progress(self, text: str) -> None:
        """Print a line of progress, unless pytest was told to be quiet."""
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
