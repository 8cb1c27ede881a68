"""What stands on the screens of releases (``screens/``), and on older and half-drawn ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.subject.dialogs import ESCAPE, Choice, Dialog, dialog, prompt_line

SCREENS = Path(__file__).parent / "screens"

WRITE = {Choice.YES: "1", Choice.YES_FOR_THE_SESSION: "2", Choice.NO: "3"}
BASH = {Choice.YES: "1", Choice.YES_AND_NEVER_ASK_AGAIN: "2"}

#: name of the screen -> question, something that stands above it, what each key means.
KNOWN = {
    "2.1.31-write": ("Do you want to create a.py?", "a.py", WRITE),
    "2.1.330-write": ("Do you want to create a.py?", "a.py", WRITE),
    "2.1.31-bash": (
        "Do you want to proceed?",
        "gh pr create --title a --body b",
        BASH | {Choice.NO: "3"},
    ),
    "2.1.330-bash": (
        "Do you want to proceed?",
        "gh pr create --title a --body b",
        BASH | {Choice.NO: "4"},
    ),
}

BOXED = """\
> Clean up

╭──────────────────────────────────────────────────────────────╮
│ Bash command                                                 │
│                                                              │
│   rm -r build                                                │
│                                                              │
│ Do you want to proceed?                                      │
│ > 1. Yes                                                     │
│   2. Yes, and don't ask again for rm commands in /x/work     │
│   3. No, and tell Claude what to do differently (esc)        │
╰──────────────────────────────────────────────────────────────╯
"""

RULE = "─" * 140


def lines_of(name: str) -> list[str]:
    return (SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


OPEN = lines_of("2.1.330-write")


def found_on(lines: list[str]) -> Dialog:
    found = dialog(lines)
    assert found is not None
    return found


def test_every_screen_is_known() -> None:
    assert {path.stem for path in SCREENS.iterdir()} == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_the_dialog_of_a_release_is_read(name: str) -> None:
    question, above, keys = KNOWN[name]
    found = found_on(lines_of(name))
    assert found.question == question
    assert above in found.context.splitlines()
    assert found.marked == "1"
    assert "Write it down" not in found.context, "what stands above the dialog is none of it"
    assert {choice: key for choice in Choice if (key := found.key(choice))} == {
        **keys,
        Choice.DISMISS: ESCAPE,
    }
    assert prompt_line(lines_of(name)) is None


def test_what_an_option_says_beside_its_meaning_is_kept() -> None:
    options = dict(found_on(lines_of("2.1.330-bash")).options)
    assert options["3"] == "Yes, and switch to auto mode · auto mode handles these prompts for you"
    assert len(options) == 4


@pytest.mark.parametrize("name", KNOWN)
def test_a_dialog_is_read_whole_or_not_at_all(name: str) -> None:
    text = "\n".join(lines_of(name))
    whole = found_on(text.splitlines())
    start = text.index("Do you want")
    for length in range(start, len(text)):
        found = dialog(text[:length].splitlines())
        assert found in (None, whole)
        if found is not None:
            assert "Esc" in text[start:length]


def test_a_box_of_older_releases_is_read() -> None:
    found = found_on(BOXED.splitlines())
    assert found.question == "Do you want to proceed?"
    assert found.context.split("\n") == ["Bash command", "", "rm -r build", ""]
    assert found.options == (
        ("1", "Yes"),
        ("2", "Yes, and don't ask again for rm commands in /x/work"),
        ("3", "No, and tell Claude what to do differently (esc)"),
    )
    assert found.marked == "1"
    assert found.key(Choice.NO) == "3"
    assert found.key(Choice.YES_FOR_THE_SESSION) is None


def test_the_lowest_question_counts() -> None:
    before = lines_of("2.1.31-write")
    found = found_on([*before, "● Done", *lines_of("2.1.330-bash")])
    assert found == found_on(lines_of("2.1.330-bash"))
    assert "a.py" not in found.context


def test_the_mark_tells_what_enter_would_choose() -> None:
    lines = [line.replace("❯ 1.", "  1.").replace("  2.", "❯ 2.") for line in OPEN]
    assert (found_on(OPEN).marked, found_on(lines).marked) == ("1", "2")
    assert found_on([line.replace("❯", " ") for line in OPEN]).marked == ""
    assert found_on(OPEN) == found_on(lines)


def test_a_question_without_options_is_no_dialog() -> None:
    said = ["● Do you want to know more?", "", RULE, "❯ ", RULE, "  esc to interrupt"]
    assert dialog(said) is None
    assert prompt_line(said) == ""
    assert dialog([]) is None


def test_dialogs_are_the_same_whatever_is_drawn_above() -> None:
    question, options = "Do you want to proceed?", (("1", "Yes"),)
    assert Dialog(question, options, "one command") == Dialog(question, options, "")
    assert Dialog(question, options, marked="1") == Dialog(question, options, marked="2")
    assert Dialog(question, options) != Dialog(question, (("1", "No"),))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Yes", Choice.YES),
        ("Yes, allow all edits during this session (shift+tab)", Choice.YES_FOR_THE_SESSION),
        ("Yes, allow all edits in src/ during this session", Choice.YES_FOR_THE_SESSION),
        ("Yes, and don't ask again for rm commands in /x", Choice.YES_AND_NEVER_ASK_AGAIN),
        ("Yes, and don’t ask again for: rm *", Choice.YES_AND_NEVER_ASK_AGAIN),
        ("Yes, and switch to auto mode", None),
        ("No", Choice.NO),
        ("No, and tell Claude what to do differently (esc)", Choice.NO),
        ("Not now", None),
    ],
)
def test_an_option_means_one_choice_at_most(words: str, meant: Choice | None) -> None:
    offered = Dialog("Do you want to proceed?", (("7", words),))
    meanings = [c for c in Choice if c is not Choice.DISMISS and offered.key(c) == "7"]
    assert meanings == ([] if meant is None else [meant])


def test_each_choice_has_the_documented_source() -> None:
    assert {(choice.source, choice.accepts) for choice in Choice} == {
        ("user_temporary", True),
        ("user_permanent", True),
        ("user_reject", False),
        ("user_abort", False),
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["❯ earlier", "● done", RULE, "❯ ", RULE, "  ? for shortcuts"], ""),
        (["❯ earlier", "● done", RULE, "❯", RULE], ""),
        (["❯ earlier", RULE, "❯ now this", RULE], "now this"),
        (["❯ earlier", RULE, "❯\N{NO-BREAK SPACE}now this", RULE], "now this"),
        (["> earlier", "╭──────────╮", "│ > now    │", "╰──────────╯"], "now"),
        (["> earlier", "╭──────────╮", "│ >        │", "╰──────────╯"], ""),
        (["● 3 > 2", "  a > b", "❯nothing"], None),
        (["❯ 1. Yes", "> 2. No"], None),
        (["❯ earlier", RULE, " Do you want to proceed?", " ❯ 1. Yes", "   2. No"], None),
        (
            [RULE, " Rewind", "   hello", " ❯ (current)", " Enter to continue · Esc to exit", ""],
            None,
        ),
        ([], None),
    ],
)
def test_the_input_line_is_told_from_the_history(lines: list[str], expected: str | None) -> None:
    assert prompt_line(lines) == expected


def test_a_dialog_takes_the_place_of_the_input_line() -> None:
    assert prompt_line(BOXED.splitlines()) is None
    assert prompt_line([*BOXED.splitlines()[:2], RULE, "❯ hello", RULE]) == "hello"
