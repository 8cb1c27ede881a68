"""Drive the subject at a pseudo-terminal: type prompts, answer dialogs, read the screen, leave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..clock import monotonic_s
from ..errors import SubjectError
from .binary import Binary
from .dialogs import ESCAPE, Choice, Dialog, dialog, is_menu, prompt_line
from .process import Completed, ProcessGroups
from .sandbox import FAKE_API_KEY, Sandbox
from .terminal import COLUMNS, PRESS_AGAIN_S, Terminal

#: Named for releases that start in auto mode: there a model would decide, not a person.
ARGUMENTS = ("--permission-mode", "default")

_CLEAR_LINE = "\x15"
_END_OF_INPUT = "\x04"
_ENTER = "\r"
_SHIFT_TAB = "\x1b[Z"
_ONCE_MORE = "again to exit"


@dataclass(frozen=True, slots=True)
class Type:
    """Type a prompt and submit it; it must fit on one line of the screen."""

    prompt: str

    def __post_init__(self) -> None:
        if len(self.prompt) > COLUMNS - 10 or not self.prompt.isprintable():
            raise ValueError(f"a typed prompt must fit on one line: {self.prompt!r}")


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """Wait for a permission prompt and answer it.

    ``asks`` is a text that the dialog of every release shows, in its question or above it: a
    file, a command. Two prompts in a row must not show exactly the same.
    """

    choice: Choice
    asks: str


@dataclass(frozen=True, slots=True)
class See:
    """Wait until ``text`` is on the screen."""

    text: str


@dataclass(frozen=True, slots=True)
class SwitchMode:
    """Go on to the next permission mode (Shift+Tab), until the screen shows ``shown``."""

    shown: str


@dataclass(frozen=True, slots=True)
class Distrust:
    """Wait for the question whether the folder is trusted, and decline: that ends the session."""


Act = Type | AnswerPrompt | See | SwitchMode | Distrust

#: Of every release's question and options.
_TRUST = re.compile(r"\btrust\b.*Yes, .*\btrust\b", re.DOTALL)


class Witness:
    """Functions that ask the fake API what it has received, to see whether a key took effect."""

    def __init__(
        self, prompts: Callable[[], Sequence[str]], steps_heard: Callable[[], int]
    ) -> None:
        self.prompts = prompts
        #: How many requests of the main loop have come in.
        self.steps_heard = steps_heard


def skip_onboarding(sandbox: Sandbox) -> None:
    """Write ``~/.claude.json`` so that a session starts without theme, key and trust dialogs."""
    path = sandbox.home / ".claude.json"
    state = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    project = {
        "hasTrustDialogAccepted": True,
        "hasCompletedProjectOnboarding": True,
        "allowedTools": [],
    }
    state |= {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "numStartups": 5,
        "customApiKeyResponses": {"approved": [FAKE_API_KEY[-20:]], "rejected": []},
    }
    projects = state.setdefault("projects", {})
    projects[str(sandbox.work)] = project | projects.get(str(sandbox.work), {})
    path.write_text(json.dumps(state), encoding="utf-8")


def run_interactive(
    binary: Binary,
    sandbox: Sandbox,
    acts: Sequence[Act],
    *,
    api_url: str,
    witness: Witness,
    answered: Callable[[Choice], None],
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = ARGUMENTS,
    deadline_s: float = 60.0,
    groups: ProcessGroups | None = None,
) -> Completed:
    """Run one session through ``acts``, then leave it by the end of input (Ctrl-D).

    ``answered`` is called with each answer before the key is pressed. The last screen is
    the ``stdout`` of the result. Raises SubjectError, with the screen, if the
    session shows something else than the acts expect.
    """
    skip_onboarding(sandbox)
    environment = sandbox.env(
        {"TERM": "xterm-256color", **(env or {})},
        api_url=api_url,
        path_entries=binary.path_entries,
    )
    with Terminal(
        [*_absolute(binary.argv), *args],
        cwd=sandbox.work,
        env=environment,
        deadline_s=deadline_s,
        groups=groups,
        cell=sandbox.cell,
    ) as terminal:
        person = _Person(terminal, witness, answered)
        for act in acts:
            person.do(act)
        if not terminal.ended:
            person.leave()
        return terminal.completed()


class _Person:
    def __init__(
        self, terminal: Terminal, witness: Witness, answered: Callable[[Choice], None]
    ) -> None:
        self._terminal = terminal
        self._witness = witness
        self._answered = answered
        #: The prompt that was typed last.
        self._typed = ""

    def do(self, act: Act) -> None:
        match act:
            case Type():
                self._type(act.prompt)
            case AnswerPrompt():
                self._answer(act)
            case Distrust():
                terminal = self._terminal
                terminal.until(
                    lambda: _TRUST.search(terminal.text), "the question whether a folder is trusted"
                )
                terminal.press(
                    ESCAPE, lambda: terminal.ended, "the end of the session", again=lambda: ESCAPE
                )
            case SwitchMode():
                self._ready()
                self._terminal.press(
                    _SHIFT_TAB,
                    lambda: act.shown in self._terminal.text,
                    f"the permission mode {act.shown!r}",
                )
            case See():
                self._terminal.until(
                    lambda: act.text in self._terminal.text, f"the text {act.text!r}"
                )

    def leave(self) -> None:
        """Leave the session by Ctrl-D, twice: after the first the CLI asks for the second."""
        self._ready()
        terminal = self._terminal
        terminal.press(
            _END_OF_INPUT,
            lambda: terminal.ended or _ONCE_MORE in terminal.text,
            f"{_ONCE_MORE!r} or the end of the session",
            again=lambda: self._after_clearing(_END_OF_INPUT),
        )
        terminal.press(_END_OF_INPUT, lambda: terminal.ended, "the end of the session")

    def _ready(self) -> None:
        """Wait for the input line, and close a menu that covers it.

        A dialog on a busy machine may be dismissed by a second Esc; if that one arrives late, it
        opens a menu.
        """
        terminal = self._terminal
        while terminal.until(
            lambda: self._prompt_line() is not None or is_menu(terminal.lines), "the input line"
        ) and is_menu(terminal.lines):
            terminal.press(
                ESCAPE,
                lambda: not is_menu(terminal.lines),
                "the end of a menu",
                again=lambda: ESCAPE if is_menu(terminal.lines) else "",
            )

    def _type(self, prompt: str) -> None:
        self._ready()
        terminal = self._terminal
        self._typed = prompt
        while self._typed_twice(prompt):
            # What was taken for ignored may still be on its way.  Keys are taken in their
            # order: once the line is empty, nothing is.
            terminal.press(
                _CLEAR_LINE,
                lambda: (line := self._prompt_line()) is not None and prompt not in line,
                "an empty input line",
            )
        terminal.press(
            _ENTER,
            lambda: prompt in self._witness.prompts() or self._prompt_line() != prompt,
            f"the prompt {prompt!r} on its way",
        )

    def _typed_twice(self, prompt: str) -> bool:
        """Type ``prompt`` until the input line shows it; say whether it had to be repeated."""
        twice = False

        def again() -> str:
            nonlocal twice
            twice = True
            return self._after_clearing(prompt)

        self._terminal.press(
            prompt,
            lambda: self._prompt_line() == prompt,
            f"the input line with {prompt!r}",
            again=again,
        )
        return twice

    def _answer(self, act: AnswerPrompt) -> None:
        terminal = self._terminal

        def asked() -> Dialog | None:
            shown = dialog(terminal.lines)
            if shown is None or act.asks not in f"{shown.context}\n{shown.question}":
                return None
            return shown

        question = terminal.until(asked, f"a permission prompt that asks {act.asks!r}")
        key = question.key(act.choice)
        if key is None:
            raise SubjectError(
                f"{question.question!r} does not offer {act.choice.name}", output=terminal.text
            )
        heard = self._witness.steps_heard()
        self._answered(act.choice)

        def taken() -> bool:
            # An accepted tool runs, and the API hears of it; after a rejection the CLI
            # waits for the person.  That the dialog is gone proves nothing: a screen is
            # drawn piece by piece.
            if act.choice.accepts:
                return self._witness.steps_heard() > heard
            return self._prompt_line() is not None

        terminal.press(
            key,
            taken,
            f"the end of {question.question!r}",
            whole=not act.choice.accepts,
            again=lambda: self._insist(question, key, heard),
        )
        terminal.until(lambda: not self._still_shows(question), f"the end of {question.question!r}")

    def _insist(self, question: Dialog, key: str, heard: int) -> str:
        """Return the keys to press if ``key`` had no effect.

        As long as the API has received nothing more, a question with this text is the same
        one, even if what is shown above it was drawn later. In some releases the key only
        moves the marker, to an option whose text can be edited.
        """
        if is_menu(self._terminal.lines):
            return ESCAPE
        shown = dialog(self._terminal.lines)
        if shown != question or self._witness.steps_heard() > heard:
            return ""
        return _ENTER if shown.marked == key else key

    def _after_clearing(self, keys: str) -> str:
        """Empty the input line, if it shows what was typed, and return ``keys``.

        An empty line may show a hint instead, which cannot be removed: keys for that would only be
        in the way. A release that reads them together with a text takes both for a pasted one.
        """
        before = self._prompt_line()
        if before and (before in self._typed or (self._typed and self._typed in before)):
            self._terminal.send(_CLEAR_LINE)
            end_s = monotonic_s() + PRESS_AGAIN_S
            self._terminal.until(
                lambda: self._prompt_line() != before or monotonic_s() > end_s,
                "an empty input line",
            )
        return keys

    def _still_shows(self, answered: Dialog) -> bool:
        """Say whether the answered question is on the screen, and not another with its text."""
        shown = dialog(self._terminal.lines)
        return shown is not None and shown == answered and shown.context == answered.context

    def _prompt_line(self) -> str | None:
        return prompt_line(self._terminal.lines)


def _absolute(argv: Sequence[str]) -> list[str]:
    first, *rest = argv
    return [str(Path(first).absolute()), *rest]
