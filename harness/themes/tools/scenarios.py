"""Every scenario of the theme."""

from __future__ import annotations

from harness.themes.tools.edits import NEW_FILE, NOTEBOOK_EDIT
from harness.themes.tools.terminal_day import TERMINAL_DAY
from harness.themes.tools.toolbox import TOOLBOXES

SCENARIOS = (TERMINAL_DAY, *TOOLBOXES, NOTEBOOK_EDIT, NEW_FILE)
