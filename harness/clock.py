"""Read the clocks of the machine, also where a library has frozen time for a test.

Such libraries replace the functions of :mod:`time`, some of them in the interpreter itself. None
of them reaches the monotonic clock by its number, and so all times are counted from that one: a
deadline is kept, and what arrived has the time at which it did, whatever a test makes of "now".
"""

from __future__ import annotations

import ctypes
import time

#: Goes on while the machine sleeps, where there are two of them.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def _began_unix_nano() -> int:
    """Return when the monotonic clock was 0, by what the system says that it is now."""
    now = _Timespec()
    # Not by a function of Python's, which may be replaced already.
    if ctypes.CDLL(None).clock_gettime(time.CLOCK_REALTIME, ctypes.byref(now)):
        return time.time_ns() - time.clock_gettime_ns(_STEADY)
    unix_nano: int = now.seconds * 1_000_000_000 + now.nanoseconds
    return unix_nano - time.clock_gettime_ns(_STEADY)


_BEGAN_UNIX_NANO = _began_unix_nano()


def time_ns() -> int:
    """Return the time, in Unix nanoseconds."""
    return _BEGAN_UNIX_NANO + time.clock_gettime_ns(_STEADY)


def monotonic_s() -> float:
    """Return the seconds of a clock that never goes back; only differences mean anything."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)
