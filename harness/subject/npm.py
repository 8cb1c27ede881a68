"""Install releases of the CLI from npm, each once, into a per-user cache."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path

import filelock
import platformdirs

from ..errors import HarnessError, SubjectError, UsageError
from ..keeping import folders
from . import process
from .node import HINT, Npm, find_npm

PACKAGE = "@anthropic-ai/claude-code"
CACHE_VARIABLE = "CC_OTEL_CACHE"
#: One release is up to 400 MB; slow lines exist.
INSTALL_DEADLINE_S = 900.0
_VIEW_DEADLINE_S = 120.0

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_TAG = re.compile(r"[A-Za-z][0-9A-Za-z_-]*")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
#: npm's own patience with a dead registry is minutes.
_IMPATIENT = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")

_NO_SUCH = ("E404", "ETARGET")
_FULL = ("ENOSPC", "EDQUOT")
_UNREACHABLE = (
    *("ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH", "ENOTFOUND"),
    *("ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "FETCH_ERROR", "EPIPE"),
)


def default_cache_dir() -> Path:
    """Return ``$CC_OTEL_CACHE``, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("pytest-cc-otel", appauthor=False))


def install(wanted: str, *, progress: Callable[[str], None], cache_dir: Path | None = None) -> Path:
    """Return the executable of release ``wanted`` (a version or a dist-tag), installed if need be.

    A release that is in the cache is used as it is, without npm and without network.
    Installs of the same release wait for one another; an interrupted one leaves nothing.
    Raises UsageError for a release that does not exist, no npm, no registry, or a
    cache that cannot be written.
    """
    change = f"--cc-binary=npm:{wanted}"
    cache = cache_dir if cache_dir is not None else default_cache_dir()
    if _VERSION.fullmatch(wanted):
        version = wanted
    elif _TAG.fullmatch(wanted):
        version = _version_of_tag(wanted, change, progress)
    else:
        raise UsageError(
            change,
            seen=f"{wanted!r} after 'npm:'",
            expected="an exact version or a dist-tag, such as npm:2.1.31 or npm:latest",
        )
    folder = folder_of(version, cache)
    if not os.path.exists(folder):  # unlike Path.exists, raises nothing
        _install_once(version, folder, change, progress)
    return executable_in(folder)


def folder_of(version: str, cache_dir: Path | None = None) -> Path:
    """Return where a release is, or would be, installed in the cache."""
    cache = cache_dir if cache_dir is not None else default_cache_dir()
    return cache / "npm" / f"{version}-{_platform_keys()[0]}"


def executable_in(folder: Path) -> Path:
    """Return the CLI in an npm prefix.

    It is a native binary in the platform's own package (later releases; npm may skip the script
    that links it), else the package's ``bin`` entry.
    """
    modules = folder / "node_modules"
    native = [modules / f"{PACKAGE}-{key}" / "claude" for key in _platform_keys()]
    for candidate in (*native, modules / ".bin" / "claude"):
        if candidate.exists():
            return candidate
    raise HarnessError(
        f"{folder}: no executable of {PACKAGE} for {_platform_keys()[0]} in it; remove the folder, "
        "and check that npm is not set to omit optional packages"
    )


def published(progress: Callable[[str], None], change: str) -> list[str]:
    """Return every published release, as npm lists them; pre-releases are left out.

    ``change`` is what to change where npm or its registry is missing.
    """
    progress(f"asking npm which versions of {PACKAGE} there are")
    answer = _view(PACKAGE, "versions", change)
    if not isinstance(answer, list) or not answer:
        raise UsageError(change, seen=f"npm's answer {answer!r}", expected="a list of versions")
    return [version for version in answer if re.fullmatch(r"\d+\.\d+\.\d+", str(version))]


def _version_of_tag(tag: str, change: str, progress: Callable[[str], None]) -> str:
    progress(f"asking npm which version of {PACKAGE} is {tag!r}")
    version = _view(f"{PACKAGE}@{tag}", "version", change)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise UsageError(change, seen=f"npm's answer {version!r}", expected="a version")
    return version


def _view(of: str, field: str, change: str) -> object:
    """Ask npm's registry for a field; None if the answer is no JSON."""
    arguments = ["view", of, field, "--json", *_QUIET, *_IMPATIENT]
    with folders.temporary("npm") as scratch:
        done = _run_npm(arguments, Path(scratch), _VIEW_DEADLINE_S, change)
    try:
        answer: object = json.loads(done.stdout)
    except ValueError:
        return None
    return answer


def _install_once(version: str, folder: Path, change: str, progress: Callable[[str], None]) -> None:
    lock = filelock.FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            progress(f"waiting for another run to install {PACKAGE}@{version}")
            lock.acquire(timeout=INSTALL_DEADLINE_S)
    except filelock.Timeout as error:
        raise HarnessError(
            f"{lock.lock_file}: another run has held this lock for {INSTALL_DEADLINE_S:g} s"
        ) from error
    except OSError as error:
        raise _unwritable(folder.parent, error) from error
    try:
        if not folder.exists():
            _install(version, folder, change, progress)
    finally:
        lock.release()


def _install(version: str, folder: Path, change: str, progress: Callable[[str], None]) -> None:
    progress(f"installing {PACKAGE}@{version} with npm into {folder}")
    with contextlib.ExitStack() as stack:
        try:
            unfinished = folders.unfinished(f"{folder.name}.part-", folder.parent)
            scratch = stack.enter_context(unfinished)
        except OSError as error:
            raise _unwritable(folder.parent, error) from error
        prefix = scratch / "prefix"
        prefix.mkdir()
        # Scripts are not needed: they only copy the native binary to a second place.
        arguments = ["install", "--prefix", str(prefix), f"{PACKAGE}@{version}"]
        arguments += [*_QUIET, *_IMPATIENT, "--ignore-scripts", "--include=optional"]
        _run_npm(arguments, scratch, INSTALL_DEADLINE_S, change, progress)
        executable_in(prefix)
        prefix.rename(folder)
    progress(f"installed {PACKAGE}@{version}")


def _run_npm(
    arguments: list[str],
    scratch: Path,
    deadline_s: float,
    change: str,
    progress: Callable[[str], None] | None = None,
) -> process.Completed:
    npm = find_npm()
    if npm is None:
        raise UsageError("PATH", seen="no npm on it", expected=f"npm, for {change} ({HINT})")

    def still_waiting(seconds: float) -> None:
        if progress is not None:
            progress(f"npm {arguments[0]} is still at work after {seconds:.0f} s")

    try:
        done = process.run(
            [*npm.argv, *arguments],
            cwd=scratch,
            env=npm.env,
            output_dir=scratch,
            deadline_s=deadline_s,
            while_waiting=still_waiting,
        )
    except SubjectError as error:
        raise UsageError("PATH", seen=str(error), expected="an npm that runs") from error
    if done.timed_out or done.exit_code != 0:
        raise _npm_failed(npm, done, change)
    return done


def _npm_failed(npm: Npm, done: process.Completed, change: str) -> HarnessError:
    match = re.search(r"^npm (?:error|ERR!) code (\S+)", done.stderr, re.MULTILINE)
    code = match.group(1) if match else ""
    if code in _NO_SUCH:
        return UsageError(
            change,
            seen=f"npm knows no such release of {PACKAGE}",
            expected="a published version or dist-tag (npm view "
            f"{PACKAGE} versions dist-tags lists them)",
        )
    if done.timed_out or code in _UNREACHABLE:
        why = f"no end after {done.deadline_s:g} s" if done.timed_out else code
        return UsageError(
            "network, or npm's registry and proxy settings",
            seen=f"npm cannot reach its registry ({why}):\n{done.last_output}",
            expected=f"a reachable registry for {change}",
        )
    if code in _FULL:
        return UsageError(
            "the disk",
            seen=f"no room for npm's files ({code}):\n{done.last_output}",
            expected=f"room for a release and npm's cache, for {change}",
        )
    return HarnessError(
        f"{change}: {' '.join(npm.argv)} failed with exit code {done.exit_code}:\n"
        f"{done.last_output}"
    )


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"environment variable {CACHE_VARIABLE}",
        seen=f"{folder} cannot be written: {error.strerror}",
        expected="a writable folder for installed releases",
    )


def _platform_keys() -> tuple[str, ...]:
    """Return the suffixes of the native packages for this machine, best match first."""
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = platform.machine().lower()
    arch = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
    plain = f"{system}-{arch}"
    if system == "darwin":
        return (plain,)
    musl = platform.libc_ver()[0] != "glibc" and any(Path("/lib").glob("ld-musl-*"))
    return (f"{plain}-musl", plain) if musl else (plain, f"{plain}-musl")
