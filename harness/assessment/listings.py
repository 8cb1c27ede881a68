"""Read and write the files of lists of accepted deviations."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.judging.listing import Listing, parse_listing


def read_listing(path: Path, shown: str) -> Listing:
    """Read somebody's own list of known deviations; messages call its file ``shown``.

    Raises UsageError for a file that cannot be read, or is not as its schema says.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(shown, seen=str(error), expected="a file of JSON") from None
    return parse_listing(text, shown)
