"""Read and write the files of lists of accepted deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..judging.listing import Listing, parse_listing
from ..judging.proposals import with_proposals
from .writing import write_whole


def read_listing(path: Path, shown: str) -> Listing:
    """Read somebody's own list of known deviations; messages call its file ``shown``.

    Raises UsageError for a file that cannot be read, or is not as its schema says.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(shown, seen=str(error), expected="a file of JSON") from None
    return parse_listing(text, shown)


def check_new(path: Path, shown: str, own: Path | None) -> None:
    """Raise UsageError if proposals cannot be written to ``path``; nothing reviewed is lost by it.

    It may be a new file, or the list that somebody keeps already (``own``), which then grows.
    """
    if path.exists() and (own is None or not path.samefile(own)):
        raise UsageError(
            shown,
            seen="a file that is there already",
            expected="a new file, or the list of known deviations that is given beside it",
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(shown, seen="no such folder", expected="a file in a folder that is there")


def write_proposals(
    path: Path, shown: str, own: Listing, entries: Sequence[Mapping[str, Any]], release: str
) -> str:
    """Write ``own`` with these entries added to ``path``, and return a line for the report.

    Nothing is written if nothing is proposed. Raises UsageError if the file cannot be written.
    """
    if not entries:
        return f"proposed   nothing: {path} was not written"
    write_whole(path, with_proposals(own, entries, release), shown)
    number = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
    return f"proposed   {number} in {path}, each waiting for its reason"
