"""Answers that do not come, come by halves or in parts, held to the official SDK."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Any

import anthropic
import pytest
from anthropic.types import Message

from harness.capture.run import ApiCall, Failure
from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import CutOff, Fail, HangUp, Say, Step, Usage, UseTool, usage_of_call

#: What the SDK raises in the middle of a stream is its transport's own error.
BROKEN_OFF = "peer closed connection"

PROMPTS = ("The first thing.", "Then the second.", "And the third.")
TOOLS: Any = [{"name": "Write", "input_schema": {"type": "object"}}]


class Client:
    """The SDK in a conversation with one scripted API; it does not retry by itself."""

    def __init__(self, api: MessagesApi, sdk: anthropic.Anthropic) -> None:
        self.api = api
        self.sdk = sdk
        self.messages: list[Any] = []

    def begin(self, prompt: str) -> None:
        """What a CLI keeps of a prompt that failed is the prompt."""
        self.messages.append({"role": "user", "content": prompt})

    @property
    def asked(self) -> Any:
        return {"model": "m", "max_tokens": 100, "messages": self.messages, "tools": TOOLS}

    def stream(self) -> Message:
        with self.sdk.messages.stream(**self.asked) as stream:
            return stream.get_final_message()

    def create(self) -> Message:
        answer = self.sdk.messages.create(**self.asked)
        assert isinstance(answer, Message)
        return answer

    def say(self, prompt: str) -> str:
        self.begin(prompt)
        return text_of(self.stream())

    def fails(self, error: type[Exception], times: int = 1, match: str | None = None) -> None:
        for _ in range(times):
            with pytest.raises(error, match=match):
                self.stream()


def text_of(message: Message) -> str:
    (block,) = message.content
    assert block.type == "text"
    return block.text


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def make(*steps: Step, **options: Any) -> Client:
            api = stack.enter_context(MessagesApi(steps, prompts=PROMPTS, **options))
            sdk = anthropic.Anthropic(base_url=api.base_url, api_key="none", max_retries=0)
            return Client(api, stack.enter_context(sdk))

        yield make


def statuses(calls: tuple[ApiCall, ...]) -> list[int]:
    return [call.status for call in calls]


def tokens(call: ApiCall) -> Usage:
    return Usage(
        call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cache_creation_tokens
    )


def ids(*numbers: int) -> tuple[str, ...]:
    """The ids of the requests that came as these."""
    return tuple(f"req_01{number:022d}" for number in numbers)


def test_nobody_answers_until_the_next_prompt(connect: Connect) -> None:
    client = connect(HangUp(), Say("here I am"), Say("still here"))

    client.begin(PROMPTS[0])
    client.fails(anthropic.APIConnectionError, times=3)
    with pytest.raises(anthropic.APIConnectionError):
        client.create()
    assert client.api.failures == (Failure(None, "", 4, ids(1, 2, 3, 4)),)

    assert client.say(PROMPTS[1]) == "here I am"
    assert client.say(PROMPTS[2]) == "still here"
    assert client.api.failures == (Failure(None, "", 4, ids(1, 2, 3, 4)),)
    assert statuses(client.api.calls) == [0, 0, 0, 0, 200, 200]
    assert [tokens(call) for call in client.api.calls[:4]] == [Usage(0, 0)] * 4
    assert client.api.prompts == PROMPTS


def test_side_calls_are_answered_while_the_main_loop_is_not(connect: Connect) -> None:
    client = connect(HangUp())
    client.begin(PROMPTS[0])
    client.fails(anthropic.APIConnectionError)
    aside = client.sdk.messages.create(**{**client.asked, "tools": []})
    assert text_of(aside) == "ok"
    client.fails(anthropic.APIConnectionError)
    assert statuses(client.api.calls) == [0, 200, 0]
    assert statuses(client.api.main_calls) == [0, 0]
    assert client.api.failures == (Failure(None, "", 2, ids(1, 3)),)


def test_a_failure_for_good_ends_with_the_next_prompt(connect: Connect) -> None:
    client = connect(
        Fail(400, "bad", times=None),
        Fail(429, "slow", "rate_limit_error", times=None),
        Say("at last"),
    )
    client.begin(PROMPTS[0])
    client.fails(anthropic.BadRequestError, times=2)
    client.begin(PROMPTS[1])
    client.fails(anthropic.RateLimitError, times=3)
    assert client.say(PROMPTS[2]) == "at last"
    assert client.api.failures == (
        Failure(400, "bad", 2, ids(1, 2)),
        Failure(429, "slow", 3, ids(3, 4, 5)),
    )
    assert statuses(client.api.main_calls) == [400, 400, 429, 429, 429, 200]


def test_one_failure_for_good_after_another_kind(connect: Connect) -> None:
    """Each lasts as long as its prompt, also where the first prompt got over a failure."""
    client = connect(Fail(529, "once", times=2), Say("passed"), HangUp(), Say("at last"))
    client.begin(PROMPTS[0])
    client.fails(anthropic.APIStatusError, times=2)
    assert text_of(client.stream()) == "passed"
    client.begin(PROMPTS[1])
    client.fails(anthropic.APIConnectionError)
    assert client.say(PROMPTS[2]) == "at last"
    assert client.api.failures == (Failure(None, "", 1, ids(4)),)
    assert statuses(client.api.main_calls) == [529, 529, 200, 0, 200]


def test_a_failure_for_good_after_a_tool(connect: Connect) -> None:
    client = connect(UseTool("Write", {}), Fail(500, "inside", times=None), Say("anew"))
    client.begin(PROMPTS[0])
    (asked,) = client.stream().content
    assert asked.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": asked.id, "content": "done"}
    client.messages += [
        {"role": "assistant", "content": [asked.to_dict()]},
        {"role": "user", "content": [result]},
    ]
    client.fails(anthropic.InternalServerError, times=2)
    assert client.say(PROMPTS[1]) == "anew"
    assert client.api.failures == (Failure(500, "inside", 2, ids(2, 3)),)


@pytest.mark.parametrize("step", [Fail(400, "bad"), CutOff("half"), Say("all"), UseTool("T", {})])
def test_what_passes_is_no_failure(connect: Connect, step: Step) -> None:
    client = connect(step, Say("then"))
    client.begin(PROMPTS[0])
    if isinstance(step, Fail):
        client.fails(anthropic.BadRequestError)
    elif isinstance(step, CutOff):
        client.fails(Exception, match=BROKEN_OFF)
    else:
        client.stream()
    assert text_of(client.stream()) == "then"
    assert client.api.failures == ()


def test_a_stream_breaks_off_after_its_first_words(connect: Connect) -> None:
    client = connect(CutOff("Once upon a"), Say("Once upon a time."))
    client.begin(PROMPTS[0])
    heard: list[str] = []
    with (
        pytest.raises(Exception, match=BROKEN_OFF),
        client.sdk.messages.stream(**client.asked) as stream,
    ):
        heard.extend(stream.text_stream)
    assert heard == ["Once upon a"]

    assert text_of(client.stream()) == "Once upon a time."
    half, whole = client.api.main_calls
    assert (half.status, half.streamed, half.error_message) == (0, True, "")
    assert tokens(half) == usage_of_call(1)
    assert (whole.status, tokens(whole)) == (200, usage_of_call(2))
    assert half.request_id != whole.request_id


def test_what_is_not_streamed_cannot_break_off_and_gets_no_answer(connect: Connect) -> None:
    client = connect(CutOff("Once upon a"), Say("Once upon a time."))
    client.begin(PROMPTS[0])
    with pytest.raises(anthropic.APIConnectionError):
        client.create()
    assert text_of(client.create()) == "Once upon a time."
    half, whole = client.api.main_calls
    assert (half.status, half.streamed, tokens(half)) == (0, False, Usage(0, 0))
    assert whole.status == 200


def test_a_side_call_is_given_up_if_its_connection_ends_before_the_session(
    connect: Connect,
) -> None:
    client = connect()
    client.begin(PROMPTS[0])
    aside = {**client.asked, "tools": []}
    client.sdk.messages.create(**aside)
    with client.sdk.copy(http_client=anthropic.DefaultHttpxClient()) as gone:
        gone.messages.create(**aside)
        gone.messages.create(**aside)
    deadline = time.monotonic() + 30
    # When the server has seen the end of the connection, one more call tells that others go on.
    while not any(call.given_up for call in client.api.calls):
        assert time.monotonic() < deadline
        client.create()
    asides = [call.given_up for call in client.api.calls if call.auxiliary]
    assert asides == [False, False, True]


def test_the_end_of_a_session_gives_nothing_up(connect: Connect) -> None:
    client = connect()
    client.begin(PROMPTS[0])
    client.create()
    client.sdk.messages.create(**{**client.asked, "tools": []})
    client.sdk.close()
    assert not any(call.given_up for call in client.api.calls)


def test_others_keep_their_connection_when_one_is_hung_up_on(connect: Connect) -> None:
    client = connect(CutOff("half"), HangUp())
    host = client.api.base_url.removeprefix("http://")
    with closing(HTTPConnection(host)) as bystander:
        bystander.connect()
        kept = bystander.sock

        def is_served() -> bool:
            bystander.request("HEAD", "/")
            return bystander.getresponse().read() == b"" and bystander.sock is kept

        assert is_served()
        client.begin(PROMPTS[0])
        client.fails(Exception, match=BROKEN_OFF)
        client.begin(PROMPTS[1])
        client.fails(anthropic.APIConnectionError)
        assert is_served()


@pytest.mark.parametrize("frames", [1, 3])
def test_usage_is_told_in_so_many_frames_that_grow_to_the_total(
    connect: Connect, frames: int
) -> None:
    client = connect(
        Say("counted", Usage(17, 100, 29, 31)),
        Say("counted", Usage(17, 100, 29, 31)),
        usage_frames=frames,
    )
    client.begin(PROMPTS[0])
    with client.sdk.messages.create(**client.asked, stream=True) as stream:
        deltas = [event for event in stream if event.type == "message_delta"]
    counts = [delta.usage.output_tokens for delta in deltas]
    assert counts == {1: [100], 3: [33, 66, 100]}[frames]
    assert [delta.delta.stop_reason for delta in deltas] == [*[None] * (frames - 1), "end_turn"]
    assert {delta.usage.input_tokens for delta in deltas} == {None}

    final = client.stream().usage
    usage = Usage(
        final.input_tokens,
        final.output_tokens,
        final.cache_read_input_tokens or 0,
        final.cache_creation_input_tokens or 0,
    )
    assert usage == Usage(17, 100, 29, 31)
    assert [tokens(call) for call in client.api.calls] == [usage, usage]


def test_tools_are_known_from_when_they_are_asked_for(connect: Connect) -> None:
    first, second = UseTool("Write", {"n": 1}), UseTool("Read", {"n": 2}, forbidden=True)
    client = connect(first, second)
    assert client.api.tools_asked == ()
    client.begin(PROMPTS[0])
    asked = [client.stream().content[0] for _ in range(2)]
    assert [block.type for block in asked] == ["tool_use"] * 2
    ids = [block.id for block in asked if block.type == "tool_use"]
    assert client.api.tools_asked == tuple(zip(ids, (first, second), strict=True))
    assert client.api.tool_runs == ()


@pytest.mark.parametrize(
    ("content", "lengths"),
    [
        ("", (0, 0)),
        ("plain", (5, 5)),
        ("é漢😀", (9, 4)),
        ([{"type": "text", "text": "blocks"}], (None, None)),
    ],
)
def test_the_length_of_a_result_is_known(
    connect: Connect, content: object, lengths: tuple[int | None, int | None]
) -> None:
    client = connect(UseTool("Write", {}))
    client.begin(PROMPTS[0])
    (asked,) = client.stream().content
    assert asked.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": asked.id, "content": content}
    client.messages += [
        {"role": "assistant", "content": [asked.to_dict()]},
        {"role": "user", "content": [result]},
    ]
    client.stream()
    (ran,) = client.api.tool_runs
    assert (ran.result_bytes, ran.result_units) == lengths


def test_a_result_that_was_cut_within_a_character_is_measured(connect: Connect) -> None:
    """As a program may do that counts in UTF-16; the SDK cannot send it."""
    client = connect(UseTool("Write", {}))
    client.begin(PROMPTS[0])
    (asked,) = client.stream().content
    assert asked.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": asked.id, "content": "cut off \ud83d"}
    body = client.asked
    body["messages"] = [
        *client.messages,
        {"role": "assistant", "content": [asked.to_dict()]},
        {"role": "user", "content": [result]},
    ]
    url = f"{client.api.base_url}/v1/messages"
    with urllib.request.urlopen(url, json.dumps(body).encode()) as answer:
        assert answer.status == 200
    (ran,) = client.api.tool_runs
    assert (ran.result_bytes, ran.result_units) == (11, 9)


@pytest.mark.parametrize(("max_tokens", "probe"), [(1, True), (2, False), (None, False)])
def test_a_probe_asks_for_a_single_token(
    connect: Connect, max_tokens: int | None, probe: bool
) -> None:
    client = connect()
    body: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "quota"}]}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    url = f"{client.api.base_url}/v1/messages"
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    (call,) = client.api.calls
    assert call.probe is probe
    assert call.auxiliary
