"""Tell the want of space, descriptors or processes from everything else, before a run and in it.

What a subject fails for such a want says nothing about it: it is the machine's error, told once.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .errors import UsageError

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

#: What a process of ours needs besides its runs, and what one run takes at most: measured in whole
#: recordings, at most 11 for each of twelve runs side by side.
_OWN_DESCRIPTORS = 64
_DESCRIPTORS_A_RUN = 15
#: With fewer left, somebody may have been refused one.
_SPARE_DESCRIPTORS = 4

#: So much room must be left where sessions work, before the first of them and while they run.
LEAST_FREE = 32 * 2**20
LEAST_LEFT = 2**20

_PER_MIB = 2**20


def _space(error: OSError) -> UsageError:
    named = error.filename if isinstance(error.filename, str) else None
    return no_room(Path(named or tempfile.gettempdir()), str(error))


def no_room(place: Path, seen: str) -> UsageError:
    """Return the error that says there is no room left in a folder."""
    return UsageError(
        f"the room in {place}",
        seen=seen,
        expected=f"{LEAST_FREE // _PER_MIB} MiB at least (TMPDIR says where sessions work)",
    )


def _descriptors(error: OSError) -> UsageError:
    return UsageError(
        "ulimit -n", seen=f"{error} (the limit is {_limit()})", expected="more open files"
    )


def _processes(error: OSError) -> UsageError:
    return UsageError("ulimit -u", seen=str(error), expected="more processes and threads")


def _memory(error: OSError) -> UsageError:
    return UsageError("memory", seen=str(error), expected="more of it")


_WANTS: dict[int, Callable[[OSError], UsageError]] = {
    errno.ENOSPC: _space,
    errno.EDQUOT: _space,
    errno.EROFS: _space,
    errno.EMFILE: _descriptors,
    errno.ENFILE: _descriptors,
    errno.EAGAIN: _processes,
    errno.ENOMEM: _memory,
}


def want_of(error: BaseException) -> UsageError | None:
    """Return the want of the machine that is behind an exception; None if it is none.

    What caused the exception is looked at, too.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _WANTS:
            return _WANTS[cause.errno](cause)
        if isinstance(cause, RuntimeError) and "can't start new thread" in str(cause):
            return _processes(OSError(errno.EAGAIN, str(cause)))
        if isinstance(cause, MemoryError):
            return _memory(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def check_descriptors(runs: int) -> None:
    """Let this process open enough files for so many runs at once, by raising its soft limit.

    Raises UsageError if the hard limit forbids that.
    """
    if resource is None:
        return
    needed = _OWN_DESCRIPTORS + _DESCRIPTORS_A_RUN * runs
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            "ulimit -n",
            seen=f"at most {hard} open files",
            expected=f"{needed} at least, for {runs} run{'s' * (runs > 1)} side by side",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def descriptors_wanting(opened: int) -> UsageError | None:
    """Return the want of descriptors if so many open files are all but a few that may be."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or opened < soft - _SPARE_DESCRIPTORS:
        return None
    return UsageError(
        "ulimit -n", seen=f"{opened} of {soft} open files in use", expected="more of them"
    )


def check_space(folders: Iterable[Path | None]) -> None:
    """Raise UsageError if one of the folders, or the one for temporary files, has no room."""
    for folder in dict.fromkeys([Path(tempfile.gettempdir()), *filter(None, folders)]):
        free = free_in(folder)
        if free < LEAST_FREE:
            raise no_room(folder, f"{free / _PER_MIB:.1f} MiB")


def free_in(folder: Path) -> float:
    """Return how many bytes may still be written below a folder; infinite if nobody knows."""
    try:
        return float(shutil.disk_usage(folder).free)
    except OSError:
        return float("inf")


def _limit() -> str:
    if resource is None:
        return "unknown"
    return str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
