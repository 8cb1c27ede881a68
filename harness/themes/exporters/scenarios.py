"""Every scenario of the theme."""

from __future__ import annotations

from .exporters import EXPORTERS
from .opt_in import OPT_IN
from .spellings import SPELLINGS

SCENARIOS = (*EXPORTERS, *OPT_IN, *SPELLINGS)
