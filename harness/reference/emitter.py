"""The conforming emitter: a stand-in for ``claude`` that does what the documents say.

    python -m harness.themes.emitter [--emulate VERSION] --version
    python -m harness.themes.emitter [--emulate VERSION] [-p PROMPT]
        [--permission-mode MODE] [--allowedTools A,B] [--disallowedTools A,B]
        [--model NAME] [--mcp-config JSON] [--agents JSON] [--input-format stream-json]
        [--settings FILE-OR-JSON] [--resume SESSION | --continue] [--fork-session]
        [--permission-prompt-tool NAME] [--plugin-dir FOLDER]

It is run as a process, like any subject: it calls the Messages API at
ANTHROPIC_BASE_URL, really runs the tools that the model requests, and exports with the
official OpenTelemetry SDK over the three protocols. Without a prompt it needs a
terminal, and runs until its end of input. Other flags are ignored.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.versions import Version
from ..errors import UsageError
from .versions import AUGUST, DEFAULT

if TYPE_CHECKING:
    from .additions import Addition
    from .permissions import Rule

_MODEL_AUGUST = "claude-sonnet-5"
_MODEL_FEBRUARY = "claude-sonnet-4-5-20250929"


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line of an emitter; unknown flags are dropped."""
    parser = argparse.ArgumentParser(
        prog="emitter", description="a stand-in for the claude CLI", allow_abbrev=False
    )
    parser.add_argument("--emulate", type=_version, default=DEFAULT, metavar="VERSION")
    parser.add_argument("-v", "--version", action="store_true")
    parser.add_argument("-p", "--print", dest="prompt", nargs="?", const="", metavar="PROMPT")
    parser.add_argument("--input-format", default="text", metavar="FORMAT")
    parser.add_argument("--permission-mode", default="default", metavar="MODE")
    parser.add_argument("--dangerously-skip-permissions", action="store_true")
    parser.add_argument("--allowedTools", "--allowed-tools", nargs="+", default=[], metavar="A,B")
    parser.add_argument(
        "--disallowedTools", "--disallowed-tools", nargs="+", default=[], metavar="A,B"
    )
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--agents", default="", metavar="JSON")
    parser.add_argument("--mcp-config", nargs="+", default=[], metavar="JSON")
    parser.add_argument("--model", metavar="NAME")
    parser.add_argument("--settings", default="", metavar="FILE-OR-JSON")
    parser.add_argument("--permission-prompt-tool", default="", metavar="NAME")
    parser.add_argument("--plugin-dir", action="append", default=[], type=Path, metavar="FOLDER")
    parser.add_argument("-r", "--resume", default="", metavar="SESSION")
    parser.add_argument("-c", "--continue", dest="go_on", action="store_true")
    parser.add_argument("--fork-session", action="store_true")
    known, _ = parser.parse_known_args(argv)
    return known


def say_version(version: Version) -> None:
    print(f"{version} (Claude Code)")  # noqa: T201 - what was asked for


def main(argv: Sequence[str] | None, additions: Callable[[], Sequence[Addition]]) -> int:
    """Run one command line (None: that of this process); return its exit code.

    ``additions`` returns what the themes add to a session; it is called for a session only.
    """
    known = arguments(sys.argv[1:] if argv is None else argv)
    if known.version:
        say_version(known.emulate)
        return 0
    # Only a session needs more than this module: --version answers at once.
    from . import hooks, plugins, session, settings_files
    from .headers_helper import SETTING
    from .permissions import Permissions
    from .versions import Promises

    levels = settings_files.read(os.environ, Path.cwd(), known.settings)
    promises = Promises.of(known.emulate)
    settings_files.apply(levels, os.environ, promises)

    options = session.Options(
        version=known.emulate,
        model=known.model or os.environ.get("ANTHROPIC_MODEL") or _model(known.emulate),
        permissions=Permissions(
            _tool_names(known.allowedTools),
            "bypassPermissions" if known.dangerously_skip_permissions else known.permission_mode,
            _rules(known.disallowedTools),
        ),
        mcp_configs=known.mcp_config,
        agents=known.agents,
        debug=known.debug,
        headers_helper=str(levels.merged(promises).get(SETTING, "")),
        additions=additions(),
        permission_tool=known.permission_prompt_tool,
        start=session.Start(known.resume, known.go_on, known.fork_session),
        hooks=hooks.configured(levels, promises),
        plugins=[plugins.Plugin.at(folder) for folder in known.plugin_dir],
    )
    try:
        if known.prompt is not None and known.input_format == "stream-json":
            return session.converse(sys.stdin, options, os.environ, Path.cwd())
        if known.prompt:
            return session.run(known.prompt, options, os.environ, Path.cwd())
        if known.prompt is not None or not sys.stdin.isatty():
            raise UsageError("option -p", seen="no prompt", expected="-p PROMPT, or a terminal")
        from . import interactive

        return interactive.run(options, os.environ, Path.cwd())
    except UsageError as error:
        print(f"emitter: {error}", file=sys.stderr)  # noqa: T201 - there is no other way out
        return 1


def _version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _model(version: Version) -> str:
    return _MODEL_AUGUST if version >= Version.parse(AUGUST) else _MODEL_FEBRUARY


def _rules(values: Sequence[str]) -> list[Rule]:
    """Parse rules such as ``Bash(git push:*)`` or ``Write``."""
    from .permissions import Rule

    rules = re.findall(r"([\w-]+)(?:\(([^)]*?)[:\s]*\*?\))?", " ".join(values))
    return [Rule(tool, words) for tool, words in rules]


def _tool_names(values: Sequence[str]) -> frozenset[str]:
    """Return the names in ``Write,Edit`` or ``Write Edit``.

    A rule such as ``Bash(git:*)`` allows the whole tool here.
    """
    bare = re.sub(r"\([^)]*\)", "", " ".join(values))
    return frozenset(name for name in re.split(r"[,\s]+", bare) if name)
