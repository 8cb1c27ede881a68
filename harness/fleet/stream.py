"""Walk through the messages of a capture, and hand what varies in each item to its release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ..contract.catalogue import Contract
from ..contract.requirement import Selector
from ..contract.versions import Version
from ..otlp.errors import DecodeError
from ..otlp.model import Signal
from . import wire
from .exact import ItemView
from .files import Broken, Message
from .release import Owner, Release
from .rules import Fleet
from .walk import Walk, with_item

#: How the names of the CLI's scopes begin, and the name of its service.
SCOPES = "com.anthropic.claude_code"
SERVICE = "claude-code"

#: So many broken messages are kept in full; the others are counted.
_KEPT = 50
#: So many pairs of a resource and a scope are remembered.
_MOST_OWNERS = 20_000


class Stream:
    """Judges a capture message by message; ``contract`` loads the contract of a release.

    ``broken`` are messages that cannot be read; ``foreign`` counts items of other programs by
    their scope, ``unreleased`` those of the CLI that do not tell their release.
    """

    def __init__(self, contract: Callable[[str], Contract], fleet: Fleet) -> None:
        self._contract = contract
        self._fleet = fleet
        self.releases: dict[str, Release] = {}
        self.broken: list[Broken] = []
        self.number_broken = 0
        self.messages = 0
        self.foreign: Counter[str] = Counter()
        self.unreleased: Counter[str] = Counter()
        self._owners: dict[tuple[Signal, bytes, bytes], Owner | tuple[Counter[str], str]] = {}

    def feed(self, messages: Iterable[Message | Broken]) -> None:
        """Judge these messages; one that cannot be read is noted, and the others are judged."""
        for message in messages:
            self.messages += 1
            if isinstance(message, Broken):
                self._note(message)
                continue
            try:
                self._message(message)
            except (DecodeError, ValueError) as error:
                self._note(Broken(message.where, str(error)))

    def end(self) -> None:
        """Add up what was seen, at the end of the capture."""
        for release in self.releases.values():
            release.end()

    def _note(self, broken: Broken) -> None:
        self.number_broken += 1
        if len(self.broken) < _KEPT:
            self.broken.append(broken)

    def _message(self, message: Message) -> None:
        for signal, resource, block in wire.decode(message.body).blocks():
            number = len(block.log_records) + len(block.metrics) + len(block.spans)
            if not number:
                continue
            owner = self._owner(signal, resource, block.scope, message)
            if isinstance(owner, tuple):
                counter, what = owner
                counter[what] += number
                continue
            walk = Walk(owner.release, signal, resource, block.scope, message)
            walk.owner(owner)
            if signal is Signal.LOGS:
                walk.records(block.log_records)
            elif signal is Signal.METRICS:
                for metric in block.metrics:
                    walk.metric(metric)
            else:
                walk.spans(block.spans)

    def _owner(
        self, signal: Signal, resource: msgspec.Raw, scope: msgspec.Raw, message: Message
    ) -> Owner | tuple[Counter[str], str]:
        key = (signal, bytes(resource), bytes(scope))
        known = self._owners.get(key)
        if known is None:
            if len(self._owners) >= _MOST_OWNERS:
                self._owners.clear()
            known = self._owners[key] = self._new_owner(signal, resource, scope, message)
        return known

    def _new_owner(
        self, signal: Signal, resource: msgspec.Raw, scope: msgspec.Raw, message: Message
    ) -> Owner | tuple[Counter[str], str]:
        probe = ItemView(
            self._fleet.run("0.0.0"), signal, resource, with_item(signal, scope), message.where
        )
        attributes = probe.select(Selector("resources"))[0].view["attributes"]
        seen = probe.select(Selector("scopes", signal))[0].view
        if is_foreign(attributes, seen):
            return self.foreign, seen["name"] or "(no scope)"
        text = attributes.get("service.version") or seen["version"]
        try:
            version = str(Version.parse(str(text)))
        except ValueError:
            return self.unreleased, str(text or "(none)")
        if version not in self.releases:
            self.releases[version] = Release(self._contract(version), self._fleet)
        release = self.releases[version]
        return release.owner(
            release.view(signal, resource, with_item(signal, scope), message.where)
        )


def is_foreign(resource: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    """Say whether a resource's attributes and a scope are those of another program."""
    return resource.get("service.name") != SERVICE and not scope["name"].startswith(SCOPES)
