"""The tools that the emitter really runs: Write, Edit, Read and Bash."""

from __future__ import annotations

import errno
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

EDIT_TOOLS = frozenset({"Edit", "Write", "NotebookEdit"})

_BASH_TIMEOUT_MS = 120_000

_COMMIT = re.compile(r"\bgit\s+(?:-[cC]\s+\S+\s+|-\S+\s+)*commit\b")
_PULL_REQUEST = re.compile(r"\bgh\s+pr\s+create\b")

_LANGUAGES = {
    ".c": "C",
    ".cpp": "C++",
    ".css": "CSS",
    ".go": "Go",
    ".html": "HTML",
    ".ipynb": "Python",
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
    """What a tool answers to the model, and what came of it."""

    text: str
    lines_added: int = 0
    lines_removed: int = 0
    committed: str = ""
    """The id of the commit that the command made, if it made one."""
    opened_pull_request: bool = False


class ToolError(Exception):
    """A tool failed; ``category`` is what ``error_type`` says of it."""

    def __init__(self, message: str, category: str = "ToolError") -> None:
        super().__init__(message)
        self.message = message
        self.category = category


@dataclass(frozen=True, slots=True)
class Place:
    """Where tools run: the folder, and the environment of commands."""

    folder: Path
    environ: Mapping[str, str]


def definitions() -> list[dict[str, Any]]:
    """The tools as a request to the Messages API lists them."""
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


def run(name: str, tool_input: Mapping[str, Any], place: Place) -> Result:
    """Run the tool ``name``.  Raises :class:`ToolError`."""
    tool, _, required = _TOOLS[name]
    for key in required:
        if not isinstance(tool_input.get(key), str):
            raise ToolError(f"{name} needs the string {key}", "InputValidationError")
    try:
        return tool(tool_input, place)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "EIO")
        raise ToolError(f"{code}: {error.strerror}: {error.filename}", f"Error:{code}") from error
    except UnicodeDecodeError as error:
        raise ToolError(f"The file is no UTF-8 text: {error.reason}") from error


def language_of(tool_input: Mapping[str, Any]) -> str:
    """The programming language of the file that an editing tool names."""
    path = tool_input.get("file_path") or tool_input.get("notebook_path") or ""
    return _LANGUAGES.get(Path(str(path)).suffix.lower(), "unknown")


def input_json(tool_input: Mapping[str, Any]) -> str:
    return json.dumps(tool_input, ensure_ascii=False, separators=(",", ":"))


def _write(tool_input: Mapping[str, Any], place: Place) -> Result:
    """Write a file, whole."""
    path = place.folder / tool_input["file_path"]
    before = path.read_bytes() if path.exists() else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    after = str(tool_input.get("content", "")).encode()
    path.write_bytes(after)
    return Result(f"File written successfully at: {path}", *_changed_lines(before, after))


def _edit(tool_input: Mapping[str, Any], place: Place) -> Result:
    """Replace one place in a file, or every one with replace_all."""
    path = place.folder / tool_input["file_path"]
    before = path.read_bytes()
    old, new = tool_input["old_string"].encode(), tool_input["new_string"].encode()
    found = before.count(old) if old else 0
    if not found:
        raise ToolError("String to replace not found in file.")
    if found > 1 and not tool_input.get("replace_all", False):
        raise ToolError(f"Found {found} matches of the string to replace, expected one.")
    after = before.replace(old, new)
    path.write_bytes(after)
    return Result(f"The file {path} has been updated.", *_changed_lines(before, after))


def _read(tool_input: Mapping[str, Any], place: Place) -> Result:
    """Read a text file."""
    text = (place.folder / tool_input["file_path"]).read_text(encoding="utf-8")
    lines = enumerate(text.splitlines(), start=1)
    return Result("\n".join(f"{number:6}\t{line}" for number, line in lines))


def _bash(tool_input: Mapping[str, Any], place: Place) -> Result:
    """Run a shell command."""
    command = tool_input["command"]
    timeout_ms = tool_input.get("timeout", _BASH_TIMEOUT_MS)
    try:
        done = subprocess.run(
            [shutil.which("bash", path=place.environ.get("PATH")) or "sh", "-c", command],
            cwd=place.folder,
            env=dict(place.environ),
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
        raise ToolError(f"Exit code {done.returncode}\n{output}".rstrip(), "ShellError")
    return Result(
        output,
        committed=_newest_commit(place) if _COMMIT.search(command) else "",
        opened_pull_request=_PULL_REQUEST.search(command) is not None,
    )


def _newest_commit(place: Place) -> str:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=place.folder,
        env=dict(place.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _changed_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """(added, removed)."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    added = removed = 0
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return added, removed


_Tool = Callable[[Mapping[str, Any], Place], Result]

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
