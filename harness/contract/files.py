"""Read the files of ``schemas/``, from the wheel or else from the checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import HarnessError

JsonObject = dict[str, Any]


@cache
def schema_root() -> Path:
    """Return the folder of the data files (a wheel carries it inside the package)."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "schemas", package.parent / "schemas"):
        if (candidate / "documents.json").is_file():
            return candidate
    raise HarnessError(f"the schemas are missing from the installation at {package}")


def read_json(path: Path) -> JsonObject:
    """Read a file that holds one JSON object.

    Raises :class:`HarnessError` that names the file: a broken one is our fault.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise HarnessError(f"{path}: expected a JSON object")
    return data
