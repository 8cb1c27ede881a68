"""What a collector under test answered to one request, whatever that was."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import monotonic_s


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request, or why there was none.

    ``status``, ``headers`` and ``body`` are those of HTTP; ``status`` is None without an answer.
    ``code`` is gRPC's code by its name (empty without an answer), ``details`` its message,
    ``trailers`` the trailing metadata, ``headers`` the initial one and ``body`` the message.
    ``error`` says why there is no whole answer; ``timed_out``: because it took too long.
    ``seconds`` passed from the beginning of the request. ``reused``: the request went over a
    connection that had carried another one.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    code: str = ""
    details: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()
    error: str = ""
    timed_out: bool = False
    seconds: float = 0.0
    reused: bool = False

    def header(self, name: str) -> str | None:
        """Return the first value of a header, in any case of its name; None without it."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def status_details(self) -> bytes:
        """The ``google.rpc.Status`` in the trailers of a call that failed; empty without one."""
        found = (value for key, value in self.trailers if key == "grpc-status-details-bin")
        value = next(found, b"")
        return value if isinstance(value, bytes) else b""


class Deadline:
    """A moment by which something has to be done, and since when it is being done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began = monotonic_s()

    @property
    def passed(self) -> float:
        """The seconds since the beginning."""
        return monotonic_s() - self._began

    @property
    def left(self) -> float:
        """The seconds that are left, 0 at the end."""
        return max(0.0, self.seconds - self.passed)

    def __str__(self) -> str:
        return f"within {self.seconds:g} s"
