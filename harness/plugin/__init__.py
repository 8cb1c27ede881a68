"""pytest plugin that judges the telemetry of a ``claude`` binary (entry point ``cc-otel``).

Nothing heavy is imported here, and nothing of the extra ``suite``: a session that does
not use a subject pays for the options and the names of the fixtures only
(``benchmarks/plugin_import.py``).
"""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.extras import require_suite
from harness.plugin import options as _options
from harness.plugin.fixtures import (
    cc_binary,
    claude,
    make_otlp_collector,
    otlp_collector,
    otlp_collector_options,
)

__all__ = [
    "cc_binary",
    "claude",
    "make_otlp_collector",
    "otlp_collector",
    "otlp_collector_options",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    _options.add(parser)


# Before the plugin for JUnit XML reads its prefix.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    options = _options.read(config)
    if options is None:
        return
    try:
        require_suite("--cc-binary")
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    from harness.plugin.state import SubjectState
    from harness.plugin.subject import SubjectPlugin

    plugin = SubjectPlugin(SubjectState(config, options))
    config.pluginmanager.register(plugin, "cc-otel-subject")
