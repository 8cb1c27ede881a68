"""Look at the machine again and again while runs are made."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

#: Seconds between two looks: short beside any run, and no load of its own.
_PERIOD_S = 0.25


class Watch(ABC):
    """Looks at the machine while its ``with`` block lasts, in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    @abstractmethod
    def look(self) -> bool:
        """Look once; say whether to go on looking."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_PERIOD_S) and self.look():
            pass
