"""Every scenario of the theme."""

from __future__ import annotations

from harness.themes.exporters.exporters import EXPORTERS
from harness.themes.exporters.opt_in import OPT_IN
from harness.themes.exporters.spellings import SPELLINGS

SCENARIOS = (*EXPORTERS, *OPT_IN, *SPELLINGS)
