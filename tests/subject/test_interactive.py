"""A person at a terminal: with a program that plays the CLI, and with a real release."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SubjectError
from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import Say, Step, UseTool
from harness.subject import terminal
from harness.subject.binary import Binary
from harness.subject.dialogs import Choice
from harness.subject.interactive import (
    Act,
    AnswerPrompt,
    See,
    Type,
    Witness,
    run_interactive,
    skip_onboarding,
)
from harness.subject.process import Completed
from harness.subject.sandbox import FAKE_API_KEY, Sandbox

PLAYING = Path(__file__).parent / "playing_cli.py"
PROMPT = "Please do the day's work."
FIRST = UseTool("Bash", {"command": "touch first"})
SECOND = UseTool("Bash", {"command": "touch second"})


class Session:
    """One session against a scripted API, and what the driver said of it."""

    def __init__(self, sandbox: Sandbox, script: Sequence[Step], prompts: Sequence[str]) -> None:
        self.sandbox = sandbox
        self.answers: list[Choice] = []
        self.api = MessagesApi(script, prompts=prompts)

    def run(self, binary: Binary, *acts: Act, **options: Any) -> Completed:
        with self.api as api:
            return run_interactive(
                binary,
                self.sandbox,
                acts,
                api_url=api.base_url,
                witness=Witness(lambda: api.prompts, lambda: len(api.main_calls)),
                answered=self.answers.append,
                **options,
            )


@pytest.fixture
def session(sandbox: Sandbox) -> Callable[..., Session]:
    def make(*script: Step, prompts: Sequence[str] = (PROMPT,)) -> Session:
        return Session(sandbox, script, prompts)

    return make


@pytest.fixture
def binary() -> Binary:
    return Binary("test", (sys.executable, str(PLAYING)), str(PLAYING), "2.1.31")


Make = Callable[..., Session]


def test_a_session_is_typed_answered_read_and_left(session: Make, binary: Binary) -> None:
    again = "And once more, ü and 漢字?"
    made = session(FIRST, SECOND, FIRST, Say("It is done."), prompts=[PROMPT, again])

    done = made.run(
        binary,
        Type(PROMPT),
        AnswerPrompt(Choice.YES, "touch first"),
        AnswerPrompt(Choice.NO, "touch second"),
        Type(again),
        AnswerPrompt(Choice.YES_AND_NEVER_ASK_AGAIN, "touch first"),
        See("It is done."),
        args=("--some", "argument"),
    )

    assert (done.exit_code, done.timed_out) == (0, False)
    assert made.answers == [Choice.YES, Choice.NO, Choice.YES_AND_NEVER_ASK_AGAIN]
    assert made.api.prompts == (PROMPT, again)
    assert [run.ok for run in made.api.tool_runs] == [True, False, True]
    lines = [line for line in done.stdout.splitlines() if line.strip("─")]
    assert lines == [
        "TERM=xterm-256color ['--some', 'argument']",
        f"❯ {PROMPT}",
        "● Bash was run",
        "● Bash was rejected",
        f"❯ {again}",
        "● Bash was run",
        "● It is done.",
        "❯",
        "Press Ctrl-D again to exit",
    ]


def test_a_dismissed_question_is_a_rejection(session: Make, binary: Binary) -> None:
    made = session(FIRST, SECOND)
    done = made.run(binary, Type(PROMPT), AnswerPrompt(Choice.DISMISS, "touch first"))
    assert made.answers == [Choice.DISMISS]
    assert [step for _, step in made.api.tools_asked] == [FIRST]
    assert "Bash was rejected" in done.stdout


@pytest.mark.parametrize("choice", [Choice.DISMISS, Choice.YES])
def test_a_menu_that_a_late_key_opened_is_closed(
    session: Make, binary: Binary, choice: Choice
) -> None:
    """On a busy machine an Esc is pressed again, and both arrive: the second opens a menu."""
    made = session(FIRST, Say("done"), Say("more"), prompts=(PROMPT, "What now?"))
    asked = AnswerPrompt(choice, "touch first")
    done = made.run(binary, Type(PROMPT), asked, Type("What now?"), args=("--menu",))
    assert made.api.prompts == (PROMPT, "What now?")
    assert done.exit_code == 0
    assert "Rewind" not in done.stdout


def test_a_session_in_which_nothing_is_said_can_be_left(session: Make, binary: Binary) -> None:
    made = session()
    assert made.run(binary).exit_code == 0
    assert made.api.calls == ()


@pytest.mark.slow
@pytest.mark.parametrize("drawn", ["--ignore=2", "--late"])
@pytest.mark.parametrize("choice", [Choice.YES, Choice.NO])
def test_keys_that_were_not_heard_are_pressed_again(
    session: Make, binary: Binary, monkeypatch: pytest.MonkeyPatch, choice: Choice, drawn: str
) -> None:
    """Of the prompt the first letters are lost, and at the question the first keys."""
    monkeypatch.setattr(terminal, "PRESS_AGAIN_S", 0.2)
    made = session(FIRST, Say("It is done."))
    args = ("--deaf=3", "--ignore=2", drawn)
    made.run(binary, Type(PROMPT), AnswerPrompt(choice, "touch first"), args=args)
    assert made.api.prompts == (PROMPT,)
    assert made.answers == [choice], "told once, however often the key was pressed"
    assert len(made.api.main_calls) == (2 if choice.accepts else 1)


def test_a_prompt_that_was_heard_late_is_not_said_twice(
    session: Make, binary: Binary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first copy is drawn while the second one still waits to be read."""
    monkeypatch.setattr(terminal, "PRESS_AGAIN_S", 0.2)
    made = session(Say("It is done."))
    done = made.run(binary, Type(PROMPT), See("It is done."), args=(f"--busy={len(PROMPT)}",))
    assert f"❯ {PROMPT}\n" in re.sub(" +\n", "\n", done.stdout)


@pytest.mark.parametrize("choice", [Choice.YES_AND_NEVER_ASK_AGAIN, Choice.NO])
def test_an_option_that_was_only_marked_is_chosen(
    session: Make, binary: Binary, monkeypatch: pytest.MonkeyPatch, choice: Choice
) -> None:
    monkeypatch.setattr(terminal, "PRESS_AGAIN_S", 0.2)
    made = session(FIRST, Say("It is done."))
    made.run(binary, Type(PROMPT), AnswerPrompt(choice, "touch first"), args=("--mark",))
    assert made.answers == [choice]
    assert len(made.api.main_calls) == (2 if choice.accepts else 1)


def test_the_environment_and_the_default_arguments(session: Make, binary: Binary) -> None:
    done = session().run(binary, env={"TERM": "vt220"})
    assert done.stdout.startswith("TERM=vt220 ['--permission-mode', 'default']")


@pytest.mark.parametrize(
    ("acts", "waited_for"),
    [
        ([Type(PROMPT), AnswerPrompt(Choice.YES, "touch second")], "that asks 'touch second'"),
        ([Type(PROMPT), See("It is done.")], "the text 'It is done.'"),
        ([Type(PROMPT), Type("More.")], "the input line"),
        ([Type(PROMPT)], "the input line"),
        ([AnswerPrompt(Choice.YES, "touch first")], "a permission prompt"),
    ],
)
def test_another_screen_than_expected_is_shown(
    session: Make, binary: Binary, acts: list[Act], waited_for: str, expire: Callable[[str], None]
) -> None:
    made = session(FIRST)
    last = "touch first" if acts[0] == Type(PROMPT) else "❯"
    expire(last)
    with pytest.raises(SubjectError, match=rf"{waited_for}.*not seen within 300 s") as raised:
        made.run(binary, *acts, deadline_s=300)
    assert last in raised.value.output
    assert made.answers == []


def test_a_choice_that_is_not_offered_is_not_made(session: Make, binary: Binary) -> None:
    made = session(FIRST)
    with pytest.raises(SubjectError, match="does not offer YES_FOR_THE_SESSION") as raised:
        made.run(binary, Type(PROMPT), AnswerPrompt(Choice.YES_FOR_THE_SESSION, "touch first"))
    assert "touch first" in raised.value.output
    assert "3. No" in raised.value.output
    assert made.answers == []


@pytest.mark.parametrize("choice", [Choice.YES, Choice.NO])
def test_a_session_that_dies_is_quoted(session: Make, binary: Binary, choice: Choice) -> None:
    made = session(FIRST)
    acts = (Type(PROMPT), AnswerPrompt(choice, "touch first"))
    with pytest.raises(SubjectError, match="the session ended before") as raised:
        made.run(binary, *acts, args=("--die",))
    assert "I am gone" in raised.value.output


@pytest.mark.parametrize("prompt", ["two\nlines", "\x1b", "x" * terminal.COLUMNS])
def test_a_prompt_that_cannot_be_typed_is_refused(prompt: str) -> None:
    with pytest.raises(ValueError, match="fit on one line"):
        Type(prompt)


def seeds(sandbox: Sandbox) -> Any:
    return json.loads((sandbox.home / ".claude.json").read_text(encoding="utf-8"))


def test_onboarding_is_skipped(sandbox: Sandbox) -> None:
    skip_onboarding(sandbox)
    found = seeds(sandbox)
    assert found["hasCompletedOnboarding"] is True
    assert found["customApiKeyResponses"]["approved"] == [FAKE_API_KEY[-20:]]
    assert found["projects"][str(sandbox.work)]["hasTrustDialogAccepted"] is True


def test_what_was_in_the_settings_is_kept(sandbox: Sandbox) -> None:
    work = str(sandbox.work)
    before = {
        "oauthAccount": {"accountUuid": "an account"},
        "projects": {"/elsewhere": {"x": 1}, work: {"allowedTools": ["Bash"], "y": 2}},
    }
    (sandbox.home / ".claude.json").write_text(json.dumps(before), encoding="utf-8")
    skip_onboarding(sandbox)
    found = seeds(sandbox)
    assert found["oauthAccount"] == before["oauthAccount"]
    assert found["projects"]["/elsewhere"] == {"x": 1}
    assert found["projects"][work]["allowedTools"] == ["Bash"]
    assert found["projects"][work]["y"] == 2
    assert found["projects"][work]["hasTrustDialogAccepted"] is True
    skip_onboarding(sandbox)
    assert seeds(sandbox) == found


def test_a_release_takes_no_for_an_answer(release: Callable[[str], Binary], session: Make) -> None:
    made = session()
    path = made.sandbox.work / "unwanted.py"
    made.api = MessagesApi(
        [UseTool("Write", {"file_path": str(path), "content": "x = 1\n"}), Say("Never said.")],
        prompts=[PROMPT],
    )
    acts = (Type(PROMPT), AnswerPrompt(Choice.NO, "unwanted.py"))
    done = made.run(release("2.1.330"), *acts, deadline_s=300)
    assert (done.exit_code, done.timed_out) == (0, False), done.last_output
    assert made.answers == [Choice.NO]
    assert made.api.prompts == (PROMPT,)
    assert len(made.api.main_calls) == 1
    assert [step.name for _, step in made.api.tools_asked] == ["Write"]
    assert not path.exists()
    assert "unwanted.py" in done.stdout
