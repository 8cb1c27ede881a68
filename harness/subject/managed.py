"""Deploy managed settings for one run only, without changing those of the machine.

They are in a system folder, outside of any HOME. Where Linux permits it, the subject
gets a mount namespace of its own in which that folder exists: outside of it nothing
changes, and it vanishes with the last process of the namespace. Elsewhere they
are written to the folder itself while the run lasts, if the user has allowed that.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import UsageError
from ..keeping import folders

OPTION = "--cc-allow-managed-settings"

#: Where the CLI looks for them.
FOLDER = (
    Path("/Library/Application Support/ClaudeCode")
    if sys.platform == "darwin"
    else Path("/etc/claude-code")
)

#: Names below the folder, each with its content.
Files = Mapping[str, Mapping[str, object]]

MAIN_FILE = "managed-settings.json"

_PROBE_S = 30.0
_TURN_S = 300.0

#: Fixed, for TMPDIR may differ between those who must not meet.
_LOCK = Path("/tmp/cc-otel-managed-settings.lock")

#: $1: our files; $2: an empty folder; $3: the managed folder; then the command.  What lies
#: beside the managed folder stays where it is, as links to where it was mounted before.
_MOUNTING = """
set -e
files=$1 kept=$2 folder=$3
shift 3
parent=${folder%/*}
mount --rbind "$parent" "$kept"
mount -t tmpfs -o mode=755 tmpfs "$parent"
ln -s "$kept"/* "$kept"/.[!.]* "$parent"/ 2>/dev/null || true
rm -f "$folder" "$parent/*" "$parent/.[!.]*"
cp -R "$files" "$folder"
exec "$@"
"""


@contextlib.contextmanager
def deployed(
    files: Files, scratch: Path, *, machine_wide: bool, folder: Path = FOLDER
) -> Iterator[tuple[str, ...]]:
    """Deploy managed settings for commands that begin with the yielded prefix.

    ``scratch`` is a folder of the run's own. ``machine_wide`` allows to write to
    ``folder`` itself if there is no other way.
    """
    unshare = namespace()
    if unshare:
        yield _prefix(unshare, files, scratch, folder)
    elif machine_wide:
        with on_the_machine(files, folder):
            yield ()
    else:
        raise UsageError(OPTION, seen="no such option", expected=skip_reason(allowed=False) or "")


def skip_reason(*, allowed: bool, folder: Path = FOLDER) -> str | None:
    """Say why no run can have managed settings of its own here; None if one can."""
    if namespace():
        return None
    if not allowed:
        return (
            "no private mount namespace can be made here, in which managed settings would be "
            f"seen by one run only; {OPTION} writes them to {folder} for the time of the run"
        )
    if there := _existing(folder):
        return f"{there} belongs to this machine and is not touched"
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return None if os.access(nearest, os.W_OK) else f"{nearest} cannot be written to"


def machine_wide(*, allowed: bool) -> bool:
    """Say whether managed settings would have to be written for the whole machine."""
    return allowed and not namespace()


@cache
def namespace() -> tuple[str, ...]:
    """Return a command prefix that enters a new mount namespace; empty if none works here.

    It is tried, not guessed: containers and hardened kernels differ in what they allow.
    """
    unshare = shutil.which("unshare")
    if unshare is None or sys.platform != "linux":
        return ()
    for ours in ((unshare, "--mount"), (unshare, "--user", "--map-root-user", "--mount")):
        if _works(ours):
            return ours
    return ()


def _works(unshare: tuple[str, ...]) -> bool:
    with folders.temporary() as folder:
        argv = _prefix(unshare, {MAIN_FILE: {"seen": True}}, Path(folder), FOLDER)
        try:
            done = subprocess.run(
                [*argv, "cat", str(FOLDER / MAIN_FILE)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_S,
                check=False,
            )
            return done.returncode == 0 and json.loads(done.stdout) == {"seen": True}
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return False


def _prefix(unshare: tuple[str, ...], files: Files, scratch: Path, folder: Path) -> tuple[str, ...]:
    ours, beside = scratch / "managed", scratch / "beside-managed"
    beside.mkdir()
    for name, content in files.items():
        path = ours / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return (*unshare, "sh", "-c", _MOUNTING, "sh", str(ours), str(beside), str(folder))


@contextlib.contextmanager
def on_the_machine(files: Files, folder: Path = FOLDER, lock: Path = _LOCK) -> Iterator[None]:
    """Write ``files`` to ``folder`` while the block lasts, under a lock of the machine.

    Raises :class:`UsageError` if managed settings exist already: they must not be changed.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(FileLock(lock, timeout=_TURN_S, mode=0o666))
            if there := _existing(folder):
                raise UsageError(OPTION, seen=str(there), expected="no managed settings yet")
            for name, content in files.items():
                _write(folder, folder / name, content, stack)
        except Timeout as error:
            raise UsageError(
                OPTION, seen=f"{lock} held for {_TURN_S:g} s", expected="a turn at the settings"
            ) from error
        except OSError as error:
            raise UsageError(
                OPTION, seen=str(error), expected=f"that {folder} can be written to"
            ) from error
        yield


def _write(
    folder: Path, path: Path, content: Mapping[str, object], stack: contextlib.ExitStack
) -> None:
    """Write a file and the folders above it; ``stack`` removes what was created, last one first."""
    for parent in (*reversed(path.relative_to(folder).parents), Path()):
        subfolder = folder / parent
        if not subfolder.exists():
            subfolder.mkdir(parents=subfolder == folder)
            stack.callback(_take_away, subfolder)
    with path.open("x", encoding="utf-8") as stream:
        stack.callback(_take_away, path)
        json.dump(content, stream)


def _take_away(path: Path) -> None:
    if path.is_dir():
        with contextlib.suppress(OSError):  # somebody else put something there
            path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _existing(folder: Path) -> Path | None:
    """Return a managed settings file that exists already, or None."""
    candidates = (folder / MAIN_FILE, *sorted(folder.glob("managed-settings.d/*")))
    return next((path for path in candidates if path.exists() or path.is_symlink()), None)
