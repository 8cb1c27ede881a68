"""Errors for what can be wrong with a body that a peer sent.

These are faults of the peer, so none of them is a HarnessError: a collector answers them with a
4xx, a check may turn them into a finding.
"""

from __future__ import annotations


class DecodeError(Exception):
    """A body that is not what OTLP demands.

    ``path`` leads to the place, such as ``resourceMetrics[0].scopeMetrics[1].metrics[0].name``;
    it is empty if the body as a whole is wrong.
    """

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}" if path else message)

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        # Exceptions are copied by their args; ours are not what __init__ takes.
        return type(self), (self.path, self.message)


class UnsupportedEncoding(DecodeError):  # noqa: N818 - says what is wrong
    """A Content-Encoding that we do not read (HTTP 415)."""


class TooLarge(DecodeError):  # noqa: N818 - says what is wrong
    """A body with more bytes than the limit, counted after decompression (HTTP 413)."""
