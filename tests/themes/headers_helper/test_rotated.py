"""A session with rotating tokens lasts until enough different ones were taken.

A busy machine can replace a token before anything was sent with it; if the session ended then,
the subject would be blamed for a token that it had no time to use.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from harness.capture.export import Export
from harness.otlp.model import Protocol, Signal
from harness.running.stage import Stage
from harness.themes.headers_helper.experiment import GENERATION, ROTATIONS
from harness.themes.headers_helper.scenarios import rotated


def export(signal: Signal, told: object, rejected: str = "") -> Export:
    protocol, headers = Protocol.HTTP_JSON, ((GENERATION, str(told)),)
    return Export(0, protocol, signal, "POST", "/", "1.1", headers, b"", 0, "", 200, rejected)


def is_over(*exports: Export, protocol: Protocol = Protocol.HTTP_JSON) -> bool:
    stage = SimpleNamespace(protocol=protocol, main=SimpleNamespace(exports=exports))
    return rotated(cast("Stage", stage))


def both(number: object, rejected: str = "") -> list[Export]:
    return [export(signal, number, rejected) for signal in (Signal.METRICS, Signal.LOGS)]


def test_it_is_over_when_enough_tokens_brought_both_signals() -> None:
    exports = [export for number in range(1, ROTATIONS + 1) for export in both(number)]
    assert is_over(*exports)
    assert not is_over(*exports[:-1])


def test_a_token_that_nothing_was_sent_with_does_not_count() -> None:
    numbers = [number for number in range(1, ROTATIONS + 2) if number != 2]
    exports = [export for number in numbers for export in both(number)]
    assert not is_over(*exports[:-2])
    assert is_over(*exports)


def test_a_token_that_was_turned_away_does_not_count() -> None:
    exports = [export for number in range(1, ROTATIONS) for export in both(number)]
    assert not is_over(*exports, *both(ROTATIONS, rejected="token 4 is no longer in force"))
    assert is_over(*exports, *both(ROTATIONS))


def test_tokens_that_only_spans_came_with_do_not_count() -> None:
    exports = [export for number in range(2, ROTATIONS + 1) for export in both(number)]
    assert not is_over(export(Signal.TRACES, 1), *exports)
    assert is_over(export(Signal.METRICS, 1), *exports)


def test_what_is_no_number_is_no_token() -> None:
    assert not is_over(*both("yes"), *both(""), *both("-4"), *both("²"))
