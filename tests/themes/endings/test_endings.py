from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.run import Failure, GroundTruth, ending
from harness.contract.applicability import JUDGED_ONLY_BY_NAME, applies_to_run
from harness.contract.catalogue import Contract
from harness.contract.requirement import DRAWN
from harness.drift.sessions import endings
from harness.findings import Judged
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge

Viewer = Callable[..., CaptureView]

_ASKED = GroundTruth(prompts=("Go.",))
_FAILED = replace(_ASKED, failures=(Failure(400, "no", 1),))


def seen(judge: Judge, contract: Contract, view: CaptureView) -> list[str]:
    """What the promises about endings say of one run; empty if none was exercised."""
    found = []
    for requirement in contract.requirements:
        if requirement.name.startswith("endings.") and applies_to_run(requirement, view.run):
            outcome = judge.judge(requirement, [view]).outcome
            if isinstance(outcome, Judged):
                found += [finding.seen.split('"')[1] for finding in outcome.findings] or ["kept"]
    return found


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (0, "exit code 0"),
        (7, "exit code 7"),
        (-signal.SIGSEGV, "signal 11 (SIGSEGV)"),
        (-40, "signal 40"),
        (139, "exit code 139 (how a shell tells of SIGSEGV)"),
        (255, "exit code 255"),
    ],
)
def test_how_a_process_ended_in_words(exit_code: int, words: str) -> None:
    assert ending(exit_code) == words


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ["kept"]),
        ({"exit_code": 1}, ["exit code 1"]),
        ({"exit_code": 7}, ["exit code 7"]),
        ({"exit_code": -11}, ["signal 11 (SIGSEGV)"]),
        ({"exit_code": -11, "traits": (JUDGED_ONLY_BY_NAME,)}, ["signal 11 (SIGSEGV)"]),
        ({"truth": _FAILED}, ["kept"]),
        ({"truth": _FAILED, "exit_code": 1}, ["kept"]),
        ({"truth": _FAILED, "exit_code": 2}, ["exit code 2"]),
        ({"truth": _FAILED, "exit_code": -6}, ["signal 6 (SIGABRT)"]),
        # We ended it, or nobody knows; it heard of no prompt; drawn input has its own promises.
        ({"exit_code": -15, "stopped": True}, []),
        ({"exit_code": -15, "stopped": None}, []),
        ({"truth": GroundTruth()}, []),
        ({"exit_code": 1, "traits": (DRAWN,)}, []),
    ],
)
def test_an_ending_is_held_to_what_went_before(
    judge: Judge, contract: Contract, viewer: Viewer, facts: dict[str, Any], expected: list[str]
) -> None:
    assert seen(judge, contract, viewer(**{"truth": _ASKED, "stopped": False, **facts})) == expected


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ({"exit_code": -15, "stopped": True}, "had to be ended"),
        ({"exit_code": 143, "stopped": True}, "had to be ended"),
        ({"exit_code": -11, "stopped": False}, "signal 11 (SIGSEGV)"),
        ({"exit_code": 7, "stopped": False}, "exit code 7"),
        # A recording of before it was noted.
        ({"exit_code": -15}, "had to be ended"),
    ],
)
def test_inventories_tell_a_crash_from_a_session_that_we_ended(
    viewer: Viewer, facts: dict[str, Any], value: str
) -> None:
    (fact,) = endings(viewer(**facts).capture)
    assert fact.value == value
