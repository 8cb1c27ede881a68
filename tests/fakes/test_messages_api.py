"""The scripted Messages API, held to the official SDK as its client."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam

from harness.capture.run import ToolRun
from harness.fakes.messages_api import AFTER_THE_SCRIPT, MessagesApi
from harness.fakes.script import Fail, Say, Step, Usage, UseTool, usage_of_call
from harness.themes import certificates

PROMPT = "Please do the day's work"
MODEL = "claude-test-1"
TOOLS: list[ToolParam] = [{"name": "Write", "input_schema": {"type": "object"}}]


class Client:
    """The SDK, speaking to one scripted API the way a CLI does."""

    def __init__(self, api: MessagesApi, sdk: anthropic.Anthropic) -> None:
        self.api = api
        self.sdk = sdk

    def stream(self, messages: list[MessageParam], tools: list[ToolParam] = TOOLS) -> Message:
        with self.sdk.messages.stream(
            model=MODEL, max_tokens=100, messages=messages, tools=tools
        ) as stream:
            return stream.get_final_message()

    def create(
        self, messages: list[MessageParam], tools: list[ToolParam] = TOOLS, **more: Any
    ) -> Message:
        answer = self.sdk.messages.create(
            model=MODEL, max_tokens=100, messages=messages, tools=tools, **more
        )
        assert isinstance(answer, Message)
        return answer


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def make(*steps: Step, max_retries: int = 0, **options: Any) -> Client:
            api = stack.enter_context(MessagesApi(steps, prompts=[PROMPT], **options))
            sdk = anthropic.Anthropic(
                base_url=api.base_url, api_key="none", max_retries=max_retries
            )
            return Client(api, stack.enter_context(sdk))

        yield make


def prompt(text: str = PROMPT) -> list[MessageParam]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


def with_result(asked: Message, *, is_error: bool = False) -> list[MessageParam]:
    (tool,) = [block for block in asked.content if block.type == "tool_use"]
    result: ToolResultBlockParam = {
        "type": "tool_result",
        "tool_use_id": tool.id,
        "content": "",
        "is_error": is_error,
    }
    return [
        *prompt(),
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": [result]},
    ]


def text_of(message: Message) -> str:
    (block,) = message.content
    assert block.type == "text"
    return block.text


def billed(message: Message) -> tuple[int | None, ...]:
    usage = message.usage
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
    )


def accounted(api: MessagesApi) -> list[tuple[int, ...]]:
    return [
        (c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_creation_tokens)
        for c in api.calls
    ]


@pytest.mark.parametrize("streamed", [True, False])
def test_a_scripted_text_is_said_and_billed(connect: Connect, streamed: bool) -> None:
    client = connect(Say("hello", Usage(17, 23, 29, 31)))

    answer = client.stream(prompt()) if streamed else client.create(prompt())

    assert text_of(answer) == "hello"
    assert (answer.stop_reason, answer.model) == ("end_turn", MODEL)
    assert billed(answer) == (17, 23, 29, 31)
    (call,) = client.api.calls
    assert accounted(client.api) == [(17, 23, 29, 31)]
    assert (call.model, call.status, call.auxiliary) == (MODEL, 200, False)
    assert call.streamed is streamed
    assert client.api.prompts == (PROMPT,)
    assert text_of(client.create(prompt())) == AFTER_THE_SCRIPT.text


def test_a_prompt_that_stands_twice_in_a_message_is_noted(connect: Connect) -> None:
    client = connect(Say("Hello."))
    client.create(prompt(f"{PROMPT}\x15{PROMPT}"))
    assert client.api.prompts == client.api.prompts_doubled == (PROMPT,)


def test_the_final_usage_is_what_was_billed(connect: Connect) -> None:
    client = connect(Say("hello"))

    assert [billed(client.stream(prompt()))] == accounted(client.api)


def test_default_usage_tells_calls_and_kinds_apart() -> None:
    numbers = [
        count
        for call in range(1, 30)
        for usage in [usage_of_call(call)]
        for count in (usage.input_tokens, usage.output_tokens)
    ]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("is_error", [True, False])
def test_a_tool_runs_once_its_result_comes_back(
    connect: Connect, streamed: bool, is_error: bool
) -> None:
    tool_input = {"file_path": "/a.py", "content": 'é "x"\n'}
    client = connect(UseTool("Write", tool_input), Say("written"))
    send = client.stream if streamed else client.create

    asked = send(prompt())
    (block,) = asked.content
    assert block.type == "tool_use"
    assert (block.name, block.input, asked.stop_reason) == ("Write", tool_input, "tool_use")
    assert not client.api.tool_runs

    answer = send(with_result(asked, is_error=is_error))

    assert text_of(answer) == "written"
    (ran,) = client.api.tool_runs
    came, went = ran.returned_unix_nano, ran.asked_unix_nano
    assert 0 < went < came
    assert ran == ToolRun("Write", block.id, tool_input, not is_error, 0, 0, went, came)
    assert accounted(client.api) == [billed(asked), billed(answer)]


def test_an_observer_hears_of_a_tool_before_and_after(connect: Connect) -> None:
    heard: list[object] = []

    class Observer:
        def tool_asked(self, name: str, tool_input: Mapping[str, object]) -> None:
            heard.append(("asked", name, tool_input))

        def tool_ran(self, run: ToolRun) -> None:
            heard.append(run)

    client = connect(UseTool("Write", {"n": 1}), observer=Observer())
    asked = client.stream(prompt())
    assert heard == [("asked", "Write", {"n": 1})]
    client.stream(with_result(asked))
    client.stream(with_result(asked))
    assert heard == [("asked", "Write", {"n": 1}), *client.api.tool_runs]


def test_after_the_script_every_main_call_is_answered_done(connect: Connect) -> None:
    client = connect()
    assert [text_of(client.stream(prompt())) for _ in range(2)] == ["done", "done"]


def test_reminders_around_the_newest_turn_do_not_hide_it(connect: Connect) -> None:
    client = connect(Say("scripted"))
    reminder: MessageParam = {
        "role": "user",
        "content": "<system-reminder>be kind</system-reminder>",
    }
    assert text_of(client.stream([reminder, *prompt(), reminder])) == "scripted"


SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "isNew": {"type": "boolean"},
        "score": {"type": ["integer", "null"]},
        "kind": {"enum": ["first", "second"]},
        "version": {"const": 3},
        "parts": {"type": "array", "items": {"type": "string"}},
        "optional": {"type": "string"},
    },
    "required": ["title", "isNew", "score", "kind", "version", "parts"],
}
INSTANCE = {
    "title": "ok",
    "isNew": False,
    "score": 0,
    "kind": "first",
    "version": 3,
    "parts": [],
}


def _asked_for_a_title(client: Client) -> Message:
    return client.stream(prompt(), tools=[])


def _counting_with_tools(client: Client) -> Message:
    return client.create([{"role": "user", "content": "count"}])


def _subagent(client: Client) -> Message:
    return client.stream(prompt("You look for files. Report back."))


def _suggestion_fork(client: Client) -> Message:
    said: MessageParam = {"role": "assistant", "content": "done"}
    return client.stream([*prompt(), said, *prompt("[Suggest what the user may type next]")])


@pytest.mark.parametrize(
    "ask", [_asked_for_a_title, _counting_with_tools, _subagent, _suggestion_fork]
)
def test_an_auxiliary_call_is_answered_and_billed_outside_the_script(
    connect: Connect, ask: Callable[[Client], Message]
) -> None:
    client = connect(Fail(400, "for the main loop"), Say("scripted"))

    answer = ask(client)

    assert text_of(answer) == "ok"
    assert client.api.prompts == ()
    assert [call.auxiliary for call in client.api.calls] == [True]
    assert accounted(client.api) == [billed(answer)]
    # The script has not begun.
    with pytest.raises(anthropic.BadRequestError, match="for the main loop"):
        client.stream(prompt())
    assert text_of(client.stream(prompt())) == "scripted"


def test_an_auxiliary_call_gets_the_json_that_it_demands(connect: Connect) -> None:
    client = connect()
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    answer = client.create(prompt("title?"), tools=[], extra_body={"output_config": wanted})
    assert json.loads(text_of(answer)) == INSTANCE


def test_an_auxiliary_call_gets_the_tool_that_it_forces(connect: Connect) -> None:
    client = connect()
    answer = client.create(
        prompt("explain"),
        tools=[*TOOLS, {"name": "explain", "input_schema": SCHEMA}],
        tool_choice={"type": "tool", "name": "explain"},
    )
    (block,) = answer.content
    assert block.type == "tool_use"
    assert (block.name, block.input) == ("explain", INSTANCE)
    assert not client.api.tool_runs


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Fail(400, "no such thing"), anthropic.BadRequestError),
        (Fail(429, "slow down", "rate_limit_error", retry_after=7), anthropic.RateLimitError),
        (Fail(529, "Overloaded", "overloaded_error"), anthropic.APIStatusError),
    ],
)
def test_a_failure_looks_like_the_real_one_and_bills_nothing(
    connect: Connect, step: Fail, error: type[anthropic.APIStatusError]
) -> None:
    client = connect(step, Say("after"))

    with pytest.raises(error) as raised:
        client.stream(prompt())

    (call,) = client.api.calls
    assert raised.value.status_code == step.status
    assert raised.value.request_id == call.request_id
    body = raised.value.body
    assert isinstance(body, dict)
    assert body["error"] == {"type": step.type, "message": step.message}
    expected = None if step.retry_after is None else str(step.retry_after)
    assert raised.value.response.headers.get("retry-after") == expected
    assert (call.status, call.error_message) == (step.status, step.message)
    assert accounted(client.api) == [(0, 0, 0, 0)]
    assert text_of(client.stream(prompt())) == "after"


def test_a_client_that_retries_gets_through(connect: Connect) -> None:
    overloaded = Fail(529, "Overloaded", "overloaded_error", times=2, retry_after=0)
    client = connect(overloaded, Say("at last"), max_retries=2)
    assert text_of(client.stream(prompt())) == "at last"
    assert [call.status for call in client.api.calls] == [529, 529, 200]


def test_a_failure_for_good_never_ends(connect: Connect) -> None:
    client = connect(Fail(400, "never", times=None), Say("unreachable"))
    for _ in range(4):
        with pytest.raises(anthropic.BadRequestError):
            client.stream(prompt())
    assert text_of(client.stream(prompt(), tools=[])) == "ok"


def test_many_at_once_are_accounted_exactly(connect: Connect) -> None:
    client = connect(*[Say(f"step {number}") for number in range(20)])

    def ask(number: int) -> Message:
        return client.stream(prompt(), tools=TOOLS if number % 2 else [])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    said = sorted(text_of(answer) for answer in answers)
    assert said == sorted([f"step {number}" for number in range(20)] + ["ok"] * 20)
    assert sorted(accounted(client.api)) == sorted(billed(answer) for answer in answers)
    assert len({call.request_id for call in client.api.calls}) == 40


def test_token_counting_and_probes_are_answered_and_not_billed(connect: Connect) -> None:
    client = connect()
    counted = client.sdk.messages.count_tokens(model=MODEL, messages=prompt())
    assert counted.input_tokens > 0
    for method, path in [("HEAD", "/"), ("HEAD", "/v1/anything"), ("GET", "/")]:
        request = urllib.request.Request(client.api.base_url + path, method=method)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
    assert client.api.calls == ()
    assert client.api.unexpected == ()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/models?limit=5", None),
        ("POST", "/v1/complete", b"{}"),
        ("POST", "/v1/messages", b"not json"),
        ("POST", "/v1/messages", b"[1]"),
    ],
)
def test_what_is_not_scripted_is_recorded(
    connect: Connect, method: str, path: str, body: bytes | None
) -> None:
    client = connect(Say("kept"))
    request = urllib.request.Request(client.api.base_url + path, body, method=method)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    with raised.value as answer:
        assert answer.status == 404
    assert client.api.unexpected == (f"{method} {path.partition('?')[0]}",)
    assert text_of(client.create(prompt())) == "kept"


def test_the_headers_of_every_request_are_kept() -> None:
    with MessagesApi([], prompts=[PROMPT]) as api:
        for path in ("/", "/elsewhere"):
            request = urllib.request.Request(api.base_url + path, headers={"X-Told": path})
            with ExitStack() as stack:
                if path != "/":
                    stack.enter_context(pytest.raises(urllib.error.HTTPError))
                urllib.request.urlopen(request).close()
    assert [headers["x-told"] for headers in api.headers] == ["/", "/elsewhere"]


def test_closing_ends_the_thread_with_a_client_still_connected() -> None:
    def threads() -> int:
        return len([t for t in threading.enumerate() if t.name.startswith("loopback-http")])

    with ExitStack() as stack:
        with MessagesApi([Say("hi")], prompts=[PROMPT]) as api:
            sdk = anthropic.Anthropic(base_url=api.base_url, api_key="none", max_retries=0)
            client = Client(api, stack.enter_context(sdk))
            client.stream(prompt())
            assert threads() == 1
        assert threads() == 0
        with pytest.raises(anthropic.APIConnectionError):
            client.stream(prompt())
    assert len(api.calls) == 1


def test_closing_at_once_ends_the_thread() -> None:
    before = threading.active_count()
    with MessagesApi([], prompts=[PROMPT]):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_script_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="empty prompt"):
        MessagesApi([], prompts=[" "])
    with pytest.raises(ValueError, match="400 to 599"):
        Fail(200, "fine")
    with pytest.raises(ValueError, match="at least 1"):
        Fail(400, "never", times=0)


def test_over_tls_it_notes_which_certificates_it_was_shown(tmp_path: Path) -> None:
    asking = certificates.server("127.0.0.1", asks=True)
    folder = certificates.Folder(tmp_path / "certificates")
    client = ssl.create_default_context(cafile=folder.authority_of(certificates.OURS))
    with MessagesApi([], prompts=[PROMPT], tls=asking.context()) as api:
        assert api.base_url.startswith("https://")
        with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
            urllib.request.urlopen(api.base_url, context=client).close()
        assert api.certificates == set()
        client.load_cert_chain(folder.certificate("somebody"), folder.key("somebody"))
        urllib.request.urlopen(api.base_url, context=client).close()
    assert api.certificates == {"somebody"}
