"""What is private about a run, and the words that make it findable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from harness.capture.run import A_PART, Secret
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.otlp.model import Protocol
from harness.running.scenario import Scenario, Until
from harness.running.secrets import is_special, secrets_of, unique_word, with_words
from harness.running.stage import opened
from harness.subject.interactive import See, Type
from harness.subject.sandbox import FAKE_API_KEY, HOST_NAME, USER_NAME

LONG = "A sentence that nobody else says."


def scenario(**fields: Any) -> Scenario:
    return Scenario("made", "Made.", **{"prompt": "Count on.", **fields})


def secrets(made: Scenario, environment: Mapping[str, str] = {}, **files: str) -> set[Secret]:
    with opened(made.backends, Protocol.HTTP_JSON) as stage:
        for name, text in files.items():
            path = stage.home / ".claude" / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        steps = [step for step in made.steps(stage.work) if not isinstance(step, Until)]
        return set(secrets_of(made, stage, environment, made.args, steps))


def of(kind: str, found: set[Secret]) -> set[str]:
    return {secret.text for secret in found if secret.kind == kind}


def steps_of(made: Scenario, protocol: Protocol = Protocol.GRPC) -> list[Step | Until]:
    with opened(made.backends, protocol) as stage:
        return list(with_words(made, protocol).steps(stage.work))


# --- words


def test_words_are_letters_that_no_hexadecimal_number_has() -> None:
    words = {unique_word("a", str(n)) for n in range(100)}
    assert len(words) == 100
    for word in words:
        assert word.startswith("zq")
        assert not set(word) & set("0123456789abcdef")


def test_each_run_has_prompts_of_its_own() -> None:
    made = scenario(prompt="", prompts=("One.", "Two."))
    runs = [with_words(made, protocol).prompts for protocol in Protocol]
    assert len({prompt for prompts in runs for prompt in prompts}) == 6
    for first, second in runs:
        assert first.startswith("One. (zq")
        assert second.startswith("Two. (zq")


def test_what_is_typed_gets_a_word_and_what_is_seen_does_not() -> None:
    made = with_words(scenario(prompt="", acts=(Type("Go."), See("Gone."))), Protocol.GRPC)
    typed, seen = made.acts
    assert isinstance(typed, Type)
    assert typed.prompt.startswith("Go. (zq")
    assert seen == See("Gone.")


def test_answers_files_and_commands_get_words() -> None:
    fail = Fail(400, "scripted")
    write = UseTool("Write", {"file_path": "/w/a.py", "content": "x = 1\n"})
    notebook = UseTool("Write", {"file_path": "/w/a.ipynb", "content": "{}"})
    commit = UseTool("Bash", {"command": "git commit --message 'Go on'"})
    forbidden = UseTool("Bash", {"command": "touch x"}, forbidden=True)
    script = (Say("Done."), write, notebook, commit, forbidden, fail)
    said, written, other, committed, *same = steps_of(scenario(script=script))
    assert isinstance(said, Say)
    assert said.text.startswith("Done. (zq")
    assert isinstance(written, UseTool)
    assert str(written.input["content"]).startswith("zq")
    assert str(written.input["content"]).endswith(" x = 1\n")
    assert isinstance(committed, UseTool)
    command = str(committed.input["command"])
    assert command.startswith("git commit --message 'Go on zq")
    assert " # zq" in command
    assert [other, *same] == [notebook, forbidden, fail]


def test_a_repeated_step_gets_a_word_too() -> None:
    until = Until(UseTool("Bash", {"command": "true"}), lambda _: True)
    (step,) = steps_of(scenario(script=(until,)))
    assert isinstance(step, Until)
    assert str(step.step.input["command"]).startswith("true # zq")


def test_a_person_at_a_terminal_is_asked_about_the_bare_command() -> None:
    use = UseTool("Bash", {"command": "true"})
    assert steps_of(scenario(prompt="", acts=(Type("Go."),), script=(use,))) == [use]


def test_what_has_a_canary_and_what_is_drawn_stays() -> None:
    with_canary = scenario(prompt="Keep zqcanary.", canaries={"prompt": "zqcanary"})
    assert with_words(with_canary, Protocol.GRPC).prompt == "Keep zqcanary."
    drawn = scenario(drawn=True)
    assert with_words(drawn, Protocol.GRPC) is drawn


# --- secrets


def test_a_key_a_folder_and_the_names_are_in_every_run() -> None:
    for drawn in (False, True):
        found = secrets(scenario(drawn=drawn))
        assert Secret("api_key", FAKE_API_KEY, A_PART) in found
        assert Secret("user_name", USER_NAME, A_PART) in found
        assert Secret("host_name", HOST_NAME, A_PART) in found
        (folder,) = of("folder", found)
        assert folder.startswith("cc-otel-")


def test_an_ordinary_text_is_no_secret_and_its_word_is() -> None:
    assert of("prompt", secrets(scenario())) == set()
    named = with_words(scenario(), Protocol.GRPC)
    assert {len(text) for text in of("prompt", secrets(named))} == {12, len(named.prompt)}


def test_prompts_answers_and_tools_are_secrets() -> None:
    script = (
        UseTool("Write", {"content": f"written {LONG}"}),
        UseTool("Edit", {"old_string": f"old {LONG}", "new_string": f"new {LONG}"}),
        UseTool("NotebookEdit", {"new_source": f"cell {LONG}"}),
        UseTool("Bash", {"command": f"git commit --message 'message {LONG}'"}),
        UseTool("Task", {"prompt": f"task {LONG}"}),
        Say(f"answer {LONG}"),
    )
    found = secrets(scenario(prompt=LONG, script=script, files={"a.txt": f"read {LONG}"}))
    assert of("prompt", found) == {LONG}
    assert of("answer", found) == {f"answer {LONG}"}
    assert of("written_content", found) == {f"written {LONG}"}
    assert of("replaced_content", found) == {f"old {LONG}"}
    assert of("edited_content", found) == {f"new {LONG}", f"cell {LONG}"}
    assert of("command", found) == {f"git commit --message 'message {LONG}'"}
    assert of("commit_message", found) == {f"message {LONG}"}
    assert of("subagent_prompt", found) == {f"task {LONG}"}
    assert of("read_content", found) == {f"read {LONG}"}


def test_credentials_come_from_the_environment_and_from_settings() -> None:
    inside = json.dumps({"env": {"CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": "open sesame"}})
    found = secrets(
        scenario(),
        {"ANTHROPIC_API_KEY": "sk-other-key", "CLAUDE_CODE_OAUTH_TOKEN": "oat-token"},
        settings=inside,
    )
    assert of("api_key", found) == {FAKE_API_KEY, "sk-other-key"}
    assert of("login_token", found) == {"oat-token"}
    assert of("key_passphrase", found) == {"open sesame"}


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"env": 1}'])
def test_broken_settings_hold_nothing(broken: str) -> None:
    assert secrets(scenario(), settings=broken)


def test_header_values_tell_where_they_are_sent() -> None:
    found = secrets(
        scenario(),
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20abc1,x-level=managed,x-c=my-key",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x-a=one-two-three",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-b=one-two-three",
        },
    )
    assert {secret for secret in found if secret.kind == "collector_header"} == {
        Secret("collector_header", "Bearer abc1", A_PART, ("* header authorization",)),
        Secret(
            "collector_header",
            "one-two-three",
            0,  # parts of plain words are in other texts, too
            ("metrics header x-a", "logs header x-b"),
        ),
    }


@pytest.mark.parametrize(
    "name", ["root", "runner", "localhost", "vm", "v1", "environment", "command_line", "0000000000"]
)
def test_ordinary_names(name: str) -> None:
    assert not is_special(name)


@pytest.mark.parametrize("name", ["fv-az123-456", "adas-macbook.local", "open sesame"])
def test_special_names(name: str) -> None:
    assert is_special(name)
