"""pytest items for requirements; the node id is the requirement's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..assessment.assessment import Assessment
from ..clock import monotonic_s
from ..contract.requirement import Requirement
from ..errors import HarnessError
from ..findings import Verdict
from ..judging.verdicts import Row, broken, fails_the_run
from ..report.failure import failure
from .neighbours import placed_for_allure

#: Why a session ends early.
NOTHING_RECORDED = "nothing was recorded that could be judged"


class RequirementFailedError(Exception):
    """The exception by which pytest learns that an item failed; its text says why."""


class PromiseBrokenError(RequirementFailedError, AssertionError):
    """The same, of what the subject does; reporters tell it from a fault of the test."""


def failed(row: Row, rerun: str) -> RequirementFailedError:
    """Return the exception for a row that fails the run; ``rerun`` is what judges it again."""
    ours = row.verdict in (Verdict.ERROR, Verdict.FIXED)
    text = "\n".join(failure(row, rerun))
    return RequirementFailedError(text) if ours else PromiseBrokenError(text)


class NothingRecordedError(Exception):
    """The exception by which pytest learns of a fault of ours after which nothing can be judged."""


class Suite(pytest.Collector):
    """The collector of all requirements of the catalogue, or of those in ``names``."""

    def __init__(
        self,
        *,
        assessment: Assessment,
        names: frozenset[str] | None,
        rerun: Callable[[Row], str],
        **kw: Any,
    ) -> None:
        super().__init__(**kw)
        self._assessment = assessment
        self._names = names
        self._rerun = rerun

    def collect(self) -> Iterator[pytest.Item]:
        for requirement in self._assessment.contract.requirements:
            if self._names is None or requirement.name in self._names:
                yield RequirementItem.from_parent(
                    self,
                    name=requirement.name,
                    nodeid=requirement.name,
                    requirement=requirement,
                    assessment=self._assessment,
                    rerun=self._rerun,
                )


class VerdictItem(pytest.Item):
    """A pytest item with a verdict: ``row``, once the item has run."""

    row: Row | None = None
    #: How long its setup waited for the recording.
    waited_s = 0.0

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        placed_for_allure(self)

    def settle(self, row: Row) -> None:
        """Store the verdict, also in the properties of the item's report."""
        self.row = row
        self.user_properties += [
            ("verdict", row.verdict.value),
            ("level", row.level.value),
            ("source", row.source),
            *([("impact", row.impact.value)] if row.impact else ()),
            *([("link", row.url)] if row.url else ()),
            *([("news", row.news)] if row.news else ()),
        ]

    def fault(self, reason: str) -> Row:
        """Return the row of an item that ended without a verdict: the fault is ours."""
        raise NotImplementedError


class RequirementItem(VerdictItem):
    """The pytest item of one requirement; ``row`` is its verdict once the item has run."""

    def __init__(
        self,
        *,
        requirement: Requirement,
        assessment: Assessment,
        rerun: Callable[[Row], str],
        **kw: Any,
    ) -> None:
        super().__init__(**kw)
        self.requirement = requirement
        self._fault: Exception | None = None
        self._assessment = assessment
        self._rerun = rerun

    def setup(self) -> None:
        """Make the recording, if this is the first item that needs it.

        So ``--durations`` shows it on a line of its own, like a session fixture. An exception
        becomes this requirement's verdict: :meth:`runtest` raises it. Whatever the fault, it is the
        same for every other requirement: it is told once, and the session ends.
        """
        began = monotonic_s()
        try:
            self._assessment.prepare(self.requirement)
        except HarnessError as error:
            self.session.shouldstop = NOTHING_RECORDED
            raise NothingRecordedError(str(error)) from None
        except Exception as error:
            self._fault = error
            self.session.shouldstop = NOTHING_RECORDED
            return
        finally:
            self.waited_s = monotonic_s() - began
        made = self._assessment.recording_so_far
        if made is not None and made.summary.harness_fault:
            self.session.shouldstop = NOTHING_RECORDED
            raise NothingRecordedError(made.summary.harness_fault)

    def runtest(self) -> None:
        try:
            if self._fault is not None:
                raise self._fault
            row = self._assessment.row(self.requirement)
        except HarnessError as error:
            row = broken(self.requirement, str(error))
        self.settle(row)
        if fails_the_run(row):
            raise failed(row, self._rerun(row))

    def fault(self, reason: str) -> Row:
        """Return the row of a requirement that could not be judged."""
        return broken(self.requirement, reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, RequirementFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        # No file holds the item: its place is its name, which pytest then prints once.
        return self.config.rootpath / self.name, None, f"requirement {self.name}"
