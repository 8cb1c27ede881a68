"""Every scenario of the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...fakes.script import Fail, Say, Step, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.secrets import unique_word
from ...running.stage import Stage
from ...subject.process import Completed
from .comparing import sent
from .experiment import (
    ANSWERS_GATE,
    DEFAULT_LIMIT,
    FOLDER,
    GATE,
    IN_FILES,
    INLINE,
    LIMIT_VARIABLE,
    NO_LIMIT,
    OWN_LIMIT,
    SDK_LIMIT,
    SDK_LIMIT_VARIABLE,
    WIDE,
)
from .observed import Bodies

_THINKING = unique_word("thinking")
_ANSWER = unique_word("answer", "of", "a", "length")

#: An answer after thoughts, an attempt that fails, a tool, and an answer.
_SCRIPT: Sequence[Step] = (
    Say(f"Thought about {WIDE}.", thinking=f"Nobody shall read {_THINKING} anywhere."),
    Fail(529, "Overloaded", "overloaded_error"),
    UseTool("Bash", {"command": "true", "description": "Do nothing"}),
    Say("Done."),
)


def _observe(stage: Stage, completed: Completed) -> Bodies:
    folder = stage.work / FOLDER
    files = {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
    }
    api = stage.api
    return Bodies(
        tuple(sent(call.request_id, api.requests[call.request_id]) for call in api.main_calls),
        files,
    )


def _answer(length: int) -> Say:
    """Answer with a text of so many UTF-16 code units."""
    return Say((f"{_ANSWER} " + "and so on " * length)[:length])


def _bodies(name: str, description: str, value: str, protocol: Protocol) -> Scenario:
    return Scenario(
        name=name,
        expected_s=3.0,
        description=f"{description}: an answer after thoughts, a request that is repeated, a tool",
        prompts=("Think about it, please.", f"And about {WIDE}, too."),
        script=_SCRIPT,
        environment={GATE: value, LIMIT_VARIABLE: str(NO_LIMIT)},
        canaries={"thinking": _THINKING},
        observe=_observe,
        protocols=(protocol,),
    )


def _limits(
    name: str, description: str, limits: Mapping[str, str], answers: Sequence[Say]
) -> Scenario:
    return Scenario(
        name=name,
        expected_s=2.0,
        description=description,
        prompts=tuple(f"Tell me more of it, part {number}." for number in range(len(answers))),
        script=answers,
        environment={GATE: INLINE, ANSWERS_GATE: "1", **limits},
        canaries={"answer": _ANSWER},
        observe=_observe,
        protocols=(Protocol.HTTP_JSON,),
        judged_only_by_name=True,
    )


def _wide(more: str) -> Say:
    """Answer with characters of two code units, of which the limit cuts one in two, or none."""
    return Say(f"{_ANSWER}{more}" + WIDE * OWN_LIMIT)


_OWN = {LIMIT_VARIABLE: str(OWN_LIMIT)}

SCENARIOS = (
    _bodies("bodies", "Bodies of the API are logged", INLINE, Protocol.HTTP_PROTOBUF),
    _bodies("bodies_in_files", "Bodies of the API are kept in files", IN_FILES, Protocol.GRPC),
    _limits(
        "content_limit",
        "A limit of contents, and answers that are shorter, as long, and longer",
        _OWN,
        [_answer(OWN_LIMIT + more) for more in (-1, 0, 1, OWN_LIMIT)],
    ),
    _limits(
        "content_limit_of_sdk",
        "A lower limit of the OpenTelemetry SDK, and answers as long and longer",
        {**_OWN, SDK_LIMIT_VARIABLE: str(SDK_LIMIT)},
        [_answer(SDK_LIMIT), _answer(SDK_LIMIT + 1)],
    ),
    _limits(
        "content_limit_by_default",
        "No limit is set, and answers are as long as the default one, and longer",
        {},
        [_answer(DEFAULT_LIMIT), _answer(DEFAULT_LIMIT + 1)],
    ),
    _limits(
        "content_limit_within_a_character",
        "A limit of contents that falls into a character of two code units",
        _OWN,
        [_wide(""), _wide(".")],
    ),
)
