"""Resolve ``--cc-binary=SPEC`` to a command that runs, and ask it for its version."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..capture.run import ending
from ..errors import SubjectError, UsageError
from ..keeping.cells import Cell
from . import node, npm, process
from .sandbox import Sandbox

_OPTION = "--cc-binary"
_EXPECTED = "a path, a name on PATH, npm:VERSION, npm:latest or reference[:VERSION]"

#: The conforming emitter, run as a module: its room lies below this one.
REFERENCE_MODULE = f"{__name__.partition('.')[0]}.themes.emitter"
_REFERENCE_NEEDS = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.grpc",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.exporter.otlp.json.http",
)

_RELEASE = r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?"
_RELEASE_PATTERN = re.compile(_RELEASE)
_VERSION_LINE = re.compile(rf"^({_RELEASE})(?: \(Claude Code\))?\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Binary:
    """A subject that was found and has printed its version.

    ``spec`` is what the caller asked for, ``argv`` the first words of its command, ``path``
    the executable's absolute path, ``version`` what ``--version`` printed without the
    product name. ``path_entries`` must come first on the subject's PATH.
    """

    spec: str
    argv: tuple[str, ...]
    path: str
    version: str
    path_entries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """The command of a subject that was found, but not run yet."""

    argv: tuple[str, ...]
    path: str
    path_entries: tuple[str, ...] = ()


def resolve(
    spec: str,
    *,
    progress: Callable[[str], None],
    cache_dir: Path | None = None,
    version_deadline_s: float = 30.0,
) -> Binary:
    """Find (or install) what ``spec`` names and ask it for its version.

    ``spec``: a path, a name on PATH, ``npm:VERSION``, ``npm:TAG`` (``npm:latest``),
    ``reference`` or ``reference:VERSION``. ``progress`` gets a line for each long
    step. ``cache_dir`` replaces the per-user cache of npm installs.

    Raises UsageError if nothing usable is found; its message says what to change.
    """
    check_encoding(sys.getfilesystemencoding())
    command = locate(spec, progress=progress, cache_dir=cache_dir)
    version = _ask_version(spec, command, version_deadline_s)
    return Binary(spec, command.argv, command.path, version, command.path_entries)


def check_encoding(encoding: str) -> None:
    """Raise UsageError if arguments of programs are not encoded as UTF-8: no prompt would arrive.

    That is so under a locale of another encoding.
    """
    if encoding.lower().replace("-", "") != "utf8":
        raise UsageError(
            "the locale (LC_ALL, LC_CTYPE or LANG)",
            seen=f"one whose encoding is {encoding}",
            expected="one of UTF-8, such as C.UTF-8 (or PYTHONUTF8=1)",
        )


def locate(spec: str, *, progress: Callable[[str], None], cache_dir: Path | None = None) -> Command:
    """Find (or install) what ``spec`` names, without running it, as :func:`resolve` does first."""
    spec = spec.strip()
    if not spec:
        raise UsageError(_OPTION, seen="nothing", expected=_EXPECTED)
    kind, _, rest = spec.partition(":")
    if kind == "reference":
        return _reference(spec, rest)
    if kind == "npm":
        installed = npm.install(rest, progress=progress, cache_dir=cache_dir)
        return _command(spec, installed)
    if os.sep in spec or spec.startswith("~"):
        return _command(spec, Path(spec).expanduser().absolute())
    executable = shutil.which(spec)
    if executable is None:
        hint = f" (for the file of that name here, say ./{spec})" if Path(spec).exists() else ""
        raise UsageError(
            f"{_OPTION}={spec}", seen=f"no executable {spec!r} on PATH{hint}", expected=_EXPECTED
        )
    return _command(spec, Path(executable).absolute())


def _command(spec: str, path: Path) -> Command:
    change = f"{_OPTION}={spec}"
    if not os.path.exists(path):  # unlike Path.exists, raises nothing
        raise UsageError(change, seen=f"no such file: {path}", expected="an executable file")
    if path.is_dir():
        raise UsageError(change, seen=f"a folder: {path}", expected="an executable file")
    if not path.is_file():  # to read a FIFO would wait for ever
        raise UsageError(change, seen=f"no regular file: {path}", expected="an executable file")
    if not os.access(path, os.X_OK):
        raise UsageError(
            change, seen=f"a file that is not executable: {path}", expected="an executable file"
        )
    entries: tuple[str, ...] = ()
    if node.is_node_script(path) and shutil.which("node") is None:
        packaged = node.packaged_bin()
        if packaged is None:
            raise UsageError(
                "PATH", seen="no node on it", expected=f"Node.js, to run {path} ({node.HINT})"
            )
        entries = (str(packaged),)
    return Command((str(path),), str(path), entries)


def _reference(spec: str, version: str) -> Command:
    if spec != "reference" and not _RELEASE_PATTERN.fullmatch(version):
        raise UsageError(
            f"{_OPTION}={spec}",
            seen=f"{version!r} as the version",
            expected="reference, or reference:VERSION such as reference:2.1.31",
        )
    missing = [name for name in _REFERENCE_NEEDS if not _importable(name)]
    if missing:
        raise UsageError(
            f"{_OPTION}={spec}",
            seen=f"no Python package {', '.join(missing)}",
            expected="the extra 'reference': pip install 'pytest-cc-otel[reference]'",
        )
    argv = (sys.executable, "-m", REFERENCE_MODULE)
    return Command((*argv, "--emulate", version) if version else argv, sys.executable)


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _ask_version(spec: str, command: Command, deadline_s: float) -> str:
    change = f"{_OPTION}={spec}"
    expected = f"{command.path} --version to print a version such as '2.1.31 (Claude Code)'"
    with Sandbox(repository=False, cell=Cell(apart=True)) as sandbox:
        try:
            done = process.run(
                [*command.argv, "--version"],
                cwd=sandbox.work,
                env=sandbox.env(path_entries=command.path_entries),
                output_dir=sandbox.output,
                deadline_s=deadline_s,
                cell=sandbox.cell,
            )
        except SubjectError as error:
            raise UsageError(change, seen=str(error), expected=expected) from error
    if done.timed_out:
        seen = f"no end after {deadline_s:g} s; last output:\n{done.last_output}"
    elif done.exit_code != 0:
        seen = f"{ending(done.exit_code)}; last output:\n{done.last_output}"
    elif (match := _VERSION_LINE.search(done.stdout)) is None:
        seen = f"no version; its output:\n{done.last_output}"
    else:
        return match.group(1)
    raise UsageError(change, seen=seen, expected=expected)
