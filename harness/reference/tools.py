"""The tools that the emitter really runs: files, notebooks, commands and skills."""

from __future__ import annotations

import errno
import json
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

EDIT_TOOLS = frozenset({"Edit", "Write", "NotebookEdit"})

_BASH_TIMEOUT_MS = 120_000

_GIT = re.compile(r"\bgit\b")
_SKILL_NAME = re.compile(r"[\w-]+")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_PULL_REQUEST = re.compile(r"\bgh\s+pr\s+create\b|\bglab\s+mr\s+create\b")
_OPENED = re.compile(r"https://\S+/(?:pull|merge_requests)/\d+")

_LANGUAGES = {
    ".c": "C",
    ".cpp": "C++",
    ".css": "CSS",
    ".go": "Go",
    ".html": "HTML",
    ".java": "Java",
    ".js": "JavaScript",
    ".json": "JSON",
    ".md": "Markdown",
    ".py": "Python",
    ".rb": "Ruby",
    ".rs": "Rust",
    ".sh": "Shell",
    ".toml": "TOML",
    ".ts": "TypeScript",
    ".tsx": "TypeScript",
    ".yaml": "YAML",
    ".yml": "YAML",
}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a tool for the model, and its effects."""

    text: str
    lines_added: int = 0
    lines_removed: int = 0
    committed: Sequence[str] = ()
    """The ids of the commits that the command made, the newest last."""
    opened_pull_request: bool = False
    skill: str = ""
    """The skill that is active from here on."""
    skill_source: str = ""
    """Where it was found, as the documents call that."""


class ToolError(Exception):
    """A tool failed; ``category`` is the value of ``error_type``.

    ``telemetry_message`` is the message for telemetry, if that may not contain the whole message.
    """

    def __init__(
        self, message: str, category: str = "ToolError", telemetry_message: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.category = category
        self.telemetry_message = telemetry_message or message


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The folder in which tools run, and the environment of commands."""

    folder: Path
    environ: Mapping[str, str]


def definitions() -> list[dict[str, Any]]:
    """List the tools as a request to the Messages API does."""
    return [
        {
            "name": name,
            "description": (run.__doc__ or name).strip(),
            "input_schema": {
                "type": "object",
                "properties": {key: {"type": kind} for key, kind in properties.items()},
                "required": required,
            },
        }
        for name, (run, properties, required) in _TOOLS.items()
    ]


def exists(name: str) -> bool:
    return name in _TOOLS


def run(name: str, tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Run the tool ``name``.  Raises :class:`ToolError`."""
    tool, _, required = _TOOLS[name]
    for key in required:
        if not isinstance(tool_input.get(key), str):
            raise ToolError(f"{name} needs the string {key}", "InputValidationError")
    try:
        return tool(tool_input, context)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "EIO")
        raise ToolError(f"{code}: {error.strerror}: {error.filename}", f"Error:{code}") from error
    except UnicodeDecodeError as error:
        raise ToolError(f"The file is no UTF-8 text: {error.reason}") from error


def language_of(tool_input: Mapping[str, Any]) -> str:
    """Return the programming language of the file that an editing tool names."""
    path = tool_input.get("file_path") or tool_input.get("notebook_path") or ""
    return _LANGUAGES.get(Path(str(path)).suffix.lower(), "unknown")


def is_mcp(name: str) -> bool:
    """Say whether ``name`` is ``mcp__SERVER__TOOL``."""
    return name.startswith("mcp__") and name.count("__") > 1


def skill_name(tool_input: Mapping[str, Any]) -> str:
    return str(tool_input.get("skill") or tool_input.get("command") or "")


def _write(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Write a file, whole."""
    path = context.folder / tool_input["file_path"]
    before = path.read_bytes() if path.exists() else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    after = str(tool_input.get("content", "")).encode()
    path.write_bytes(after)
    return Result(f"File written successfully at: {path}", *_changed_lines(before, after))


def _edit(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Replace one place in a file, or every one with replace_all."""
    path = context.folder / tool_input["file_path"]
    before = path.read_bytes()
    old, new = tool_input["old_string"].encode(), tool_input["new_string"].encode()
    occurrences = before.count(old) if old else 0
    if not occurrences:
        raise ToolError("String to replace not found in file.")
    if occurrences > 1 and not tool_input.get("replace_all", False):
        raise ToolError(f"Found {occurrences} matches of the string to replace, expected one.")
    after = before.replace(old, new)
    path.write_bytes(after)
    return Result(f"The file {path} has been updated.", *_changed_lines(before, after))


def _read(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Read a text file."""
    text = (context.folder / tool_input["file_path"]).read_text(encoding="utf-8")
    lines = enumerate(text.splitlines(), start=1)
    return Result("\n".join(f"{number:6}\t{line}" for number, line in lines))


def _notebook_edit(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Replace, insert or delete one cell of a Jupyter notebook."""
    path = context.folder / tool_input["notebook_path"]
    before = path.read_bytes()
    try:
        notebook = json.loads(before)
        cells: list[dict[str, Any]] = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError("The file is no Jupyter notebook.") from error
    mode, cell_id = tool_input.get("edit_mode", "replace"), tool_input.get("cell_id")
    source = str(tool_input["new_source"]).splitlines(keepends=True)
    at = next((n for n, cell in enumerate(cells) if cell.get("id") == cell_id), None)
    if at is None and (mode != "insert" or cell_id is not None):
        raise ToolError(f"Cell with ID {json.dumps(cell_id)} not found in notebook.")
    if mode == "replace":
        cell = cells[at or 0]
        # Both forms are valid; what is there already is kept.
        cell["source"] = "".join(source) if isinstance(cell.get("source"), str) else source
        if cell.get("cell_type") == "code":
            cell |= {"execution_count": None, "outputs": []}
    elif mode == "insert":
        cells.insert(0 if at is None else at + 1, _new_cell(tool_input, source))
    elif mode == "delete":
        del cells[at or 0]
    else:
        raise ToolError(f"There is no edit_mode {mode!r}", "InputValidationError")
    end = "\n" if before.endswith(b"\n") else ""
    after = (json.dumps(notebook, indent=1, ensure_ascii=False) + end).encode()
    path.write_bytes(after)
    return Result(f"The notebook {path} has been updated.", *_changed_lines(before, after))


def _new_cell(tool_input: Mapping[str, Any], source: list[str]) -> dict[str, Any]:
    kind = str(tool_input.get("cell_type", "code"))
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": uuid.uuid4().hex[:8],
        "metadata": {},
        "source": source,
    }
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _skill(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Read the instructions of a skill."""
    name = skill_name(tool_input)
    home = Path(context.environ.get("HOME", "~")).expanduser()
    for source, root in (("userSettings", home), ("projectSettings", context.folder)):
        path = root / ".claude" / "skills" / name / "SKILL.md"
        if _SKILL_NAME.fullmatch(name) and path.is_file():
            body = _FRONT_MATTER.sub("", path.read_text(encoding="utf-8"), count=1)
            return Result(body.strip(), skill=name, skill_source=source)
    raise ToolError(f"Unknown skill: {name}")


def _bash(tool_input: Mapping[str, Any], context: ToolContext) -> Result:
    """Run a shell command."""
    command = tool_input["command"]
    timeout_ms = tool_input.get("timeout", _BASH_TIMEOUT_MS)
    before = set(_commits(context, command))
    try:
        done = subprocess.run(
            [shutil.which("bash", path=context.environ.get("PATH")) or "sh", "-c", command],
            cwd=context.folder,
            env=dict(context.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_ms / 1000,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"Command timed out after {timeout_ms} ms", "ShellError") from error
    output = done.stdout.decode("utf-8", "replace").rstrip("\n")
    if done.returncode != 0:
        failure = f"Exit code {done.returncode}"
        # What a command prints may hold the contents of files.
        raise ToolError(f"{failure}\n{output}".rstrip(), "ShellError", telemetry_message=failure)
    return Result(
        output,
        committed=[commit for commit in _commits(context, command) if commit not in before],
        opened_pull_request=bool(_PULL_REQUEST.search(command) and _OPENED.search(output)),
    )


def opens_pull_request(tool: str, answer: str) -> bool:
    """Say whether a tool of an MCP server, called ``tool`` there, has opened a pull request."""
    return tool.startswith("create_pull_request") and _OPENED.search(answer) is not None


def _commits(context: ToolContext, command: str) -> list[str]:
    """List every commit there is, the newest last, for a command that may make more of them."""
    if not _GIT.search(command):
        return []
    done = subprocess.run(
        ["git", "log", "--all", "--reflog", "--topo-order", "--reverse", "--format=%H"],
        cwd=context.folder,
        env=dict(context.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def _changed_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """Count changed lines: (added, removed)."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    added = removed = 0
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return added, removed


_Tool = Callable[[Mapping[str, Any], ToolContext], Result]

_TOOLS: dict[str, tuple[_Tool, dict[str, str], list[str]]] = {
    "Write": (_write, {"file_path": "string", "content": "string"}, ["file_path", "content"]),
    "Edit": (
        _edit,
        {
            "file_path": "string",
            "old_string": "string",
            "new_string": "string",
            "replace_all": "boolean",
        },
        ["file_path", "old_string", "new_string"],
    ),
    "Read": (_read, {"file_path": "string"}, ["file_path"]),
    "NotebookEdit": (
        _notebook_edit,
        {
            "notebook_path": "string",
            "cell_id": "string",
            "new_source": "string",
            "cell_type": "string",
            "edit_mode": "string",
        },
        ["notebook_path", "new_source"],
    ),
    "Skill": (_skill, {"skill": "string", "command": "string"}, []),
    "Bash": (
        _bash,
        {
            "command": "string",
            "timeout": "number",
            "description": "string",
            "dangerouslyDisableSandbox": "boolean",
        },
        ["command"],
    ),
}
