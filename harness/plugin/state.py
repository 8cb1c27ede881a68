"""State shared by the plugins of one pytest session: options, subject, folder of the workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ..assessment.listings import check_new, read_listing
from ..assessment.query_files import read_all
from ..capture.run import SubjectFacts
from ..clock import time_ns
from ..judging.listing import NO_LISTING
from ..record.header import RelayFacts
from ..subject.binary import Binary
from .options import ACCEPT, EXPECTATIONS, POWER, QUERIES, Options
from .telling import Teller
from .upgrade import Upgrade
from .xdist import is_worker


class State:
    """The state of a pytest session that judges something.

    ``report`` and ``captures`` are the folders of these options, ``rerun`` the options that
    a rerun must repeat; ``shared`` is the folder that the processes of a distributed session
    share. ``own`` is the user's list of known deviations, read from ``expectations``;
    ``accept`` is the file to which what could be added to it is written, and ``upgrade`` the
    comparison with another release, if one is asked for.

    Raises UsageError for a list that is not as its schema says, and a file that is not to be
    written over.
    """

    def __init__(
        self,
        config: pytest.Config,
        rerun: tuple[str, ...],
        report: Path | None,
        captures: Path | None,
        expectations: Path | None,
        accept: Path | None = None,
    ) -> None:
        self.config = config
        self.rerun = rerun
        self.report = report
        self.captures = captures
        self.own = (
            NO_LISTING
            if expectations is None
            else read_listing(expectations, f"{EXPECTATIONS}={config.getoption(EXPECTATIONS)}")
        )
        #: Whether lies are told about the promises that were kept.
        self.power = bool(config.getoption(POWER))
        self.accept = accept
        if accept is not None and not is_worker(config):
            check_new(accept, f"{ACCEPT}={config.getoption(ACCEPT)}", expectations)
        self.shared: Path | None = None
        self.upgrade: Upgrade | None = None
        self.started_unix_nano = time_ns()
        #: What long work is told to, line by line.
        self.progress = Teller(config, lambda: self.shared)

    @property
    def facts(self) -> SubjectFacts:
        """What is judged, as the record names it."""
        raise NotImplementedError

    def relay(self, runs: Sequence[str]) -> RelayFacts | None:
        """Return what is known of a collector under test and its runs; None for another job."""
        return None


class SubjectState(State):
    """The state of a pytest session with ``--cc-binary``; ``binary`` is set at sessionstart."""

    binary: Binary

    def __init__(self, config: pytest.Config, options: Options) -> None:
        super().__init__(
            config,
            options.rerun,
            options.report,
            options.captures,
            options.expectations,
            options.accept,
        )
        self.options = options
        if options.baseline:
            queries = read_all(options.queries, QUERIES, config.invocation_params.dir)
            self.upgrade = Upgrade(options.baseline, options.fail_on, queries, self.own)

    @property
    def facts(self) -> SubjectFacts:
        return SubjectFacts(self.binary.spec, self.binary.path, self.binary.version)
