"""What this theme adds to the conforming emitter."""

from __future__ import annotations

from ...reference.additions import AlwaysKept

EMITTED = (AlwaysKept("2.1.212", "the official exporters declare the length of each request"),)
