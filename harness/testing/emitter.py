"""The conforming emitter: a stand-in for ``claude`` that does what the documents say.

    python -m harness.testing.emitter [--emulate VERSION] --version
    python -m harness.testing.emitter [--emulate VERSION] -p PROMPT
        [--permission-mode MODE] [--allowedTools A,B] [--model NAME]

It takes the subject's place as a real process: it talks to the Messages API at
ANTHROPIC_BASE_URL, really runs the tools that the model asks for, and exports by the
official OpenTelemetry SDK over the three protocols.  Other flags are ignored.  Of the
exporters only ``otlp`` is there.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.contract.versions import Version
from harness.errors import UsageError
from harness.testing.versions import AUGUST, DEFAULT

_MODEL_AUGUST = "claude-sonnet-5"
_MODEL_FEBRUARY = "claude-sonnet-4-5-20250929"


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of an emitter; flags that it does not know are dropped."""
    parser = argparse.ArgumentParser(
        prog="emitter", description="a stand-in for the claude CLI", allow_abbrev=False
    )
    parser.add_argument("--emulate", type=_version, default=DEFAULT, metavar="VERSION")
    parser.add_argument("-v", "--version", action="store_true")
    parser.add_argument("-p", "--print", dest="prompt", metavar="PROMPT")
    parser.add_argument("--permission-mode", default="default", metavar="MODE")
    parser.add_argument("--dangerously-skip-permissions", action="store_true")
    parser.add_argument("--allowedTools", "--allowed-tools", nargs="+", default=[], metavar="A,B")
    parser.add_argument("--model", metavar="NAME")
    known, _ = parser.parse_known_args(argv)
    return known


def say_version(version: Version) -> None:
    print(f"{version} (Claude Code)")  # noqa: T201 - what was asked for


def main(argv: Sequence[str] | None = None) -> int:
    known = arguments(sys.argv[1:] if argv is None else argv)
    if known.version:
        say_version(known.emulate)
        return 0
    # Only a session needs more than this module: --version answers at once.
    from harness.testing import session

    try:
        if not known.prompt:
            raise UsageError("option -p", seen="no prompt", expected="-p PROMPT")
        return session.run(
            known.prompt,
            model=known.model or os.environ.get("ANTHROPIC_MODEL") or _model(known.emulate),
            version=known.emulate,
            permissions=session.Permissions(
                _tool_names(known.allowedTools),
                "bypassPermissions"
                if known.dangerously_skip_permissions
                else known.permission_mode,
            ),
            environ=os.environ,
            folder=Path.cwd(),
        )
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


def _tool_names(values: Sequence[str]) -> frozenset[str]:
    """Names from ``Write,Edit`` or ``Write Edit``; a rule such as ``Bash(git:*)`` allows
    the whole tool here."""
    bare = re.sub(r"\([^)]*\)", "", " ".join(values))
    return frozenset(name for name in re.split(r"[,\s]+", bare) if name)


if __name__ == "__main__":
    sys.exit(main())
