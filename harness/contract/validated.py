"""Know which data files were validated as they are, so that no start does it again.

Validating all of them takes most of a second. ``schemas/validated.json`` holds a digest of each
file together with the schema that it is held to; ``docs/generated.py`` writes it, and whoever
reads a file with another digest validates it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .files import JsonObject, read_json

FILE_NAME = "validated.json"
META = "contract.schema.json"


def is_validated(root: Path, path: Path, by: str = META) -> bool:
    """Say whether this file was validated by this schema, with the contents that both have now."""
    return _listed(root).get(path.relative_to(root).as_posix()) == _digest(root, path, by)


def listing(root: Path, files: Mapping[Path, str]) -> JsonObject:
    """Return what to write into the list: files just validated, each with the schema's name."""
    digests = {
        path.relative_to(root).as_posix(): _digest(root, path, by)
        for path, by in sorted(files.items())
    }
    return {"files": digests}


@cache
def _listed(root: Path) -> JsonObject:
    path = root / FILE_NAME
    files: JsonObject = read_json(path)["files"] if path.is_file() else {}
    return files


def _digest(root: Path, path: Path, by: str) -> str:
    return hashlib.sha256(_schema(root, by) + b"\0" + path.read_bytes()).hexdigest()


@cache
def _schema(root: Path, name: str) -> bytes:
    return (root / name).read_bytes()
