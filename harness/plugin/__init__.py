"""pytest plugin that judges the telemetry of a ``claude`` binary (entry point ``cc-otel``).

Nothing heavy is imported here, and nothing of the extra ``suite``: a session that does
not use a subject pays for the options and the names of the fixtures only
(``benchmarks/plugin_import.py``).
"""

from __future__ import annotations

import contextlib

import pytest

from ..errors import UsageError
from ..extras import require_suite
from . import markers as _markers
from . import options as _options
from . import recorded_options as _recorded_options
from . import relay_options as _relay_options
from .fixtures import (
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
    _relay_options.add(parser)
    _recorded_options.add(parser)


# Before the plugin for JUnit XML reads its prefix.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _markers.LINE)
    recorded_options = _recorded_options.read(config)
    if recorded_options is not None:
        _judge_capture(config, recorded_options)
        return
    relay_options = _relay_options.read(config)
    options = None if relay_options else _options.read(config)
    if relay_options is None and options is None:
        return
    try:
        require_suite("--cc-collector" if relay_options else "--cc-binary")
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    _end_in_order(config)
    if relay_options is not None:
        from .relay import register

        register(config, relay_options)
        return
    assert options is not None
    from .state import SubjectState
    from .subject import SubjectPlugin

    try:
        state = SubjectState(config, options)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    plugin = SubjectPlugin(state)
    config.pluginmanager.register(plugin, "cc-otel-subject")


def _end_in_order(config: pytest.Config) -> None:
    """Leave nothing running whatever ends this session, or the controller of this worker."""
    from ..keeping.signals import end_with_parent, ending_in_order

    stack = contextlib.ExitStack()
    stack.enter_context(ending_in_order())
    config.add_cleanup(stack.close)
    if hasattr(config, "workerinput"):
        end_with_parent()


def _judge_capture(config: pytest.Config, options: _recorded_options.RecordedOptions) -> None:
    try:
        require_suite(_recorded_options.RECORDING)
        from .recorded import register

        register(config, options)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
