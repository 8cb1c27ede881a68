"""For all tests.  The plugin under test comes by its entry point; naming it here loads it twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works here and in children, even where a shell started us with it ignored.

    A shell does that to what it runs in the background, and it is inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
