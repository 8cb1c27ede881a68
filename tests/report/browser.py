"""Find a browser on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
_OF_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def chromium() -> str | None:
    """Return the path of Chromium or of a browser made of it; None if there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or (str(_OF_MACOS) if _OF_MACOS.exists() else None)
