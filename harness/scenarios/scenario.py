"""What a scenario is: a prompt, a script for the model, files and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.subject.headless import PERMISSIONS
from harness.subject.script import Step

#: The steps, or a function from the work tree's absolute path to them.
Script = Sequence[Step] | Callable[[Path], Sequence[Step]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One headless session.  ``environment`` is laid over the telemetry settings,
    ``files`` (name -> content) stand in the work tree before the session starts."""

    name: str
    says: str
    prompt: str
    script: Script
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = PERMISSIONS

    def steps(self, work: Path) -> Sequence[Step]:
        """The script for a work tree at ``work``."""
        return self.script(work) if callable(self.script) else self.script
