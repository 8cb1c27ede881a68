"""Views of single items, for the ordinary judge: it alone says what a check means."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.run import Run
from ..contract.requirement import Selector
from ..errors import HarnessError
from ..judging.items.item import Item
from ..judging.items.view import CaptureView
from ..otlp.model import Protocol, Signal
from . import wire

#: What selects the items of each signal.
_EVERY = {
    Signal.LOGS: Selector("events"),
    Signal.METRICS: Selector("metrics"),
    Signal.TRACES: Selector("spans"),
}

#: That an item is the first of its message is true of every view, and of no capture.
_FIRST = re.compile(r" · (point|record|span) 1$")


class ItemView(CaptureView):
    """A capture that holds one item of ``signal``, which is at ``where``."""

    def __init__(
        self, run: Run, signal: Signal, resource: msgspec.Raw, block: wire.Block, where: str
    ) -> None:
        export = Export(
            sequence=1,
            protocol=Protocol.HTTP_JSON,
            signal=signal,
            method="POST",
            path="",
            http_version="",
            headers=(),
            body=wire.alone(signal, resource, block),
            arrived_unix_nano=0,
            peer="",
            status=200,
        )
        if export.decode_error is not None:
            raise export.decode_error
        super().__init__(Capture(run, (export,)))
        self._at = where
        self._signal = signal

    @property
    def item(self) -> Item:
        """The item. Raises HarnessError where there is not just one."""
        items = self.select(_EVERY[self._signal])
        if len(items) != 1:
            raise HarnessError(f"{self._at}: expected one item, saw {len(items)}")
        return items[0]

    def select(self, selector: Selector) -> tuple[Item, ...]:
        """Return the item if it is selected, or its resource or scope."""
        return tuple(
            replace(item, where=_FIRST.sub("", item.where)) for item in super().select(selector)
        )

    def _where(self, export: Export) -> str:
        return self._at
