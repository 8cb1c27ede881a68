"""Know which contract files were validated as they are, so that no start does it again.

Validating all of them takes half a second. ``schemas/validated.json`` holds a digest of each file
together with the schema that it is held to; ``docs/generated.py`` writes it, and whoever reads a
file with another digest validates it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from .files import JsonObject, read_json

FILE_NAME = "validated.json"
META = "contract.schema.json"


def is_validated(root: Path, path: Path) -> bool:
    """Say whether this file was validated with the contents that it has now."""
    name = path.relative_to(root).as_posix()
    return _listed(root).get(name) == _digest(root, path)


def listing(root: Path, paths: Collection[Path]) -> JsonObject:
    """Return what to write into the list: these files, which have just been validated."""
    files = {path.relative_to(root).as_posix(): _digest(root, path) for path in sorted(paths)}
    return {"files": files}


@cache
def _listed(root: Path) -> JsonObject:
    path = root / FILE_NAME
    files: JsonObject = read_json(path)["files"] if path.is_file() else {}
    return files


def _digest(root: Path, path: Path) -> str:
    return hashlib.sha256(_meta(root) + b"\0" + path.read_bytes()).hexdigest()


@cache
def _meta(root: Path) -> bytes:
    return (root / META).read_bytes()
