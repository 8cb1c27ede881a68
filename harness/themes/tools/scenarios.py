"""Every scenario of the theme."""

from __future__ import annotations

from .edits import NEW_FILE, NOTEBOOK_EDIT
from .terminal_day import TERMINAL_DAY
from .toolbox import TOOLBOXES

SCENARIOS = (TERMINAL_DAY, *TOOLBOXES, NOTEBOOK_EDIT, NEW_FILE)
