"""Fixtures for tests of the plugin's users; each imports what it needs when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import UsageError
from ..extras import require_suite

if TYPE_CHECKING:
    from ..collector.collector import Collector
    from ..subject.binary import Binary
    from .session import ClaudeFactory


@pytest.fixture
def otlp_collector_options() -> Mapping[str, Any]:
    """Return the options of :func:`otlp_collector`; override this fixture to change them.

    Any keyword of :class:`harness.Collector` can be given, for example
    ``{"max_body_bytes": 1024}``.
    """
    return {}


@pytest.fixture
def make_otlp_collector() -> Iterator[Callable[..., Collector]]:
    """Return a function that starts an OTLP collector; all are stopped when the test ends.

    It takes the keywords of :class:`harness.Collector`.
    """
    from ..collector.collector import Collector

    with ExitStack() as running:

        def make(**options: Any) -> Collector:
            return running.enter_context(Collector(**options))

        yield make


@pytest.fixture
def otlp_collector(
    make_otlp_collector: Callable[..., Collector], otlp_collector_options: Mapping[str, Any]
) -> Collector:
    """Start an OTLP collector on free ports of 127.0.0.1; it is stopped when the test ends.

    ``http_endpoint`` and ``grpc_endpoint`` are for the exporter; ``wait_for_metric``,
    ``wait_for_event`` and ``wait_for`` wait for what arrives, ``exports`` holds it.
    """
    return make_otlp_collector(**otlp_collector_options)


@pytest.fixture(scope="session")
def cc_binary(request: pytest.FixtureRequest) -> Binary:
    """Return the ``claude`` of ``--cc-binary``; override this fixture to drive another one.

    Without the option, a test that uses this fixture ends in an error.
    """
    subject = request.config.pluginmanager.get_plugin("cc-otel-subject")
    if subject is None:
        pytest.fail(
            "this test drives a claude: expected --cc-binary=SPEC (a path, a name on PATH, "
            "npm:VERSION, npm:latest or reference), saw no --cc-binary",
            pytrace=False,
        )
    binary: Binary = subject.state.binary
    return binary


@pytest.fixture
def claude(request: pytest.FixtureRequest, cc_binary: Binary) -> ClaudeFactory:
    """Return a function that runs one headless session of ``claude``, offline, and returns it.

    ``claude(prompt="…", script=[Say("Done.")], protocol="http/json", env={}, files={})``:
    ``script`` is what the model answers (``Say``, ``UseTool``, … of :mod:`harness`), ``env``
    is laid over the telemetry settings, ``files`` (name -> content) are put in the work tree.
    ``settings={}`` is what a settings file says, hooks for example; ``plugins=[]`` are folders of
    plugins that the session loads.
    Each call has a sandbox, a scripted API and a collector of its own. The result has
    ``completed`` (exit code, output), ``exports``, ``data_points(...)``, ``events(...)``,
    ``spans(...)``, the only one of them by ``data_point(...)``, ``event(...)``, ``span(...)``,
    ``truth`` (what really happened) and ``capture`` (all of it). A test that is about some releases
    only says so: ``@pytest.mark.claude(version=">=2.1.122")``.
    """
    try:
        require_suite("the fixture claude")
    except UsageError as error:
        pytest.fail(str(error), pytrace=False)
    from .markers import left_out
    from .options import DEFAULT_DEADLINE_S
    from .session import ClaudeFactory

    try:
        reason = left_out(request.node, cc_binary.version)
    except UsageError as error:
        pytest.fail(str(error), pytrace=False)
    if reason:
        pytest.skip(reason)
    subject = request.config.pluginmanager.get_plugin("cc-otel-subject")
    deadline_s = DEFAULT_DEADLINE_S if subject is None else subject.state.options.deadline_s
    return ClaudeFactory(cc_binary, deadline_s)
