"""Give every run private texts of its own, and list them, so that they can be searched for.

A prompt like ``Count on.`` is found by nobody, for other telemetry may say the same. So each
prompt, answer, command and file of our own scenarios gets a word that only this run knows.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path, PurePath

from ..capture.export import Export
from ..capture.run import A_PART, Secret, run_label
from ..env_lists.pairs import read
from ..fakes.script import CutOff, Repeat, Say, Step, UseTool
from ..otlp.model import Protocol
from ..subject.interactive import Act, Type
from ..subject.sandbox import FAKE_API_KEY, HOST_NAME, USER_NAME
from .scenario import Earlier, Scenario, Until
from .stage import Stage

#: How many consecutive characters of a sentence or a line no other telemetry has by chance.
OF_A_TEXT = 16

#: So many different characters has a text that is more than filler.
_LETTERS_AT_LEAST = 5

_LETTERS = "ghijklmnopqrstuvwxyz"
_WORD = re.compile(rf"zq[{_LETTERS}]{{{A_PART},}}")
_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:(METRICS|LOGS|TRACES)_)?HEADERS")
_MESSAGE = re.compile(r"--(message|title|body) '([^']*)'")

#: Variables that hold a credential, and what it is.
_CREDENTIALS: Mapping[str, str] = {
    "ANTHROPIC_API_KEY": "api_key",
    "ANTHROPIC_AUTH_TOKEN": "login_token",
    "CLAUDE_CODE_OAUTH_TOKEN": "login_token",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": "key_passphrase",
}
#: Headers that every client sends by itself.
_OF_TRANSPORT = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "grpc-accept-encoding", "grpc-encoding", "host", "te"),
        *("transfer-encoding", "user-agent", "keep-alive"),
    }
)

#: Plain words, of which no part is told from other words.
_WORDS = re.compile(r"[A-Za-z]+(?:[ -][A-Za-z]+)*")

#: The inputs of tools that are private, and what they are.
_INPUTS: Mapping[tuple[str, str], str] = {
    ("Write", "content"): "written_content",
    ("Edit", "old_string"): "replaced_content",
    ("Edit", "new_string"): "edited_content",
    ("NotebookEdit", "new_source"): "edited_content",
    ("Bash", "command"): "command",
    ("Task", "prompt"): "subagent_prompt",
    ("Agent", "prompt"): "subagent_prompt",
}


def unique_word(*about: str, letters: int = 18) -> str:
    """Return a word that stands for ``about``: letters only, and none of a hexadecimal number.

    So it survives JSON and percent-encoding, and no part of it is a part of an id by chance.
    """
    digest = hashlib.sha256("/".join(about).encode()).digest()
    return "zq" + "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:letters])


def with_words(scenario: Scenario, protocol: Protocol) -> Scenario:
    """Return the scenario with a word of its own in everything that it asks, answers and writes.

    What already holds one of the scenario's canaries stays as it is. So does a drawn input, and
    what a person at a terminal is asked about: some releases ask otherwise about a comment.
    """
    if scenario.drawn:
        return scenario
    words = _Words(scenario, protocol)
    return replace(
        scenario,
        prompt=words.at_the_end("prompt", scenario.prompt),
        prompts=tuple(words.at_the_end("prompt", prompt) for prompt in scenario.prompts),
        earlier=words.earlier(scenario.earlier),
        acts=tuple(map(words.act, scenario.acts)),
        script=words.script,
        files={name: words.file("read", name, text) for name, text in scenario.files.items()},
    )


class _Words:
    def __init__(self, scenario: Scenario, protocol: Protocol) -> None:
        self._scenario = scenario
        self._label = run_label(scenario.name, protocol)

    def _of(self, kind: str, text: str) -> str:
        """Return the word for ``text``; empty if that has a canary, or nothing to hide."""
        if not text or any(canary in text for canary in self._scenario.canaries.values()):
            return ""
        return unique_word(self._label, kind, letters=10)

    def at_the_end(self, kind: str, text: str) -> str:
        word = self._of(kind, text)
        return f"{text} ({word})" if word else text

    def earlier(self, earlier: Earlier | None) -> Earlier | None:
        if earlier is None:
            return None
        return replace(earlier, prompt=self.at_the_end("earlier prompt", earlier.prompt))

    def act(self, act: Act) -> Act:
        return Type(self.at_the_end("prompt", act.prompt)) if isinstance(act, Type) else act

    def file(self, kind: str, name: str, text: str) -> str:
        """Begin a file with the word, unless that would break its format."""
        word = self._of(kind, text)
        return f"{word} {text}" if word and _is_prose(name) else text

    def script(self, work: Path) -> Sequence[Step | Until]:
        return [self._step(step) for step in self._scenario.steps(work)]

    def _step(self, step: Step | Until) -> Step | Until:
        match step:
            case Until():
                return replace(step, step=self._tool(step.step))
            case UseTool():
                return self._tool(step)
            case Say() | CutOff():
                return replace(step, text=self.at_the_end("answer", step.text))
        return step

    def _tool(self, step: UseTool) -> UseTool:
        own = dict(step.input)
        match step.name, own.get("content", own.get("command")):
            case "Write", str(text):
                own["content"] = self.file("written", str(own.get("file_path", "")), text)
            case "Bash", str(text) if not step.forbidden and not self._scenario.acts:
                own["command"] = self._command(text)
        return replace(step, input=own)

    def _command(self, text: str) -> str:
        word = self._of("command", text)
        if not word or "\n" in text:
            return text
        message = self._of("message", text)
        said = _MESSAGE.sub(rf"--\1 '\2 {message}'", text)
        return f"{said} # {word}"


def _is_prose(name: str) -> bool:
    path = PurePath(name)
    return path.suffix not in (".json", ".ipynb") and not path.parts[0].startswith(".")


def secrets_of(
    scenario: Scenario,
    stage: Stage,
    environment: Mapping[str, str],
    args: Sequence[str],
    steps: Sequence[Step],
) -> tuple[Secret, ...]:
    """List everything private of a run that has ended, each once.

    ``environment`` is what the scenario set, ``args`` its arguments, ``steps`` its script.
    """
    settings = _settings(scenario, stage, args)
    variables = [environment, *map(_variables, settings)]
    found = [*_credentials(variables), *_of_the_machine(stage.sandbox.root), *_in_files(scenario)]
    if not scenario.drawn:  # drawn texts may say the same as drawn attributes
        found += _header_values(variables)
        if any("otelHeadersHelper" in each for each in settings):
            found += _helper_values(stage.exports()[0], {secret.text for secret in found})
        found += [part for text in scenario.all_prompts for part in _parts("prompt", text)]
        if scenario.earlier:
            found += _parts("prompt", scenario.earlier.prompt)
        found += [part for step in steps for part in _in_step(step)]
    return tuple(dict.fromkeys(found))


def _settings(scenario: Scenario, stage: Stage, args: Sequence[str]) -> list[Mapping[str, object]]:
    """Return the settings of every level that the run has."""
    folders = (stage.home / ".claude", stage.work / ".claude")
    texts = [
        path.read_text(encoding="utf-8", errors="replace")
        for folder in folders
        for path in sorted(folder.glob("settings*.json"))
    ]
    texts += [text for name, text in pairwise(args) if name == "--settings"]
    managed = scenario.managed(stage).values() if scenario.managed else ()
    return [*managed, *filter(None, map(_object, texts))]


def _object(text: str) -> Mapping[str, object] | None:
    """Return the JSON object that a text is; None for broken settings, which some runs have."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _variables(settings: Mapping[str, object]) -> Mapping[str, str]:
    variables = settings.get("env")
    return variables if isinstance(variables, dict) else {}


def _parts(kind: str, text: str) -> Iterator[Secret]:
    """Yield a text, if it is long enough to be told from others, and the words within it."""
    if len(text.strip()) >= OF_A_TEXT:
        yield Secret(kind, text, OF_A_TEXT)
    for word in _WORD.findall(text):
        yield Secret(kind, word, A_PART)


def _in_step(step: Step) -> Iterator[Secret]:
    match step:
        case Repeat():
            yield from _in_tool(step.step)
        case UseTool():
            yield from _in_tool(step)
        case Say() | CutOff():
            yield from _parts("answer", step.text)


def _in_tool(tool: UseTool) -> Iterator[Secret]:
    for (name, key), kind in _INPUTS.items():
        text = tool.input.get(key)
        if tool.name == name and isinstance(text, str):
            yield from _parts(kind, text)
    command = tool.input.get("command")
    if isinstance(command, str):
        for _, message in _MESSAGE.findall(command):
            yield from _parts("commit_message", message)


def _in_files(scenario: Scenario) -> Iterator[Secret]:
    # A canary in a file is looked for as what it is: what an edit replaces is in its input, too.
    canaries = scenario.canaries.values()
    for name, text in scenario.files.items():
        if _is_prose(name) and not any(canary in text for canary in canaries):
            yield from _parts("read_content", text)


def _credentials(variables: Sequence[Mapping[str, str]]) -> Iterator[Secret]:
    yield Secret("api_key", FAKE_API_KEY, A_PART)
    for name, text in _pairs(variables):
        kind = _CREDENTIALS.get(name)
        if kind and text:
            yield Secret(kind, text, A_PART)


def _pairs(variables: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    return chain.from_iterable(each.items() for each in variables)


def _header_values(variables: Sequence[Mapping[str, str]]) -> Iterator[Secret]:
    """Yield what is sent in headers, with the headers and signals that it is meant for."""
    meant_for: dict[str, list[str]] = {}
    for name, text in _pairs(variables):
        if match := _HEADERS.fullmatch(name):
            signal = match[1].lower() if match[1] else "*"
            for member in read(text).members:
                if is_special(member.value):
                    place = f"{signal} header {member.key.strip().lower()}"
                    meant_for.setdefault(member.value, []).append(place)
    for value, places in meant_for.items():
        part = 0 if _WORDS.fullmatch(value) else A_PART
        yield Secret("collector_header", value, part, tuple(dict.fromkeys(places)))


def _helper_values(exports: Sequence[Export], known: Collection[str]) -> Iterator[Secret]:
    """Yield what a headers helper printed: what arrived in headers that nothing else sets."""
    for export in exports:
        for name, value in export.headers:
            if name.lower() not in _OF_TRANSPORT and is_special(value) and value not in known:
                yield Secret("helper_output", value, A_PART, (f"* header {name.lower()}",))


def _of_the_machine(root: Path) -> Iterator[Secret]:
    # The folder holds HOME, the work tree and TMPDIR; its name is drawn for each run.
    yield Secret("folder", root.name)
    for kind, invented, real in (
        ("user_name", USER_NAME, _quietly(getpass.getuser)),
        ("host_name", HOST_NAME, _quietly(socket.gethostname)),
    ):
        yield Secret(kind, invented, A_PART)
        if is_special(real):
            yield Secret(kind, real)


def is_special(text: str) -> bool:
    """Say whether a text is told from ordinary ones: not ``root``, ``localhost``, ``00000000``."""
    if len(text) < A_PART or len(set(text)) < _LETTERS_AT_LEAST:
        return False
    return not text.replace("_", "").isalpha()


def _quietly(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, KeyError, ImportError):
        return ""
