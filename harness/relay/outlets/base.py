"""Define what all outlets have in common: everything that came out, as exports, and waiting for it.

An outlet gives the collector under test a place to send to (or looks at a place that it offers),
says by ``placeholders`` what its configuration needs for that, and keeps what it saw.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar

from ...capture.export import Export
from ...collector.store import DEFAULT_LIMIT, Store
from ...errors import HarnessError

T = TypeVar("T")


class Outlet(ABC):
    """One way out of a collector under test; a context manager that starts and stops it."""

    #: What the outlet is called, and ``Export.collector`` of what came out there.
    name: str

    @abstractmethod
    def start(self) -> Self:
        """Begin to listen or to look. An outlet that was stopped cannot be started again."""

    @abstractmethod
    def stop(self) -> None:
        """See what there is to see for a last time, and end; may be called again."""

    @abstractmethod
    def exports(self) -> tuple[Export, ...]:
        """Return everything that came out so far, oldest first."""

    @property
    @abstractmethod
    def forgotten(self) -> int:
        """The number of exports that were dropped because of the memory limit."""

    @abstractmethod
    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports, and return that.

        Raises DeadlineExceeded, which says ``what`` was waited for and what came out, after
        ``deadline_s`` seconds, and a HarnessError when the outlet is stopped.
        """

    @abstractmethod
    def placeholders(self) -> Mapping[str, str]:
        """Return what the collector's command or configuration may name, by placeholder.

        They are known once the outlet has started.
        """

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Stored(Outlet):
    """An outlet that keeps what came out in a store of its own."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT) -> None:
        self._store = Store(limit_bytes)

    def exports(self) -> tuple[Export, ...]:
        """Return everything that came out so far, oldest first."""
        return self._store.exports

    @property
    def forgotten(self) -> int:
        """The number of exports that were dropped because of the memory limit."""
        return self._store.forgotten

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports, and return that."""
        return self._store.wait_for(predicate, deadline_s, f"{self.name}: {what}")


class Polled(Stored):
    """An outlet that must be looked at again and again, which a thread of its own does.

    ``look`` is called every ``interval_s`` seconds, when ``exports`` is asked for and when the
    outlet stops, never by two threads at once. An exception of it ends the outlet; ``exports``
    and ``wait_for`` raise it.
    """

    def __init__(self, interval_s: float, limit_bytes: int = DEFAULT_LIMIT) -> None:
        super().__init__(limit_bytes)
        self._interval_s = interval_s
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to look."""
        if self._thread is not None:
            raise RuntimeError("this outlet was started before; make another one")
        self._thread = threading.Thread(target=self._run, name=f"outlet-{self.name}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Look for a last time, and end; may be called again."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._look_in_turn()
        self._store.close()
        self._close()

    def exports(self) -> tuple[Export, ...]:
        """Return everything that came out until now, oldest first."""
        if not self._stopping.is_set():
            self._look_in_turn()
        self._raise_fault()
        return super().exports()

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports, and return that."""
        try:
            return super().wait_for(predicate, deadline_s, what)
        except HarnessError:
            self._raise_fault()
            raise

    @abstractmethod
    def look(self) -> None:
        """Look once, and append what is new to the store."""

    def _close(self) -> None:
        """Release what was kept open, after the last look."""

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s) and self._fault is None:
            self._look_in_turn()

    def _look_in_turn(self) -> None:
        with self._turn:
            if self._fault is not None:
                return
            try:
                self.look()
            except Exception as error:  # told to whoever asks: nobody sees a thread fail
                self._fault = error
                self._store.close()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise HarnessError(f"the outlet {self.name} failed: {self._fault}") from self._fault
