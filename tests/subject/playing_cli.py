"""Plays the interactive CLI: an input line, permission prompts, Ctrl-D twice.

``ANTHROPIC_BASE_URL`` says where the model is.  Of its arguments it takes ``--allow=TOOL``
(nobody is asked), ``--deaf=N`` (the first N keys are not heard), ``--ignore=N`` (nor are
the first N at each question), ``--busy=N`` (it takes its time before it hears the first key,
and after N keys), ``--late`` (what a tool will do is drawn only then),
``--mark`` (a number only moves the mark, Enter chooses) ``--die`` (it ends when a
question is answered), ``--twice``
(keys that were heard late make one message of a prompt and the same again), ``--lacking`` (it has
no tool that it is asked for) and ``--menu`` (after a question a second Esc arrives, which opens a
menu).
"""

from __future__ import annotations

import json
import os
import sys
import time
import tty
import urllib.request
from collections.abc import Iterator
from typing import Any

OPTIONS = ("Yes", "Yes, and don't ask again for this", "No")
RULE = "─" * 60
#: Long enough for a driver to lose patience.
BUSY_S = 0.6
URL = f"{os.environ['ANTHROPIC_BASE_URL']}/v1/messages"
GIVEN = dict(each[2:].partition("=")[::2] for each in sys.argv if each.startswith("--"))

transcript = [f"TERM={os.environ['TERM']} {sys.argv[1:]}"]
messages: list[dict[str, Any]] = []


def draw(*below: str) -> None:
    text = "\r\n".join([*transcript, RULE, *below])
    os.write(1, f"\x1b[2J\x1b[H{text}".encode())


def keys() -> Iterator[str]:
    deaf = int(GIVEN.get("deaf", 0))
    until_pause = int(GIVEN.get("busy", 0))
    if until_pause:
        time.sleep(BUSY_S)
    while True:
        for key in os.read(0, 1024).decode():
            if until_pause == 0 and "busy" in GIVEN:
                time.sleep(BUSY_S)
            until_pause -= 1
            if deaf:
                deaf -= 1
            else:
                yield key


def say(role: str, *blocks: dict[str, Any]) -> None:
    messages.append({"role": role, "content": list(blocks)})


def ask_the_model() -> dict[str, Any]:
    tools = [{"name": "Bash"}]
    body = {"model": "m", "max_tokens": 100, "messages": messages, "tools": tools}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(URL, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        (block,) = json.load(answer)["content"]
    said: dict[str, Any] = block
    say("assistant", said)
    return said


def permitted(tool: dict[str, Any], heard: Iterator[str]) -> bool:
    if tool["name"] == GIVEN.get("allow"):
        return True
    ignored = int(GIVEN.get("ignore", 0))
    marked = "1"
    while True:
        options = [
            f" {'❯' if str(number) == marked else ' '} {number}. {words}"
            for number, words in enumerate(OPTIONS, 1)
        ]
        about = f" {json.dumps(tool['input'])}"
        late = " …" if "late" in GIVEN and ignored else " the whole of it"
        draw(
            f" {tool['name']}", about, late, " Do you want to proceed?", *options, " Esc to cancel"
        )
        key = next(heard)
        if ignored:
            ignored -= 1
            continue
        if key == "\r":
            key = marked
        elif key in "123" and "mark" in GIVEN:
            marked = key
            continue
        if key in "123\x1b":
            if "die" in GIVEN:
                sys.exit("I am gone")
            return key in "12"


def turn(prompt: str, heard: Iterator[str]) -> None:
    transcript.append(f"❯ {prompt}")
    said = prompt + "\x15" + prompt if "twice" in GIVEN else prompt
    say("user", {"type": "text", "text": said})
    while (block := ask_the_model())["type"] == "tool_use":
        result = {"type": "tool_result", "tool_use_id": block["id"], "content": ""}
        if "lacking" in GIVEN:
            no_tool = f"Error: No such tool available: {block['name']}"
            say("user", result | {"content": no_tool, "is_error": True})
            continue
        if not permitted(block, heard):
            transcript.append(f"● {block['name']} was rejected")
            say("user", result | {"is_error": True})
            return
        transcript.append(f"● {block['name']} was run")
        say("user", result)
    transcript.append(f"● {block['text']}")


def choose(heard: Iterator[str]) -> None:
    """Show a menu as releases do, until Esc closes it."""
    while True:
        draw(
            "  Rewind",
            "",
            "    a prompt",
            "  ❯ (current)",
            "",
            "  Enter to continue · Esc to cancel",
        )
        if next(heard) == "\x1b":
            return


def main() -> None:
    tty.setraw(0)
    typed, leaving = "", False
    heard = keys()
    draw(f"❯ {typed}")
    for key in heard:
        if key == "\x04" and leaving:
            return
        leaving = key == "\x04"
        if key == "\r":
            turn(typed, heard)
            typed = ""
            if "menu" in GIVEN:
                choose(heard)
        elif key == "\x15":
            typed = ""
        elif key.isprintable():
            typed += key
        draw(f"❯ {typed}", RULE, "Press Ctrl-D again to exit" if leaving else "")


main()
