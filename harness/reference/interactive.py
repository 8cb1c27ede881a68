"""A session at a terminal: an input line, permission prompts, a short transcript.

The whole screen is redrawn at each change. That is simple, and a question
that was answered disappears.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from . import keyboard, session, tools
from .client import ToolUse
from .keyboard import Activity, Keyboard
from .permissions import Reply, Rule

_CLEAR = "\x1b[H\x1b[2J"
_RULE = "─" * 60
_INPUT = "❯ "
#: What stands below the input line in other modes than the usual one.
_MODES = {"acceptEdits": "⏵⏵ accept edits on", "plan": "⏸ plan mode on"}

_ONCE_MORE = "Press Ctrl-D again to exit"

#: Lines below the transcript that are kept free for a question.
_RESERVED_ROWS = 30

#: Lines of a tool's arguments that a question shows.
_SHOWN_LINES = 15

_FILE_QUESTIONS = {
    "Write": "Do you want to create {name}?",
    "Edit": "Do you want to make this edit to {name}?",
    "NotebookEdit": "Do you want to make this edit to {name}?",
}


def run(options: session.Options, environ: Mapping[str, str], folder: Path) -> int:
    """Run a session until its end of input; return the exit code.

    Raises :class:`harness.errors.UsageError` for settings that cannot be followed.
    """
    with keyboard.raw(sys.stdin.fileno()) as keys:
        person = _Person(keys)
        if not _is_trusted(folder, environ) and not person.trusts(folder):
            return 1
        with session.opened(options, environ, folder, ask=person.decide) as (loop, reporter):
            try:
                while (prompt := person.prompt(loop.switch_mode)) is not None:
                    turn = loop.turn(prompt)
                    reporter.active(person.active_s(), "user")
                    person.say(turn.text)
            except KeyboardInterrupt:
                return 130
            finally:
                person.leave()
    return 0


class _Person:
    """The person at the terminal: what they are shown, and what they type and answer."""

    def __init__(self, keys: Keyboard) -> None:
        self._keys = keys
        self._transcript: list[str] = []
        self._active_s = 0.0

    def active_s(self) -> float:
        """Return the seconds that they typed and answered since the last call."""
        seconds, self._active_s = self._active_s, 0.0
        return seconds

    def say(self, text: str) -> None:
        self._transcript += ["", *text.splitlines()]

    def prompt(self, switch_mode: Callable[[], str]) -> str | None:
        """Return the next prompt, or None at the end of input.

        ``switch_mode`` goes on to the next permission mode, and returns it.
        """
        self._keys.forget()
        activity = Activity()
        line, hint = "", ""
        while True:
            if not self._keys.waiting:
                self._draw(hint, _RULE, f"{_INPUT}{line}")
            key = self._keys.key()
            if key == keyboard.END_OF_INPUT:
                if hint == _ONCE_MORE:
                    return None
                hint = _ONCE_MORE
                continue
            hint = ""
            activity.sign_of_life()
            if key in keyboard.ENTER:
                if line.strip():
                    break
            elif key == keyboard.SHIFT_TAB:
                hint = _MODES.get(switch_mode(), "")
            elif key == keyboard.CLEAR_LINE:
                line = ""
            elif key in keyboard.RUBOUT:
                line = line[:-1]
            elif key.isprintable():
                line += key
        self._active_s += activity.seconds
        self.say(f"You: {line}")
        self._work()
        return line

    def decide(self, use: ToolUse) -> Reply:
        """Ask whether ``use`` may run, and return the answer."""
        lasting = Reply.YES_AND_NEVER_ASK_AGAIN
        offer = f"Yes, and don't ask again for: {Rule.of(use)}"
        if use.name in tools.EDIT_TOOLS:
            lasting = Reply.YES_FOR_THE_SESSION
            offer = "Yes, allow all edits during this session"
        replies = {
            "1": Reply.YES,
            "2": lasting,
            "3": Reply.NO,
            keyboard.ESCAPE: Reply.DISMISSED,
            keyboard.END_OF_INPUT: Reply.DISMISSED,
        }
        self._keys.forget()
        activity = Activity()
        activity.sign_of_life()
        options = (f"{_INPUT}1. Yes", f"  2. {offer}", "  3. No")
        self._draw(_RULE, *_asked(use), *options, "", "Esc to cancel")
        while (reply := replies.get(self._keys.key())) is None:
            activity.sign_of_life()
        activity.sign_of_life()
        self._active_s += activity.seconds
        accepted = reply not in (Reply.NO, Reply.DISMISSED)
        self.say(f"{use.name}: {'allowed' if accepted else 'not allowed'}")
        self._work()
        return reply

    def trusts(self, folder: Path) -> bool:
        """Ask whether the folder is trusted: nothing of its settings may be heard before."""
        options = (f"{_INPUT}1. Yes, I trust this folder", "  2. No, exit")
        self._draw(f"Is {folder} a project that you trust?", *options, "", "Esc to cancel")
        while (key := self._keys.key()) not in ("1", "2", keyboard.ESCAPE, keyboard.END_OF_INPUT):
            pass
        return key == "1"

    def leave(self) -> None:
        self._draw("")

    def _work(self) -> None:
        self._draw("", "Working…")

    def _draw(self, *below: str) -> None:
        """Draw the end of the transcript, the lines ``below`` it, and the cursor."""
        rows = shutil.get_terminal_size().lines
        above = self._transcript[-max(rows - _RESERVED_ROWS, 3) :]
        sys.stdout.write(_CLEAR + "\n".join([*above, *below]))
        sys.stdout.flush()


def _is_trusted(folder: Path, environ: Mapping[str, str]) -> bool:
    """Say whether somebody has trusted a folder, or it has no settings to be heard."""
    if not (folder / ".claude").is_dir():
        return True
    try:
        state = json.loads(Path(environ["HOME"], ".claude.json").read_text(encoding="utf-8"))
        return bool(state["projects"][str(folder)]["hasTrustDialogAccepted"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _asked(use: ToolUse) -> list[str]:
    """Return the lines of the permission prompt for ``use``, the last of which is the question."""
    question = "Do you want to proceed?"
    values = list(use.input.values())
    if use.name in _FILE_QUESTIONS:
        path, *_ = values or [""]
        question = _FILE_QUESTIONS[use.name].format(name=Path(str(path)).name)
    # A command or a text may have several lines itself.
    lines = [line for value in values for line in str(value).splitlines()]
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], "…"]
    return [use.name, *(f"  {line}" for line in lines), "", question]
