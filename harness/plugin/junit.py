"""Say in a JUnit file what was judged, and keep the time of the recording out of its items."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

import pytest

#: Where a report keeps how many seconds of its time it waited for the recording.
WAITED_S = "cc_otel_waited_s"


class JUnitPlugin:
    """Hooks around pytest's own plugin for JUnit files; ``facts`` are properties of the suite."""

    def __init__(self, facts: Callable[[], Mapping[str, str]]) -> None:
        self._facts = facts

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Show reporters the item's own time; ``--durations`` reads the whole at the end."""
        whole = report.duration
        report.duration = max(whole - float(getattr(report, WAITED_S, 0.0)), 0.0)
        try:
            return (yield)
        finally:
            report.duration = whole

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # Only a fixture may set properties of a suite by a public name, and it knows no xdist.
        from _pytest.junitxml import xml_key

        xml = session.config.stash.get(xml_key, None)
        if xml is not None:
            for name, value in self._facts().items():
                xml.add_global_property(name, value)
