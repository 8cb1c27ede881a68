"""Look for something to judge: a CLI on PATH, npm and its registry, releases that are installed.

What it imports needs the extra ``suite``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from functools import cache
from pathlib import Path

from ..errors import HarnessError, UsageError
from ..shortage import free_in
from ..subject import npm
from ..subject.managed import OPTION, namespace
from ..subject.node import HINT, find_npm, packaged_bin
from .probe import Found, Part, State
from .programs import version_of

#: A release takes up to 400 MB.
_RELEASE_BYTES = 400_000_000
_SHOWN = 5


def parts(*, offline: bool) -> list[Part]:
    """Return the parts; ``offline``: the registry is not asked."""
    return [
        Part("node and npm", _npm),
        Part("registry", _not_asked if offline else _registry),
        Part("cache", _cache),
        Part("subject", lambda: _subject(offline=offline), needed=True),
        Part("mount namespace", _mount_namespace),
    ]


def _npm() -> Found:
    found = find_npm()
    if found is None:
        return Found(State.LESS, "no npm", "--cc-binary=npm:VERSION, matrix, bisect", HINT)
    node = shutil.which("node")
    if node is None and (packaged := packaged_bin()) is not None:
        node = str(packaged / "node")
    seen = f"{found.argv[-1]}, node {version_of(node) if node else 'none'}"
    if node is None:
        return Found(State.LESS, seen, "releases that are scripts, not binaries", HINT)
    return Found(State.OK, seen)


def _not_asked() -> Found:
    return Found(State.OK, "not asked (--offline)")


@cache
def _registry() -> Found:
    if find_npm() is None:
        return Found(State.LESS, "not asked: no npm", "releases that are not in the cache", HINT)
    try:
        releases = npm.published(lambda _: None, "cc-harness doctor")
    except (UsageError, HarnessError) as error:
        seen = error.seen if isinstance(error, UsageError) else str(error)
        return Found(
            State.LESS,
            seen.splitlines()[0],
            "releases that are not in the cache, npm:latest, matrix over ranges",
            "npm config get registry, HTTPS_PROXY, NODE_EXTRA_CA_CERTS: what npm needs to get out",
        )
    return Found(State.OK, f"{len(releases)} releases of {npm.PACKAGE}, the newest {releases[-1]}")


def _cache() -> Found:
    folder = npm.default_cache_dir()
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = free_in(there)
    seen = f"{folder}, {free / 1e9:.1f} GB free, {_listed(_installed())}"
    if not _may_write(there):
        return Found(
            State.LESS,
            f"{folder} cannot be written to",
            "releases that are not in it",
            f"{npm.CACHE_VARIABLE} names another folder",
        )
    if free < _RELEASE_BYTES:
        return Found(
            State.LESS,
            seen,
            "releases that are not in it: each takes up to 400 MB",
            f"more room, or {npm.CACHE_VARIABLE} names another folder",
        )
    return Found(State.OK, seen)


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _installed() -> list[str]:
    """Return the releases in the cache, in order of their names."""
    folder = npm.default_cache_dir() / "npm"
    if not folder.is_dir():
        return []
    found = [each.name.partition("-")[0] for each in folder.iterdir() if each.is_dir()]
    return sorted(set(found), key=lambda name: [int(n) for n in name.split(".") if n.isdigit()])


def _listed(releases: list[str]) -> str:
    if not releases:
        return "no release in it"
    more = f"{len(releases) - _SHOWN} more and " if len(releases) > _SHOWN else ""
    return f"releases in it: {more}{', '.join(releases[-_SHOWN:])}"


def _subject(*, offline: bool) -> Found:
    found = []
    if (path := shutil.which("claude")) is not None:
        found.append(f"--cc-binary=claude ({path})")
    if releases := _installed():
        found.append(f"--cc-binary=npm:{releases[-1]} (in the cache)")
    if find_npm() is not None and not offline and _registry().state is State.OK:
        found.append("--cc-binary=npm:latest")
    if importlib.util.find_spec("opentelemetry.sdk") is not None:
        found.append("--cc-binary=reference")
    if not found:
        return Found(
            State.STOPS,
            "no claude on PATH, no release in the cache, no npm that reaches its registry",
            "everything: there is nothing to judge",
            "install the CLI, or npm, or try the extra 'reference'",
        )
    return Found(State.OK, "\n".join(found))


def _mount_namespace() -> Found:
    if not namespace():
        return Found(
            State.LESS,
            "unshare --mount does not work here",
            "managed settings of a session's own",
            f"a kernel and a container that allow unshare --mount, or {OPTION}",
        )
    return Found(State.OK, "managed settings are seen by one session only")
